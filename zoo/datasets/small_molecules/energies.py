"""Energies and forces against two codes, and the temperatures that they tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from zoo import keys
from zoo.analysis.averages import SIGMAS, mean_and_error
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.small_molecules.forcefield import build_system
from zoo.datasets.small_molecules.molecule import Molecule
from zoo.engines.openmm import evaluate, make_context
from zoo.errors import EntryError
from zoo.units import ANGSTROM_PER_NM, BOLTZMANN_EV, EV_PER_KJ_MOL

#: Far above the rounding of float64 energies and float32 forces, far below kT = 0.026 eV.
LIMITS = {keys.ENERGIES: (1e-6, "eV"), keys.FORCES: (1e-5, "eV/Å")}


def energy_checks(
    dataset: Dataset, molecule: Molecule, positions: np.ndarray, run: np.ndarray, frames: int = 60
) -> list[Check]:
    """Compare with OpenMM and torch, and the temperature with ⟨F²⟩ and ⟨U⟩.

    Args:
        dataset: a check of what it does not store is there, without a value.
        molecule: see `Molecule`.
        positions: `[frames, atoms, 3]` in float64.
        run: `[frames]`.
        frames: how many are evaluated anew.
    """
    chosen = np.unique(np.linspace(0, len(positions) - 1, frames).astype(int))
    openmm_says = ("OpenMM", "Reference platform, built anew from the tables of OPLS-AA")
    try:
        context = _context(molecule)
    except EntryError as error:
        checks = _recomputed(dataset, chosen, None, *openmm_says)
        checks += [_rugh(dataset), _excess(dataset)]
        return [*(replace(c, note=str(error)) for c in checks), *_torch(dataset, positions, chosen)]
    found = [evaluate(context, positions[frame]) for frame in chosen]
    anew = {keys.ENERGIES: np.array([u for u, _ in found]), keys.FORCES: np.array([f for _, f in found])}
    return [
        *_recomputed(dataset, chosen, anew, *openmm_says),
        *_torch(dataset, positions, chosen),
        _rugh(dataset, np.array([_laplacian(context, positions[f]) for f in chosen]), run),
        _excess(dataset, _minimum(context, positions[0]), run),
    ]


def _recomputed(
    dataset: Dataset, chosen: np.ndarray, anew: dict[str, np.ndarray] | None, code: str, source: str
) -> list[Check]:
    """One check each of energies and forces; `anew` has those of the chosen frames by another `code`."""
    checks = []
    for key, (limit, unit) in LIMITS.items():
        check = Check(f"{key} recomputed by {code}, largest difference", f"< {limit:g}", source, None, unit)
        if key not in dataset.arrays or anew is None:
            checks.append(replace(check, note="not stored"))
            continue
        worst = float(np.abs(np.asarray(dataset.array(key))[chosen] - anew[key]).max())
        checks.append(replace(check, measured=worst, ok=worst < limit, note=f"{len(chosen)} frames"))
    return checks


def _torch(dataset: Dataset, positions: np.ndarray, chosen: np.ndarray) -> list[Check]:
    """The same by `zoo.physics.from_openmm` from the system that the dataset stores."""
    torch_says = ("torch", "zoo.physics.from_openmm, from the stored OpenMM System")
    xml = dataset.system.parameters.get("openmm_system_xml")
    if not xml:
        checks = _recomputed(dataset, chosen, None, *torch_says)
        return [replace(check, note="the dataset stores no force field") for check in checks]
    import torch

    from zoo.physics import from_openmm

    energies, forces = from_openmm(xml).energy_and_forces(torch.from_numpy(positions[chosen]))
    anew = {keys.ENERGIES: energies.detach().numpy(), keys.FORCES: forces.detach().numpy()}
    return _recomputed(dataset, chosen, anew, *torch_says)


def _rugh(dataset: Dataset, curvature: np.ndarray | None = None, run: np.ndarray | None = None) -> Check:
    """Temperature from positions alone: Rugh, Phys. Rev. Lett. 78, 772 (1997)."""
    target = dataset.temperature
    check = Check(
        "temperature of the configurations",
        f"{target:g}" if target else "unknown",
        "kT = ⟨F²⟩ / ⟨∇²U⟩ over all coordinates (Rugh, Phys. Rev. Lett. 78, 772 (1997))",
        None,
        "K",
    )
    if keys.FORCES not in dataset.arrays or not target or curvature is None or run is None:
        return replace(check, note="no forces or temperature stored")
    squares = (np.asarray(dataset.array(keys.FORCES), np.float64) ** 2).sum((1, 2))
    mean, spread = mean_and_error(squares, run)
    value = mean / curvature.mean() / BOLTZMANN_EV
    relative = np.hypot(spread / mean, curvature.std() / curvature.mean() / np.sqrt(len(curvature)))
    error = float(value * relative)
    return replace(check, measured=value, error=error, ok=abs(value - target) < SIGMAS * error)


def _excess(dataset: Dataset, minimum: float = 0.0, run: np.ndarray | None = None) -> Check:
    """Mean potential energy against equipartition."""
    check = Check(
        "energy above the minimum, over (3N − 6)/2 kT", "1 ± 0.05", "equipartition of harmonic motion", None
    )
    if keys.ENERGIES not in dataset.arrays or not dataset.temperature or run is None:
        return replace(check, note="no energies or temperature stored")
    mean, error = mean_and_error(np.asarray(dataset.array(keys.ENERGIES)) - minimum, run)
    unit = (1.5 * dataset.system.num_particles - 3) * BOLTZMANN_EV * dataset.temperature
    holds = abs(mean / unit - 1) < 0.05 + SIGMAS * error / unit
    return replace(check, measured=mean / unit, error=error / unit, ok=holds)


def _context(molecule: Molecule) -> Any:
    system = build_system(molecule, 1.008)
    import openmm

    return make_context(system, openmm.VerletIntegrator(0.001), "Reference")


def _minimum(context: Any, positions: np.ndarray) -> float:
    """Energy in eV of the minimum that a frame `[atoms, 3]` relaxes into."""
    import openmm

    context.setPositions(positions / ANGSTROM_PER_NM)
    openmm.LocalEnergyMinimizer.minimize(context, 1e-3)
    return float(context.getState(energy=True).getPotentialEnergy()._value * EV_PER_KJ_MOL)


def _laplacian(context: Any, positions: np.ndarray, step: float = 1e-4) -> float:
    """∇²U in eV/Å² of one frame, by central differences of the forces over `step` Å."""
    total = 0.0
    for index in np.ndindex(*positions.shape):
        moved = positions.copy()
        for sign in (1, -1):
            moved[index] = positions[index] + sign * step
            total -= sign * float(evaluate(context, moved)[1][index]) / (2 * step)
    return total
