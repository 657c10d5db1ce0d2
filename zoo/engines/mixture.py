"""LAMMPS in this process: one Lennard-Jones mixture, advanced, minimised, measured."""

from __future__ import annotations

import numpy as np

from zoo.engines.lammps import Session
from zoo.engines.pair_potential import PairPotential

#: Energies are noted this often along a run, in steps.
NOTE_EVERY = 1000
#: While particles are confined, steps between two looks at them.
LOOK_EVERY = 5


class MixtureEngine(Session):
    """A periodic cubic (in two dimensions: square) box of a mixture.

    Args:
        positions: `[particles, 3]` σ, in [0, box).
        types: `[particles]` 0 = A, 1 = B, 2 = C.
        box: edge, σ.
        potential: between all pairs.
        dimensions: of space; in two, z = 0 and nothing is periodic along z.
        timestep: τ.
    """

    def __init__(
        self,
        positions: np.ndarray,
        types: np.ndarray,
        box: float,
        potential: PairPotential,
        dimensions: int = 3,
        timestep: float = 0.005,
    ) -> None:
        self.box, self.particles, self.timestep = box, len(types), timestep
        super().__init__()
        flat = dimensions == 2
        height = "-0.5 0.5" if flat else f"0 {box!r}"
        species = len(potential.sigma)
        self._do(
            "units lj",
            f"dimension {dimensions}",
            "atom_modify map array sort 500 1.0",
            f"region box block 0 {box!r} 0 {box!r} {height}",
            f"create_box {species} box",
            "mass * 1.0",
            *_interactions(potential),
            "neighbor 0.3 bin",
            "neigh_modify delay 0 every 1 check yes",
            f"timestep {timestep!r}",
            "compute local all pe/atom",
            "thermo 1000000",
        )
        if flat:
            self._do("fix flat all enforce2d")
        ids = list(range(1, self.particles + 1))
        made = self.lmp.create_atoms(
            self.particles, ids, (types + 1).tolist(), wrap(positions, box).ravel().tolist()
        )
        if made != self.particles:
            raise RuntimeError(f"LAMMPS placed {made} of {self.particles} particles")

    def set_velocities(self, velocities: np.ndarray) -> None:
        """Set velocities `[particles, 3]`, σ/τ."""
        self._scatter("v", velocities)

    def confined_mean(
        self, steps: int, centres: np.ndarray, radius: float, every: int = LOOK_EVERY
    ) -> np.ndarray:
        """Advance while no particle may leave a sphere, and return mean positions `[particles, 3]`, σ.

        Who is outside and moves outward is reflected at the surface. That, and the average, happen
        once in `every` steps: particles overshoot by what they move in between.

        Args:
            steps: how long.
            centres: `[particles, 3]`, unwrapped like `unwrapped()`, σ.
            radius: of each sphere, σ.
            every: steps between two looks.
        """
        total = np.zeros_like(centres)
        looks = max(1, steps // every)
        for look in range(looks):
            self._do(f"run {every} pre {'yes' if look == 0 else 'no'} post no")
            positions, velocities = self.unwrapped(), self.velocities()
            total += positions
            arm = positions - centres
            outward, distance2 = np.sum(arm * velocities, axis=1), np.sum(arm**2, axis=1)
            out = (distance2 > radius**2) & (outward > 0)
            if out.any():
                velocities[out] -= (2 * outward[out] / distance2[out])[:, None] * arm[out]
                self.set_velocities(velocities)
        return total / looks

    def mean_run(self, steps: int, every: int) -> np.ndarray:
        """Advance and return means over the way `[particles, 4]`: unwrapped positions, σ, and energy, ε.

        Args:
            steps: how long, a multiple of `every`.
            every: steps between two that are averaged.
        """
        steps -= steps % every
        self._do(
            "compute way all property/atom xu yu zu",
            f"fix means all ave/atom {every} {steps // every} {steps} c_way[1] c_way[2] c_way[3] c_local",
        )
        self.run(steps)
        values = np.array(self.lmp.numpy.extract_fix("means", 1, 2), np.float64)[: self.particles]
        means = np.empty_like(values)
        means[np.array(self.lmp.numpy.extract_atom("id"))[: self.particles] - 1] = values
        return means

    def unwrapped(self) -> np.ndarray:
        """Return positions `[particles, 3]` that do not jump at the boundary, σ."""
        image = np.array(self.lmp.gather_atoms("image", 0, 3)).reshape(self.particles, 3)
        return self._gather("x") + self.box * image

    def velocities(self) -> np.ndarray:
        """Return velocities `[particles, 3]`, σ/τ."""
        return self._gather("v")

    def forces(self) -> np.ndarray:
        """Return forces `[particles, 3]` of the last step, ε/σ."""
        return self._gather("f")

    def thermostat(self, start: float, stop: float, damping: float) -> None:
        """Nosé-Hoover from temperature `start` to `stop` over the next `run`."""
        self._do(f"fix move all nvt temp {start!r} {stop!r} {damping!r}")

    def conserve(self) -> None:
        """Conserve the energy: velocity Verlet without a thermostat."""
        self._do("fix move all nve")

    def run(self, steps: int) -> None:
        """Advance. A thermostat's ramp spans exactly these steps."""
        self._do(f"run {steps} post no")

    def noted_run(self, steps: int) -> np.ndarray:
        """Advance and return `[notes, 2]`: potential energy per particle and temperature."""
        notes = []
        while steps > 0:
            part = min(NOTE_EVERY, steps)
            self.run(part)
            notes.append((self.lmp.get_thermo("pe"), self.lmp.get_thermo("temp")))
            steps -= part
        return np.array(notes).reshape(-1, 2)

    def energies(self) -> np.ndarray:
        """Return the potential energy of each particle now `[particles]`, ε; sums to the whole."""
        self._do("run 0 post no")
        values = np.array(self.lmp.numpy.extract_compute("local", 1, 1), np.float64)
        ids = np.array(self.lmp.numpy.extract_atom("id"))
        local = np.empty(self.particles)
        local[ids[: self.particles] - 1] = values[: self.particles]
        return local

    def minimize(self, force: float = 1e-8) -> None:
        """Go down to the energy minimum, by conjugate gradients, twice: lists are renewed between."""
        for _ in range(2):
            self._do(f"minimize 0.0 {force!r} 20000 200000")


def _interactions(potential: PairPotential) -> list[str]:
    """LAMMPS's commands for the pair potential.

    A polynomial tail is an n-m potential, E0 / (n − m) [m (r0/r)ⁿ − n (r0/r)ᵐ], with n = −4 and
    m = −2: E0 [(r/r0)⁴ − 2 (r/r0)²]. The constant follows from the shift.
    """
    _, c2, c4 = potential.tail
    tailed = c4 != 0
    commands = ["pair_modify shift yes"]
    commands.insert(0, f"pair_style lj/cut {potential.cutoff}")
    if tailed:
        commands[0] = f"pair_style hybrid/overlay lj/cut {potential.cutoff} nm/cut {potential.cutoff}"
    species = range(len(potential.sigma))
    for a, b in ((a, b) for a in species for b in species if a <= b):
        epsilon, sigma = float(potential.epsilon[a, b]), float(potential.sigma[a, b])
        kinds, cutoff = f"pair_coeff {a + 1} {b + 1}", potential.cutoff * sigma
        commands.append(f"{kinds} {'lj/cut ' if tailed else ''}{epsilon!r} {sigma!r} {cutoff!r}")
        if tailed:
            x2 = -c2 / (2 * c4)  # (r0 / σ)²
            commands.append(
                f"{kinds} nm/cut {4 * epsilon * c4 * x2**2!r} {sigma * x2**0.5!r} -4 -2 {cutoff!r}"
            )
    return commands


def wrap(positions: np.ndarray, box: float) -> np.ndarray:
    """Return positions in [0, box), in their own dtype (rounding must not give `box` itself)."""
    edge = positions.dtype.type(box)
    wrapped = np.mod(positions, edge)
    return np.where(wrapped >= edge, positions.dtype.type(0), wrapped)


def maxwell(particles: int, temperature: float, rng: np.random.Generator, dimensions: int = 3) -> np.ndarray:
    """Draw velocities `[particles, 3]`, σ/τ, of unit masses without total momentum."""
    velocities = rng.normal(scale=np.sqrt(temperature), size=(particles, dimensions))
    return np.pad(velocities - velocities.mean(0), ((0, 0), (0, 3 - dimensions)))
