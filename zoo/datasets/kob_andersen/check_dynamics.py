"""Propensities, cages and hops of a mixture."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.analysis.glass import HOP
from zoo.data.ceiling import noise_ceiling
from zoo.data.entry import Check
from zoo.datasets.kob_andersen.check_relaxation import relaxation
from zoo.datasets.kob_andersen.subject import Subject


def dynamics(subject: Subject) -> list[Check]:
    """Compare propensities, τα, ageing, cage positions and p_hop."""
    checks = []
    if subject.has(keys.TARGETS):
        checks += _propensity(subject)
    if subject.has(keys.CLONES):
        checks += [*_ceilings(subject), *relaxation(subject)]
    if subject.has(keys.CAGE):
        checks += _cages(subject)
    if subject.has(keys.P_HOP, keys.REARRANGES):
        checks += _hops(subject)
    return checks


def _propensity(subject: Subject) -> list[Check]:
    targets = np.asarray(subject.dataset.arrays[keys.TARGETS], np.float64)
    types, times = subject.types, subject.dataset.target_times
    a = targets[:, types == 0].mean((0, 1))
    out = []
    if subject.mixture.dimensions == 3:
        b = targets[:, types == 1].mean((0, 1))
        out.append(
            Check(
                "B moves farther than A at the last time, ratio",
                "> 1",
                "Kob, Andersen 1995",
                float(b[-1] / a[-1]),
                ok=b[-1] > a[-1],
            )
        )
    if len(a) > 1 and len(times) == len(a):
        out.append(
            Check(
                "mean propensity of A grows with time, smallest step",
                # In its cage a particle swings back: |Δr| may fall by a part of the cage's 0.1 σ.
                "> -0.02, and > 0 from first to last",
                "|Δr| grows",
                float(np.diff(a).min()),
                unit="σ",
                ok=np.diff(a).min() > -0.02 and a[-1] > a[0],
            )
        )
    if subject.has(keys.CLONES):
        worst = max(
            float(np.abs(np.asarray(c, np.float64).mean(1).T - t).max())
            for c, t in zip(subject.dataset.arrays[keys.CLONES], targets, strict=True)
        )
        # Displacements are kept in float16: 5e-4 of |Δr|, a few σ at most.
        out.append(
            Check(
                "propensity minus mean over clones",
                "< 5e-3",
                "its definition",
                worst,
                unit="σ",
                ok=worst < 5e-3,
            )
        )
    return out


def _ceilings(subject: Subject) -> list[Check]:
    out = []
    ceilings = noise_ceiling(np.asarray(subject.dataset.arrays[keys.CLONES]), subject.types)
    for values, name in zip(ceilings.get(0, ()), ("mean", "pooled"), strict=False):
        out.append(
            Check(
                f"noise ceiling for A, {name}, lowest over times",
                "> 0.5, or clones are too few",
                "Spearman-Brown over halves of the clones",
                float(values.min()),
                ok=values.min() > 0.5,
                note=", ".join(f"{v:.3f}" for v in values),
            )
        )
    return out


def _cages(subject: Subject) -> list[Check]:
    """Does the way to the cage's middle tell how far a particle will move while it rattles?"""
    if not subject.has(keys.TARGETS) or not subject.dataset.target_times:
        return []
    times = np.array(subject.dataset.target_times)
    a = subject.types == 0
    way = subject.separation(subject.positions(subject.frames), subject.positions(subject.frames, keys.CAGE))[
        :, a
    ]
    targets = subject.dataset.array(keys.TARGETS, subject.frames)[:, a].astype(np.float64)
    best = max(_pearson(way, targets[..., k]) for k in range(len(times)))
    note = ", ".join(f"t = {t:g}: {_pearson(way, targets[..., k]):.3f}" for k, t in enumerate(times))
    checks = [
        Check(
            "correlation of A's way to its cage position with its propensity, best time",
            "> 0.3",
            "Alkemade, Smallenburg, Filion 2023: cages tell the motion of the caging regime",
            best,
            ok=best > 0.3,
            note=note,
        )
    ]
    if subject.has(keys.INHERENT):
        inherent = subject.separation(
            subject.positions(subject.frames), subject.positions(subject.frames, keys.INHERENT)
        )[:, a]
        gain = best - max(_pearson(inherent, targets[..., k]) for k in range(len(times)))
        checks.append(
            Check(
                "the same, more than of its way to its inherent position",
                "> 0",
                "Alkemade, Smallenburg, Filion 2023",
                gain,
                ok=gain > 0,
            )
        )
    return checks


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Correlation over the particles of one configuration, averaged over configurations."""
    x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    spread = np.sqrt((x**2).sum(1) * (y**2).sum(1))
    return float(np.mean((x * y).sum(1) / np.maximum(spread, 1e-300)))


def _hops(subject: Subject) -> list[Check]:
    """Are the labels those of p_hop, and does mobility gather where the propensity is high?"""
    hop = subject.dataset.array(keys.P_HOP).astype(np.float64)
    label = subject.dataset.array(keys.REARRANGES)
    share, quiet = float((label == 1).mean()), float((label == 0).mean())
    checks = [
        Check(
            "particles that rearrange have p_hop > 0.2, the others do not",
            "0 exceptions",
            "Schoenholz et al. 2016",
            float(((hop > HOP) != (label == 1)).sum()),
            ok=np.array_equal(hop > HOP, label == 1),
            note=f"{share:.1%} rearrange, {quiet:.1%} rest long",
        )
    ]
    if subject.has(keys.TARGETS):
        a = subject.types == 0
        last = subject.dataset.array(keys.TARGETS)[:, a, -1].astype(np.float64)
        jumps, rests = (last[label[:, a] == kind] for kind in (1, 0))
        if len(jumps) > 20 and len(rests) > 20:
            error = float(np.hypot(jumps.std() / len(jumps) ** 0.5, rests.std() / len(rests) ** 0.5))
            checks.append(
                Check(
                    "propensity at the last time of A that rearrange over A that rest, difference",
                    "> 0 by 3 standard errors",
                    "structure tells both: Schoenholz et al. 2016",
                    float(jumps.mean() - rests.mean()),
                    unit="σ",
                    error=error,
                    ok=jumps.mean() - rests.mean() > 3 * error,
                )
            )
    return checks
