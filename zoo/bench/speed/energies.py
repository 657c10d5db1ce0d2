"""Energies and forces of a molecule: batched in torch beside OpenMM, which takes one after the other."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo import keys
from zoo.bench.speed.timing import interleave
from zoo.bench.suite import Table
from zoo.data.catalog import open_dataset
from zoo.engines.openmm import evaluate, make_context
from zoo.errors import RunFailed
from zoo.physics.energy import MolecularEnergy, from_openmm
from zoo.progress import progress

REFERENCE = "OpenMM Reference"


@dataclass(frozen=True)
class Size:
    """What is measured: configurations of a dataset that holds its OpenMM System."""

    dataset: str = "alanine-dipeptide"
    batch: int = 512  # in torch on the CPU
    batch_gpu: int = 16_384
    single: int = 64  # configurations that OpenMM is given, one after the other
    repeats: int = 5
    compiled: bool = True  # costs half a minute for each device


@dataclass(frozen=True)
class Way:
    """One way to compute energies and forces.

    Args:
        work: computes them and returns energies `[configurations]` in eV.
        configurations: of one call.
    """

    work: Callable[[], np.ndarray]
    configurations: int


def energies(size: Size, device: str) -> tuple[list[dict[str, Any]], Table]:
    """Measure configurations per second: one thread of the CPU, and the GPU where there is one.

    Raises:
        RunFailed: two ways find different energies.
    """
    data = open_dataset(size.dataset)
    xml = data.system.parameters["openmm_system_xml"]
    largest = max(size.batch, size.single, size.batch_gpu if device != "cpu" else 0)
    frames = data.array(keys.POSITIONS, np.fromiter(islice(cycle(range(len(data))), largest), np.int64))
    ways: dict[str, Way] = {}
    absent: list[str] = []
    with _one_thread():
        with progress("energies, compiling" if size.compiled else "energies", 1 + (device != "cpu")) as bar:
            ways |= _in_torch(xml, frames[: size.batch], "cpu", size.compiled, absent)
            bar.advance(1)
            ways |= _in_openmm(xml, frames[: size.single], absent)
            if device != "cpu":
                ways |= _in_torch(xml, frames[: size.batch_gpu], device, size.compiled, absent)
                bar.advance(1)
            difference = _difference(ways)
        with progress("energies", len(ways) * (size.repeats + 1), "repeats") as bar:
            timings = interleave({n: w.work for n, w in ways.items()}, size.repeats, bar, device)
    rates = {name: timings[name].record(way.configurations) for name, way in ways.items()}
    beside = rates[REFERENCE]["rate_median"] if REFERENCE in rates else None
    records, rows = [], []
    for name, rate in rates.items():
        ratio = rate["rate_median"] / beside if beside else None
        number = ways[name].configurations
        about = {"way": name, "configurations": number, "unit": "configurations/s"}
        found = {"ratio_to_reference": ratio, "largest_energy_difference_eV": difference[name]}
        records.append({"measure": "energies and forces", **about, **rate, **found})
        span = f"{rate['rate_low']:,.0f} to {rate['rate_high']:,.0f}"
        each = 1e6 / rate["rate_median"]
        rows.append(
            (name, f"{number:,}", f"{rate['rate_median']:,.0f}", span, f"{each:,.3g}",
             f"{ratio:.3g} ×" if ratio else "–", f"{difference[name]:.0e}")
        )  # fmt: skip
    header = ("WAY", "AT ONCE", "CONFIGURATIONS/S (median)", "RANGE", "µs EACH", "RATIO", "LARGEST |ΔU| (eV)")
    note = "Energy and forces of each configuration, on one thread of the CPU. " + _note(ways, absent)
    return records, Table(f"Energies and forces of {data.name}", header, rows, note)


def _note(ways: dict[str, Way], absent: list[str]) -> str:
    base = REFERENCE if REFERENCE in ways else "float64 in torch"
    return " ".join([f"Ratios are to OpenMM's Reference platform; ΔU to {base}.", *absent])


def _in_torch(xml: str, frames: np.ndarray, device: str, compiled: bool, absent: list[str]) -> dict[str, Way]:
    """Eager in double and single precision; compiled in single."""
    exact = from_openmm(xml).to(device)
    single = copy.deepcopy(exact).float()
    x = torch.from_numpy(np.asarray(frames, np.float64)).to(device)
    label = "torch" if device == "cpu" else f"torch, {device}"
    ways = {
        f"{label}, float64": Way(partial(_forces, exact, x), len(x)),
        f"{label}, float32": Way(partial(_forces, single, x.float()), len(x)),
    }
    if compiled:
        quick = copy.deepcopy(single)
        if quick.compile_energy(x.float()):
            ways[f"{label}, float32, compiled"] = Way(partial(_forces, quick, x.float()), len(x))
        else:
            absent.append(f"No compiled code on {device}: torch.compile found no compiler that works.")
    return ways


def _forces(potential: MolecularEnergy, x: Tensor) -> np.ndarray:
    return potential.energy_and_forces(x)[0].double().cpu().numpy()


def _in_openmm(xml: str, frames: np.ndarray, absent: list[str]) -> dict[str, Way]:
    try:
        import openmm
    except ImportError:
        absent.append("OpenMM is not installed (pip install 'molzoo[simulate]'): nothing to compare with.")
        return {}
    system = openmm.XmlSerializer.deserialize(xml)
    ways = {}
    for platform in ("Reference", "CPU"):
        context = make_context(system, openmm.VerletIntegrator(0.001), platform)
        ways[f"OpenMM {platform}"] = Way(partial(_one_by_one, context, frames), len(frames))
    return ways


def _one_by_one(context: Any, frames: np.ndarray) -> np.ndarray:
    return np.array([evaluate(context, frame)[0] for frame in frames])


def _difference(ways: dict[str, Way]) -> dict[str, float]:
    """Largest difference of each way's energies from those of Reference, or of float64 in torch."""
    found = {name: way.work() for name, way in ways.items()}
    base = found.get(REFERENCE, next(iter(found.values())))
    worst = {}
    for name, values in found.items():
        shared = min(len(values), len(base))
        worst[name] = float(np.abs(values[:shared] - base[:shared]).max())
        if not worst[name] < 1e-3:  # eV; in single precision 2e-5, and OpenMM's CPU platform alike
            raise RunFailed(f"energies of {name} differ by {worst[name]:.1e} eV")
    return worst


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
