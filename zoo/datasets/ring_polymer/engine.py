"""LAMMPS in this process: some chains, alone in free space or in a periodic box."""

from __future__ import annotations

import numpy as np

from zoo.datasets.ring_polymer.polymer import FENE_K, FENE_R0, Polymer
from zoo.datasets.ring_polymer.potential import CUTOFF
from zoo.engines.lammps import Session
from zoo.errors import RunFailed

#: Up to this many particles in free space all pairs are looked through, which is the faster way.
ALL_PAIRS = 400


class Engine(Session):
    """Chains in LAMMPS.

    Args:
        polymer: the chains.
        positions: `[particles, 3]` σ, not wrapped.
        box: `[3]` edges of the periodic box, σ; None: free space.
        timestep: τ.
    """

    def __init__(
        self, polymer: Polymer, positions: np.ndarray, box: np.ndarray | None, timestep: float
    ) -> None:
        self.polymer, self.periodic, self.particles = polymer, box is not None, polymer.particles
        super().__init__()
        low, high = np.zeros(3), np.zeros(3) if box is None else np.asarray(box, float)
        if box is None:  # not smaller than bins of neighbours need, and growing with the chain
            low, high = positions.min(0) - 10, positions.max(0) + 10
        edges = " ".join(f"{a!r} {b!r}" for a, b in zip(low.tolist(), high.tolist(), strict=True))
        search = "bin" if self.periodic or self.particles > ALL_PAIRS else "nsq"
        self._do(
            "units lj",
            "atom_style angle",
            "atom_modify map array sort 0 0",
            "boundary p p p" if self.periodic else "boundary m m m",
            f"region box block {edges}",
            "create_box 1 box bond/types 1 angle/types 1 extra/bond/per/atom 2 extra/angle/per/atom 3 "
            "extra/special/per/atom 6",
            "mass * 1.0",
        )
        if polymer.excluded_volume:
            self._do(f"pair_style lj/cut {CUTOFF!r}", "pair_modify shift yes", "pair_coeff * * 1 1")
        else:
            self._do(f"pair_style zero {CUTOFF!r} nocoeff", "pair_coeff * *")
        self._do(
            "bond_style fene",
            f"bond_coeff 1 {FENE_K} {FENE_R0} 1 1",
            "special_bonds fene",  # bonded pairs have their repulsion from the bond
            "angle_style cosine",  # K (1 + cos) of the angle at the middle bead, which is π − θ
            f"angle_coeff 1 {polymer.stiffness!r}",
            f"neighbor 0.4 {search}",
            "neigh_modify delay 0 every 1 check yes",
            f"timestep {timestep!r}",
            "thermo 1000000000",
            "thermo_modify norm no",
        )
        self._place(positions, box)
        self._connect()

    def _do(self, *commands: str) -> None:
        for command in commands:
            try:
                self.lmp.command(command)
            except Exception as error:  # LAMMPS raises nothing narrower
                reason = str(error).splitlines()[0]
                raise RunFailed(
                    f"LAMMPS gave up: {reason}. Try a shorter time step (--set timestep=…)"
                ) from error

    def _place(self, positions: np.ndarray, box: np.ndarray | None) -> None:
        image = np.zeros(positions.shape, int) if box is None else np.floor(positions / box).astype(int)
        inside = positions if box is None else positions - image * box
        made = self.lmp.create_atoms(
            self.particles,
            list(range(1, self.particles + 1)),
            [1] * self.particles,
            inside.ravel().tolist(),
            image=[self.lmp.encode_image_flags(*map(int, flags)) for flags in image],
        )
        if made != self.particles:
            raise RuntimeError(f"LAMMPS placed {made} of {self.particles} beads")

    def _connect(self) -> None:
        groups = [("bond", bond) for bond in self.polymer.bonds() + 1]
        if self.polymer.stiffness:
            groups += [("angle", angle) for angle in self.polymer.angles() + 1]
        for number, (kind, members) in enumerate(groups, 1):
            # lists of bonded neighbours are made once, with the last one
            last = "yes" if number == len(groups) else "no"
            self._do(f"create_bonds single/{kind} 1 {' '.join(map(str, members))} special {last}")

    def langevin(self, temperature: float, friction: float, seed: int) -> None:
        """Move by Langevin dynamics with friction `friction` (1/τ), Grønbech-Jensen and Farago's way.

        Positions of harmonic bonds and the diffusion of free particles are exact for any time step:
        N. Grønbech-Jensen, O. Farago, Mol. Phys. 111, 983 (2013).
        """
        self._do(
            f"fix bath all langevin {temperature!r} {temperature!r} {1 / friction!r} {seed} gjf vhalf",
            "fix move all nve",
        )

    def nose_hoover(self, temperature: float, damping: float, lost: int) -> None:
        """Move with a Nosé-Hoover chain of relaxation time `damping` (τ).

        `lost`: degrees of freedom that are conserved and hold no kinetic energy: 3 of the momentum
        and, in free space, 3 of the angular momentum.
        """
        self._do(
            f"fix move all nvt temp {temperature!r} {temperature!r} {damping!r}",
            f"compute_modify move_temp extra/dof {lost}",
        )

    def compress(self, edges: np.ndarray, steps: int) -> None:
        """Shrink the box to `edges` `[3]` over `steps`, by Langevin dynamics set before."""
        sides = " ".join(f"{axis} final 0 {edge!r}" for axis, edge in zip("xyz", edges.tolist(), strict=True))
        self._do(f"fix squeeze all deform 1 {sides} remap x", f"run {steps} post no", "unfix squeeze")

    def run(self, steps: int, fresh: bool = True) -> None:
        """Advance. `fresh`: forces and lists are set up anew, as after any change from outside."""
        self._do(f"run {steps} pre {'yes' if fresh else 'no'} post no")

    def set_velocities(self, velocities: np.ndarray) -> None:
        """Set velocities `[particles, 3]`, σ/τ."""
        self._scatter("v", velocities)

    def velocities(self) -> np.ndarray:
        """Return velocities `[particles, 3]`, σ/τ."""
        return self._gather("v")

    def positions(self) -> np.ndarray:
        """Return positions `[particles, 3]` that do not jump at the boundary, σ."""
        positions = self._gather("x")
        if self.periodic:
            image = np.array(self.lmp.gather_atoms("image", 0, 3)).reshape(self.particles, 3)
            positions += image * self.box()
        return positions

    def box(self) -> np.ndarray:
        """Return the edges `[3]` of the box now, σ."""
        low, high, *_ = self.lmp.extract_box()
        return np.array(high) - np.array(low)

    def evaluate(self, positions: np.ndarray) -> tuple[float, np.ndarray]:
        """Return energy, ε, and forces `[particles, 3]`, ε/σ, of other positions, without thermostat.

        For an engine that does not move: `langevin` would add its noise to the forces.
        """
        positions = np.asarray(positions, np.float64)
        self._scatter("x", np.mod(positions, self.box()) if self.periodic else positions)
        self._do("run 0 post no")
        return float(self.lmp.get_thermo("pe")), self._gather("f")
