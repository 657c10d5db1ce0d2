"""What a dataset of any protein is compared with: facts that its maker did not use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from zoo import keys
from zoo.analysis.averages import mean_and_error
from zoo.analysis.proteins import radius_of_gyration, superposed_rmsd
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.protein import geometry, thermometers
from zoo.datasets.protein.forcefield import build_system, require_simulation, topology_of
from zoo.errors import EntryError

#: Residues of chignolin CLN025, which melts at 343 K (Honda et al. 2008).
CHIGNOLIN = ("TYR", "TYR", "ASP", "PRO", "GLU", "THR", "GLY", "THR", "TRP", "TYR")


def all_checks(dataset: Dataset) -> list[Check]:
    """Run every check that the arrays and names of the dataset allow."""
    system = dataset.system
    if not (system.atom_names and len(system.residues) and len(system.chains)):
        note = "names of atoms, residues or chains are missing; nothing else was compared"
        return [Check("atoms named", "all", "the system", None, ok=False, note=note)]
    positions = np.asarray(dataset.array(keys.POSITIONS), np.float64)
    run = dataset.runs()
    return [
        *_recomputed(dataset, positions),
        thermometers.kinetic(dataset, run),
        *thermometers.configurational(dataset, positions, run),
        thermometers.drift(dataset, run),
        *geometry.bond_lengths(dataset, positions),
        *geometry.chemistry(dataset, positions),
        *_fold(dataset, positions, run),
    ]


def _recomputed(dataset: Dataset, positions: np.ndarray, frames: int = 10) -> Iterator[Check]:
    """Energies and forces by torch, of a system built anew from the names that the dataset stores."""
    source = "zoo's own energy in torch, ff99SB-ILDN + OBC2 built anew from names and bonds"
    energy = Check("energies recomputed, largest difference", "< 1e-06", source, None, "eV")
    force = Check("forces recomputed, largest difference", "< 0.0001", source, None, "eV/Å")
    note = ""
    if dataset.system.parameters.get("resolution") != "all":
        note = "only for what was made with resolution=all"
    elif not {keys.ENERGIES, keys.FORCES} <= dataset.arrays.keys():
        note = "energies or forces are not stored"
    else:
        try:
            require_simulation()
        except EntryError as error:
            note = str(error)
    if note:
        yield replace(energy, note=note)
        yield replace(force, note=note)
        return
    import torch

    from zoo.physics.energy import from_openmm

    mass = float(dataset.system.parameters.get("hydrogen_mass", 1.008))
    potential = from_openmm(build_system(topology_of(dataset.system), mass))
    chosen = np.unique(np.linspace(0, len(positions) - 1, frames).astype(int))
    worst = [0.0, 0.0]
    for frame in chosen:
        x = torch.tensor(positions[[frame]], requires_grad=True)
        value = potential(x)
        (gradient,) = torch.autograd.grad(value.sum(), x)
        worst[0] = max(worst[0], abs(value.item() - float(dataset.array(keys.ENERGIES)[frame])))
        worst[1] = max(worst[1], float(np.abs(gradient[0].numpy() + dataset.array(keys.FORCES)[frame]).max()))
    note = f"{len(chosen)} frames"
    yield replace(energy, measured=worst[0], ok=worst[0] < 1e-6, note=note)
    yield replace(force, measured=worst[1], ok=worst[1] < 1e-4, note=note)


def _fold(dataset: Dataset, positions: np.ndarray, run: np.ndarray) -> Iterator[Check]:
    """Size, and distance from the structure that the runs started from."""
    system = dataset.system
    alpha = geometry.backbone_of(system).alpha
    size = 2.2 * len(alpha) ** 0.38
    mean, error = mean_and_error(radius_of_gyration(positions), run)
    yield Check(
        "radius of gyration",
        f"{size:.1f} if folded and globular",
        "2.2 N^0.38 Å (Skolnick, Kolinski, Ortiz 1997)",
        mean,
        "Å",
        error,
        note="not judged: the protein may be neither",
    )
    name = "Cα RMSD from the structure of the file"
    check = Check(name, "small if folded", "the structure file", None, "Å")
    start = system.parameters.get("structure")
    if start is None or len(alpha) < 3:
        yield replace(check, note="the system stores no structure")
        return
    mean, error = mean_and_error(superposed_rmsd(positions, np.array(start), alpha), run)
    check = replace(check, measured=mean, error=error)
    if tuple(system.residue_names[i] for i in alpha) == CHIGNOLIN and (dataset.temperature or 0) <= 320:
        source = "PDB 5AWL; CLN025 melts at 343 K (Honda et al. 2008)"
        yield replace(check, expected="< 2", source=source, ok=mean < 2)
    else:
        yield replace(check, note="not judged: the protein may unfold")
