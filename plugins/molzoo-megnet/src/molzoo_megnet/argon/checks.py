"""Independent facts about liquid argon, and how a dataset compares."""

from __future__ import annotations

import numpy as np

from molzoo_megnet.argon.options import CUTOFF, EPSILON, GRAM_PER_CM3, MASS, SIGMA, ArgonOptions
from molzoo_megnet.argon.simulation import ACCELERATION, lennard_jones
from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.units import BOLTZMANN_EV

RAHMAN = "A. Rahman, Phys. Rev. 136, A405 (1964), at 94.4 K and 1.374 g/cm³"
#: Edge of Rahman's box (864 atoms), Å, and viscosity of the liquid, eV ps/Å³ (0.25 mPa s).
RAHMAN_BOX, VISCOSITY = 34.78, 0.25e-3 * 6.241509
KT = BOLTZMANN_EV * 94.4  # eV


def all_checks(dataset: Dataset) -> list[Check]:
    """Return every comparison that the dataset has the arrays for."""
    checks = [_density(dataset), *_recomputed(dataset), _kinetic(dataset), _configurational(dataset)]
    positions = dataset.array(keys.POSITIONS)
    there = abs((dataset.temperature or 0) - 94.4) < 2 and abs(density(dataset) - 1.374) < 0.03
    note = "" if there else "Rahman's values are for another state point"
    for name, found, low, high, expected in (
        ("first peak of g(r)", *_peak(dataset, 3.0, 5.0), 3.6, 3.8, "3.7 ± 0.1"),
        ("second peak of g(r)", *_peak(dataset, 5.5, 8.4), 6.7, 7.3, "7.0 ± 0.3"),
    ):
        ok = low <= found <= high if there and len(positions) >= 20 else None
        checks.append(Check(name, expected, RAHMAN, found, "Å", ok=ok, note=note))
    return [*checks, _diffusion(dataset, there, note)]


def density(dataset: Dataset) -> float:
    """Return the mass density in g/cm³."""
    volume = float(np.abs(np.linalg.det(dataset.array(keys.CELLS)[0])))
    return float(dataset.system.masses.sum()) * GRAM_PER_CM3 / volume


def options_of(dataset: Dataset) -> ArgonOptions:
    """Return the options that a dataset was made with; the defaults where it does not say."""
    return ArgonOptions.model_validate(dataset.manifest.provenance.get("options", {}))


def _density(dataset: Dataset) -> Check:
    asked, found = options_of(dataset).density, density(dataset)
    source = "masses and box, against the density asked for"
    return Check("density", f"{asked:g}", source, found, "g/cm³", ok=abs(found / asked - 1) < 1e-4)


def _recomputed(dataset: Dataset) -> list[Check]:
    """Energies and forces of some frames by ASE's own Lennard-Jones."""
    from ase import Atoms
    from ase.calculators.lj import LennardJones

    worst_energy = worst_force = 0.0
    for frame in np.linspace(0, len(dataset) - 1, 4).astype(int):
        atoms = Atoms(
            numbers=dataset.system.types,
            positions=dataset.array(keys.POSITIONS)[frame].astype(np.float64),
            cell=dataset.array(keys.CELLS)[frame],
            pbc=True,
        )
        atoms.calc = LennardJones(sigma=SIGMA, epsilon=EPSILON, rc=CUTOFF, smooth=False)
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        worst_energy = max(worst_energy, abs(energy - float(dataset.array(keys.ENERGIES)[frame])))
        worst_force = max(worst_force, float(np.abs(forces - dataset.array(keys.FORCES)[frame]).max()))
    source = "ase.calculators.lj.LennardJones on 4 frames, largest deviation"
    # energies are stored in double precision, forces in single (6e-8 of the largest, 0.3 eV/Å)
    return [
        Check("energies", "0 ± 1e-8", source, worst_energy, "eV", ok=worst_energy < 1e-8),
        Check("forces", "0 ± 1e-6", source, worst_force, "eV/Å", ok=worst_force < 1e-6),
    ]


def _kinetic(dataset: Dataset) -> Check:
    v = dataset.array(keys.VELOCITIES).astype(np.float64)
    n = dataset.system.num_particles
    kinetic = (dataset.system.masses[:, None] * v**2).sum((1, 2)) / ACCELERATION
    found = kinetic / BOLTZMANN_EV / (3 * n - 3)  # the total momentum is zero
    return _thermometer(dataset, "temperature of velocities", "equipartition", found)


