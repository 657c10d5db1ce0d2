"""Checks of a dataset's sample: manifest, arrays, splits, graphs, and that the units can be right."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.entry import DatasetEntry
from zoo.data.info import data_info
from zoo.data.loader import make_loader
from zoo.data.splits import SPLITS, indices
from zoo.data.system import System
from zoo.graphs import edge_vectors
from zoo.models.base import DEFAULT_CUTOFF
from zoo.registry import REGISTRY
from zoo.units import UnitSystem

#: Nearest neighbours, number density and root mean square force that no unit mistake leaves alone:
#: nm for Å, kJ/mol/nm for eV/Å. Wide: a bond to hydrogen is 1 Å, coarse beads are 5 Å apart.
NEAREST = {"ase": (0.5, 7.0), "lj": (0.2, 7.0)}
DENSITY = {"ase": (1e-4, 0.5), "lj": (1e-3, 3.0)}
FORCE = {"ase": (1e-4, 50.0), "lj": (1e-3, 1e4)}
#: amu Å²/ps² in eV: CODATA 2018, u / e.
KINETIC = {"ase": 1.0364269656e-4, "lj": 1.0}


class SampleChecks:
    """What can be said of any dataset's numbers without knowing its physics."""

    def test_manifest(self, dataset: Dataset, entry: DatasetEntry) -> None:
        """The manifest names the entry, tells how the frames were made, and each array's unit."""
        manifest = dataset.manifest
        assert manifest.name == entry.name, f"the manifest names {manifest.name!r}, not {entry.name!r}"
        assert manifest.units == entry.spec.units, "manifest and spec name different unit systems"
        assert manifest.version, "the manifest has no version"
        assert manifest.provenance, "the manifest does not say how the frames were made"
        assert manifest.temperature is None or manifest.temperature > 0
        units = {name: record.unit for name, record in manifest.arrays.items()}
        for name, unit in _units(dataset.units).items():
            assert units.get(name, unit) == unit, f"{name} is in {units[name]!r}, not in {unit!r}"

    def test_system(self, dataset: Dataset) -> None:
        """Types have names, masses are positive, and the system survives JSON."""
        system = dataset.system
        assert system.num_particles > 0 and (system.masses > 0).all() and (system.types >= 0).all()
        assert System.from_json(system.to_json()).to_json() == system.to_json()

    def test_arrays(self, dataset: Dataset) -> None:
        """Every array has the shape and sort of number of its key, and is finite."""
        frames, particles = len(dataset), dataset.system.num_particles
        shapes: dict[str, tuple[Any, ...]] = {
            keys.POSITIONS: (frames, particles, 3),
            keys.VELOCITIES: (frames, particles, 3),
            keys.FORCES: (frames, particles, 3),
            keys.INHERENT: (frames, particles, 3),
            keys.ENERGIES: (frames,),
            keys.CELLS: (frames, 3, 3),
            keys.RUN: (frames,),
            keys.TIME: (frames,),
            keys.TARGETS: (frames, particles, len(dataset.target_names)),
        }
        for name, array in dataset.arrays.items():
            wanted = shapes.get(name, (frames, *array.shape[1:]))
            assert array.shape == wanted, f"{name} is {array.shape}, not {wanted}"
            assert array.dtype.kind in ("iu" if name == keys.RUN else "fiub"), f"{name} is {array.dtype}"
            if array.dtype.kind == "f":
                assert np.isfinite(array).all(), f"{name} holds NaN or infinity"
        times = dataset.target_times
        assert len(times) in (0, len(dataset.target_names)), "one time for each target, or none"

    def test_splits(self, dataset: Dataset) -> None:
        """Train, validation and test are there, share no frame, and are blocks, not single frames."""
        splits = dataset.manifest.splits
        assert set(SPLITS) <= set(splits), f"splits {sorted(splits)}; {', '.join(SPLITS)} are needed"
        owner = np.full(len(dataset), "", dtype=object)
        for name, ranges in splits.items():
            frames = indices(ranges)
            assert len(frames), f"split {name!r} is empty"
            taken = sorted(set(owner[frames]) - {""})
            assert not taken, f"split {name!r} shares frames with {taken}"
            assert len(set(frames.tolist())) == len(frames), f"split {name!r} holds a frame twice"
            owner[frames] = name
        runs = len(np.unique(dataset.array(keys.RUN))) if keys.RUN in dataset.arrays else 1
        blocks = sum(len(ranges) for ranges in splits.values())
        # each run cut into at most one block for each split: neighbouring frames are near copies
        assert blocks <= len(splits) * runs, f"{blocks} blocks of {runs} runs: do not split frame by frame"

    def test_graph(self, dataset: Dataset) -> None:
        """A frame's graph has the keys of `zoo.keys`, with their shapes and dtypes."""
        cutoff = _cutoff(dataset)
        graph = dataset.graph(len(dataset) - 1, cutoff)
        n, edges, pairs = dataset.system.num_particles, graph.edge_index.shape[1], graph.pair_edge.numel()
        wanted: dict[str, tuple[torch.dtype, tuple[int, ...]]] = {
            keys.POS: (torch.float32, (n, 3)),
            keys.Z: (torch.int64, (n,)),
            keys.FRAME: (torch.int64, (1,)),
            keys.EDGE_INDEX: (torch.int64, (2, edges)),
            keys.EDGE_PAIR: (torch.int64, (edges,)),
            keys.PAIR_EDGE: (torch.int64, (pairs,)),
        }
        optional: dict[str, tuple[torch.dtype, tuple[int, ...]]] = {
            keys.CELL: (torch.float32, (1, 3, 3)),
            keys.EDGE_SHIFT: (torch.float32, (edges, 3)),
            keys.ENERGY: (torch.float32, (1,)),
            keys.FORCES: (torch.float32, (n, 3)),
            keys.TARGETS: (torch.float32, (n, len(dataset.target_names))),
        }
        missing = [key for key in wanted if key not in graph]
        assert not missing, f"the graph has no {', '.join(missing)}"
        for key, (dtype, shape) in {**wanted, **optional}.items():
            if key in graph:
                found = graph[key]
                assert found.dtype == dtype, f"{key} is {found.dtype}, not {dtype}"
                assert tuple(found.shape) == shape, f"{key} is {tuple(found.shape)}, not {shape}"
        assert edges and pairs * 2 == edges, f"{edges} edges of {pairs} pairs"
        assert bool((graph.edge_index[1].diff() >= 0).all()), "edges are not sorted by receiver"
        longest = edge_vectors(graph.pos, graph.edge_index, graph.get(keys.EDGE_SHIFT)).norm(dim=1).max()
        # found in float64, measured in float32 where coordinates may be 1000 times the cutoff
        assert float(longest) < cutoff * 1.001, f"an edge of {float(longest):.4g} with cutoff {cutoff}"

    def test_batches(self, dataset: Dataset) -> None:
        """A loader gives every frame of a split once, as batches."""
        frames = dataset.split("test")
        seen = []
        for batch in make_loader(frames, DEFAULT_CUTOFF[dataset.manifest.units], 4):
            assert batch[keys.POS].shape[0] == batch[keys.FRAME].numel() * dataset.system.num_particles
            seen += batch[keys.FRAME].tolist()
            if len(seen) >= 8:
                break
        assert seen == frames.index[: len(seen)].tolist()

    def test_serves_its_tasks(self, dataset: Dataset, entry: DatasetEntry) -> None:
        """The dataset has what each of its tasks learns from."""
        assert entry.spec.tasks, "a dataset serves at least one task"
        for task in entry.spec.tasks:
            interface = getattr(REGISTRY.load_target(REGISTRY.get("tasks", task)), "interface", None)
            if interface in ("potential", "node"):
                assert data_info(dataset.split("train"), interface).interface == interface

    def test_units_are_plausible(self, dataset: Dataset) -> None:
        """Neighbour distances, density, forces and velocities are not off by a unit's factor."""
        units = dataset.manifest.units
        frame = len(dataset) // 2
        graph = dataset.graph(frame, NEAREST[units][1])
        r = edge_vectors(graph.pos, graph.edge_index, graph.get(keys.EDGE_SHIFT)).norm(dim=1)
        shortest = float(r.min()) if r.numel() else math.inf
        _within(shortest, NEAREST[units], "nearest neighbours", dataset.units.length)
        if dataset.system.periodic and all(dataset.system.pbc):
            volume = float(np.linalg.det(dataset.array(keys.CELLS)[frame].astype(np.float64)))
            assert volume > 0, f"the cell has volume {volume}: its rows are not right-handed"
            length = dataset.units.length
            _within(dataset.system.num_particles / volume, DENSITY[units], "number density", f"{length}⁻³")
        if keys.FORCES in dataset.arrays:
            some = dataset.array(keys.FORCES)[:: max(1, len(dataset) // 50)].astype(np.float64)
            _within(float(np.sqrt((some**2).mean())), FORCE[units], "rms force", dataset.units.force)
        if keys.VELOCITIES in dataset.arrays and dataset.temperature:
            v = dataset.array(keys.VELOCITIES)[:: max(1, len(dataset) // 200)].astype(np.float64)
            energy = (dataset.system.masses[:, None] * v**2).mean() * KINETIC[units]
            kinetic = float(energy / dataset.units.boltzmann)
            limits = (dataset.temperature / 2, dataset.temperature * 2)
            _within(kinetic, limits, "temperature of the velocities", dataset.units.temperature)

    def test_checks_hold(self, dataset: Dataset, entry: DatasetEntry) -> None:
        """The entry compares its sample with independent facts, and none of them fails."""
        checks = entry.checks(dataset)
        assert checks, "the entry has no checks: `zoo data check` has nothing to say"
        for check in checks:
            assert check.name and check.expected and check.source, f"{check}: say what, and from where"
        failed = [
            f"{c.name}: {c.measured} {c.unit}, expected {c.expected}"
            for c in checks
            if not (c.ok or c.ok is None)
        ]
        assert not failed, "\n".join(failed)
        if all(check.ok is None for check in checks):
            pytest.skip("nothing could be checked here: " + "; ".join(c.note for c in checks))


def _units(units: UnitSystem) -> dict[str, str]:
    return {
        keys.POSITIONS: units.length,
        keys.INHERENT: units.length,
        keys.CELLS: units.length,
        keys.ENERGIES: units.energy,
        keys.FORCES: units.force,
        keys.VELOCITIES: f"{units.length}/{units.time}",
        keys.TIME: units.time,
    }


def _cutoff(dataset: Dataset) -> float:
    """The models' default, or where no particle has a neighbour within it (DW4), a longer one."""
    units = dataset.manifest.units
    default = DEFAULT_CUTOFF[units]
    edges = dataset.graph(len(dataset) - 1, default).edge_index.shape[1]
    return default if edges else NEAREST[units][1]


def _within(value: float, limits: tuple[float, float], what: str, unit: str) -> None:
    low, high = limits
    assert low <= value <= high, f"{what}: {value:.4g} {unit}, outside {low:.4g} to {high:.4g}: which units?"
