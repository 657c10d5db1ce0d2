"""What any sample of a toy target is compared with: identities of the canonical ensemble."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from zoo import keys
from zoo.analysis.averages import SIGMAS
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.physics.toys import PairPotential

#: Frames whose energies and forces are computed again.
FRAMES = 50


class Sample:
    """A dataset of a toy target, in double precision, with error bars from its independent chains.

    Args:
        dataset: of the entry `target` belongs to.
        target: its potential, with the parameters of the dataset.

    Attributes:
        positions: `[frames, particles, dimensions]`.
        kT: temperature.
        group: `[frames]` number of the chain that a frame comes from; blocks of time stand in for
            chains where a dataset does not tell them apart.
    """

    def __init__(self, dataset: Dataset, target: PairPotential) -> None:
        self.dataset, self.target = dataset, target
        self.positions = np.asarray(dataset.array(keys.POSITIONS), np.float64)[..., : target.dimensions]
        self.kT = float(dataset.temperature or 1.0)
        self.group = _groups(dataset)

    def array(self, name: str) -> np.ndarray | None:
        """Return forces or energies in double precision, None where they are not stored."""
        if name not in self.dataset.arrays:
            return None
        array = np.asarray(self.dataset.array(name), np.float64)
        return array[..., : self.target.dimensions] if array.ndim == 3 else array

    @property
    def r2(self) -> np.ndarray:
        """Squares of all pair distances `[frames, pairs]`."""
        return self.target.square_distances(torch.from_numpy(self.positions)).numpy()

    def mean_and_error(self, values: np.ndarray) -> tuple[float, float]:
        """Mean of `[frames]` and its standard error from the means of the independent chains."""
        count = np.bincount(self.group)
        means = np.bincount(self.group, values) / count
        weight = count / count.sum()
        mean = float(weight @ means)
        spread = weight**2 @ (means - mean) ** 2 * len(count) / max(len(count) - 1, 1)
        return mean, float(np.sqrt(spread))

    def compare(
        self,
        name: str,
        values: np.ndarray | None,
        expected: float,
        source: str,
        unit: str = "",
        error: float = 0.0,
        note: str = "",
    ) -> Check:
        """Compare the mean of `[frames]` with an expected value, known to `error`."""
        text = f"{expected:.6g}" + (f" ± {error:.2g}" if error else "")
        if values is None:
            return Check(name, text, source, None, unit, note="the arrays that this needs are not stored")
        mean, spread = self.mean_and_error(values)
        ok = abs(mean - expected) < SIGMAS * float(np.hypot(spread, error))
        return Check(name, text, source, mean, unit, spread, ok, note)


def _groups(dataset: Dataset) -> np.ndarray:
    """Number frames by (run, chain), without gaps; a run's frames go through its chains in turn."""
    frames = np.arange(len(dataset))
    run = np.asarray(dataset.array(keys.RUN)) if keys.RUN in dataset.arrays else np.zeros(len(frames), int)
    chains = int(dataset.manifest.provenance.get("options", {}).get("chains", 1))
    first = np.searchsorted(run, run)  # frames of one run stand together
    group = np.unique(run * chains + (frames - first) % chains, return_inverse=True)[1]
    return group if group[-1] >= 19 else frames * 20 // len(frames)


def common_checks(sample: Sample, energy: Callable[[np.ndarray], np.ndarray]) -> list[Check]:
    """Run the checks of all toy targets.

    Args:
        sample: to be checked.
        energy: energies `[batch]` of `[batch, particles, dimensions]`, written apart from the
            code that made the sample.
    """
    return [*_recomputed(sample, energy), _centre(sample), *_identities(sample), *_agreement(sample)]