def _configurational(dataset: Dataset) -> Check:
    """`⟨|∇U|²⟩ / ⟨∇²U⟩`, for which forces and positions have to be right together."""
    box = float(dataset.array(keys.CELLS)[0, 0, 0])
    every = dataset.array(keys.POSITIONS)
    curvature = np.concatenate(
        [lennard_jones(every[i : i + 16].astype(np.float64), box)[2] for i in range(0, len(every), 16)]
    )
    squares = (dataset.array(keys.FORCES).astype(np.float64) ** 2).sum((1, 2))
    found = squares / curvature.mean() / BOLTZMANN_EV
    source = "⟨|∇U|²⟩ / ⟨∇²U⟩: Rugh, Phys. Rev. Lett. 78, 772 (1997)"
    return _thermometer(dataset, "temperature of configurations", source, found)


def _thermometer(dataset: Dataset, name: str, source: str, found: np.ndarray) -> Check:
    """Compare a mean over frames with the thermostat's temperature, by its error over runs."""
    target = dataset.temperature or 0.0
    run = dataset.array(keys.RUN)
    means = np.array([found[run == k].mean() for k in np.unique(run)])
    error = float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 2 else None
    value = float(found.mean())
    # 1 %: the time step and, for configurations, the jump of the force at the cutoff (0.4 %)
    allowed = 0.01 * target + 4 * (error if error is not None else 0.02 * target)
    expected = f"{target:g} ± {allowed:.2g}"
    return Check(name, expected, source, value, "K", error, ok=abs(value - target) < allowed)


def _peak(dataset: Dataset, low: float, high: float) -> tuple[float]:
    """Distance at which g(r) is largest between two distances, Å, by a parabola through its top."""
    box = float(dataset.array(keys.CELLS)[0, 0, 0])
    edges = np.arange(2.0, 8.6, 0.1)
    i, j = np.triu_indices(dataset.system.num_particles, 1)
    count = np.zeros(len(edges) - 1)
    for x in dataset.array(keys.POSITIONS)[:: max(1, len(dataset) // 200)]:
        d = x[i].astype(np.float64) - x[j]
        d -= box * np.rint(d / box)
        count += np.histogram(np.sqrt((d**2).sum(1)), edges)[0]
    r = (edges[1:] + edges[:-1]) / 2
    g, inside = count / r**2, (r > low) & (r < high)
    near = inside & (np.abs(r - r[inside][g[inside].argmax()]) < (0.25 if high < 5.5 else 0.6))
    a, b, _ = np.polyfit(r[near], g[near], 2)
    return (float(-b / (2 * a)),)


def _diffusion(dataset: Dataset, there: bool, note: str) -> Check:
    """Slope of the mean squared displacement from 2 to 8 ps, run by run.

    20 %: the viscosity in the correction is known to 20 %, and Rahman cut at 2.25 σ.
    """
    run, time = dataset.array(keys.RUN), dataset.array(keys.TIME)
    slopes = []
    for k in np.unique(run):
        x, t = dataset.array(keys.POSITIONS)[run == k].astype(np.float64), time[run == k]
        lags = [n for n in range(1, len(t)) if 2.0 <= t[n] - t[0] <= 8.0]
        if len(lags) < 3 or t[-1] - t[0] < 15:
            continue
        msd = [((x[n:] - x[:-n]) ** 2).sum(-1).mean() for n in lags]
        slopes.append(np.polyfit(t[lags] - t[0], msd, 1)[0] / 6)
    box, options = float(dataset.array(keys.CELLS)[0, 0, 0]), options_of(dataset)
    # Yeh, Hummer, J. Phys. Chem. B 108, 15873 (2004): a periodic box slows diffusion by 2.837 kT/(6πηL);
    # and so does the thermostat, whose friction adds to kT/(mD), that of the liquid on each atom
    slower = 2.837 * KT / (6 * np.pi * VISCOSITY) * (1 / box - 1 / RAHMAN_BOX)
    target = 0.243 - slower  # Å²/ps = 1e-4 cm²/s
    target = KT / (KT / target + MASS / ACCELERATION * options.friction)
    name, unit = "diffusion coefficient", "1e-5 cm²/s"
    expected = f"{10 * target:.2f} ± 20 %"
    source = f"{RAHMAN} (2.43), less the effects of box (Yeh, Hummer 2004) and thermostat"
    if len(slopes) < 3:
        return Check(name, expected, source, None, unit, note="runs are too short: 15 ps are needed")
    value = 10 * float(np.mean(slopes))
    error = 10 * float(np.std(slopes, ddof=1) / np.sqrt(len(slopes)))
    ok = abs(value / (10 * target) - 1) < 0.2 if there else None
    return Check(name, expected, source, value, unit, error, ok, note)