def _recomputed(sample: Sample, energy: Callable[[np.ndarray], np.ndarray]) -> list[Check]:
    chosen = np.unique(np.linspace(0, len(sample.positions) - 1, FRAMES).astype(int))
    x = sample.positions[chosen]
    names = ("energies recomputed, largest difference", "forces recomputed, largest difference")
    note = f"{len(chosen)} frames"
    out = []
    stored, forces = sample.array(keys.ENERGIES), sample.array(keys.FORCES)
    if stored is None:
        out.append(Check(names[0], "< 1e-8", "the published formula", None, "ε", note="not stored"))
    else:
        worst = float(np.abs(energy(x) - stored[chosen]).max())
        out.append(Check(names[0], "< 1e-8", "the published formula", worst, "ε", ok=worst < 1e-8, note=note))
    source = "central differences of the published formula"
    if forces is None:
        return [*out, Check(names[1], "< 1e-5", source, None, note="not stored")]
    slope, h = np.zeros_like(x), 1e-5
    for index in np.ndindex(*x.shape[1:]):
        step = np.zeros(x.shape[1:])
        step[index] = h
        slope[(slice(None), *index)] = (energy(x - step) - energy(x + step)) / (2 * h)
    # relative to each frame's largest force, rounded to float32
    scale = np.abs(slope).max((1, 2), keepdims=True)
    worst = float((np.abs(slope - forces[chosen]) / scale).max())
    return [*out, Check(names[1], "< 1e-5", source, worst, "of the largest", ok=worst < 1e-5, note=note)]


def _centre(sample: Sample) -> Check:
    away = float(np.abs(sample.positions.mean(1)).max())
    return Check(
        "distance of the centre from the origin", "< 1e-6", "samples without a centre of mass", away, "σ",
        ok=away < 1e-6,
    )  # fmt: skip


def _identities(sample: Sample) -> list[Check]:
    """Two thermometers made of positions and forces alone.

    For any field v(x) that does not grow too fast, kT ⟨∇·v⟩ = −⟨v·F⟩ (Hirschfelder, J. Chem. Phys.
    33, 1462 (1960); Jepps, Ayton, Evans, Phys. Rev. E 62, 4757 (2000)). v = x about the centre weighs
    the whole body, v = F the stiffest contacts.
    """
    forces, kT = sample.array(keys.FORCES), sample.kT
    degrees = sample.target.degrees
    virial = ratio = None
    if forces is not None:
        virial = -(sample.positions * forces).sum((1, 2)) / degrees
        square = (forces**2).sum((1, 2))
        bend = sample.target.laplacian(torch.from_numpy(sample.positions)).numpy()
        # linearised about the means, so that runs give the error of the ratio
        ratio = square.mean() / bend.mean() * (1 + square / square.mean() - bend / bend.mean())
    return [
        sample.compare(
            f"temperature of the virial, −⟨x·F⟩ / {degrees}", virial, kT,
            "virial theorem, D (N − 1) degrees of freedom", "ε",
        ),
        sample.compare(
            "temperature of the configurations, ⟨F²⟩ / ⟨∇²U⟩", ratio, kT, "hypervirial theorem", "ε",
        ),
    ]  # fmt: skip


def _agreement(sample: Sample) -> list[Check]:
    """Whether chains that started apart tell the same: R̂ of Gelman and Rubin (Stat. Sci. 7, 457 (1992)).

    From variances of chain means and within chains, without the bias of short chains: for frames
    that are independent R̂ = 1 on average however short the chains are.
    """
    radius = (sample.positions**2).mean((1, 2))
    source = "Gelman and Rubin, over independent chains"
    count = np.bincount(sample.group)
    checks = []
    for what, values in (("energy", sample.array(keys.ENERGIES)), ("radius of gyration, squared", radius)):
        name = f"R̂ of the {what}"
        if values is None or count.min() < 2:
            note = "not stored" if values is None else "chains of one frame"
            checks.append(Check(name, "< 1.1", source, None, note=note))
            continue
        mean = np.bincount(sample.group, values) / count
        square = np.bincount(sample.group, (values - mean[sample.group]) ** 2)
        within = square.sum() / (len(values) - len(count))
        between = mean.var(ddof=1) - within * (1 / count).mean()
        reduction = float(np.sqrt(max(0.0, 1 + between / within)))
        note = f"{len(count)} chains of about {count.mean():.3g} frames"
        checks.append(Check(name, "< 1.1", source, reduction, ok=reduction < 1.1, note=note))
    return checks
