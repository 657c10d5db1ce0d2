"""What is wrong with conformations, in words."""

from __future__ import annotations

import numpy as np

from zoo.analysis.block_shares import populations_of, state_counts
from zoo.analysis.convergence import scale_reduction, seen_once
from zoo.analysis.flags import Flag
from zoo.analysis.mode_drop import Finding, verdict
from zoo.analysis.populations import Population, stated_populations
from zoo.tasks.metrics import metric
from zoo.verbs.inside.conformations.found import Found
from zoo.verbs.inside.conformations.groups import members
from zoo.verbs.inside.conformations.sample import Sample

#: Variance of the subject over the reference's below which it has collapsed.
COLLAPSED = 0.1
#: R̂ above which runs disagree.
DISAGREE = 1.1
#: States that are told one by one.
TOLD = 4
#: Runs that must come into a state, and leave it, for its share to be known.
FEW = 3
#: Share of counts outside of the largest connected set that is told.
DISCONNECTED = 0.02
#: Places where the reference never is: told beyond this share, and this many times what chance gives.
OUTSIDE, TIMES = 0.05, 3.0


def flags(found: Found, provenance: dict) -> None:
    """Add flags of both kinds of trouble: beside the reference, and of the runs among themselves.

    Args:
        found: the look.
        provenance: of the reference data, which may state populations.
    """
    out = found.record.flags
    out += found.own.flags
    if found.other is not None:
        out += _collapse(found)
        out += _mode_drop(found, provenance)
        out += _outside(found)
    out += _not_sampled(found)


def _collapse(found: Found) -> list[Flag]:
    out = []
    space = found.space
    if space is not None and space.other is not None:
        ratio = float(space.own.var(0).sum() / max(float(space.other.var(0).sum()), 1e-300))
        found.record.numbers["spread"] = metric(ratio, "1")
        if ratio < COLLAPSED:
            out.append(
                Flag(
                    "collapse",
                    f"conformations are nearly one and the same: their variance in {space.kind} coordinates "
                    f"is {ratio:.2g} of the reference's. Look whether the latent has collapsed, or the loss "
                    "rewards one mode (reverse KL without annealing)",
                )
            )
    return out


def _mode_drop(found: Found, provenance: dict) -> list[Flag]:
    other = found.other
    assert other is not None
    named = members(found.own)
    if named:
        raw = _of_members(named, found.own)
        known = _of_members(members(other), other)
        known |= {k: v for k, v in stated_populations(provenance).items() if k in known}
        judged = verdict(raw, None, known)
    else:
        mine, theirs = found.states.get("cluster", (None, None))
        if mine is None or theirs is None:
            return []
        number = int(max(mine.max(), theirs.max())) + 1
        both = [
            populations_of(state_counts(labels, sample.blocks, number, sample.weights))
            for labels, sample in ((mine, found.own), (theirs, other))
        ]
        keys = [f"cluster {i + 1}" for i in range(number)]
        judged = verdict(dict(zip(keys, both[0], strict=True)), None, dict(zip(keys, both[1], strict=True)))
    found.record.facts["basins"] = {
        f.basin: {"reference": [f.reference.share, f.reference.error], "own": [f.raw.share, f.raw.error],
                  "judgement": f.judgement}
        for f in judged.findings
    }  # fmt: skip
    found.record.facts["mode_drop"] = judged.status
    bad = [f for f in judged.findings if f.judgement in ("missing", "starved")]
    if not bad:
        return []
    return [
        Flag(
            "mode drop",
            f"{'; '.join(_told(f) for f in bad)}. More draws will not mend it; train with data of these "
            "states, at a higher temperature first, or with a mass-covering loss",
        )
    ]


def _told(f: Finding) -> str:
    return (
        f"{f.basin} is {f.judgement}: {100 * f.raw.share:.2g} % of the conformations, "
        f"{100 * f.reference.share:.2g} ± {100 * f.reference.error:.1g} % of the reference's"
    )


def _of_members(named: dict[str, np.ndarray], sample: Sample) -> dict[str, Population]:
    out = {}
    for name, member in named.items():
        counts = state_counts(np.where(member, 0, 1), sample.blocks, 2, sample.weights)
        out[name] = populations_of(counts)[0]
    return out


def _outside(found: Found) -> list[Flag]:
    planes = found.record.facts.get("planes", [])
    if not planes or "outside" not in planes[0]:
        return []
    first = planes[0]
    if first["outside"] < max(OUTSIDE, TIMES * first["outside_floor"], 3 * first["outside_error"]):
        return []
    return [
        Flag(
            "outside",
            f"{100 * first['outside']:.2g} % of the conformations are where the reference never is in "
            f"{' and '.join(first['names'])} (chance: {100 * first['outside_floor']:.2g} %)",
        )
    ]


def _seen_once(found: Found, run: np.ndarray) -> list[str]:
    """States in one run alone, the largest first: named ones, or clusters where nothing has a name."""
    numbered = ("cluster", "metastable set")
    named = {name: mine for name, (mine, _) in found.states.items() if name not in numbered}
    once = []
    for name, mine in (named or {k: found.states[k][0] for k in numbered if k in found.states}).items():
        for state, share in seen_once(mine, run):
            once.append((share, name if named else f"{name} {state + 1}"))
    once.sort(reverse=True)
    told = [f"{label} ({100 * share:.2g} % of frames)" for share, label in once[:TOLD]]
    return told + ([f"and {len(once) - TOLD} more"] if len(once) > TOLD else [])


def _not_sampled(found: Found) -> list[Flag]:
    own, out = found.own, []
    if own.run is None or len(np.unique(own.run)) < 2:
        return []
    once = _seen_once(found, own.run)
    if once:
        out.append(
            Flag(
                "not sampled",
                f"seen in one of {len(np.unique(own.run))} runs alone: {', '.join(once)}. Its share is not "
                "known: run longer, or with replica exchange",
            )
        )
    if found.space is not None:
        rhat = scale_reduction(found.space.own[:, 0], own.run)
        if np.isfinite(rhat):
            found.record.numbers["rhat"] = metric(rhat, "1")
        if rhat > DISAGREE:
            out.append(
                Flag(
                    "not sampled",
                    f"runs disagree: R̂ of {found.space.names[0]} is {rhat:.3g} (1 where all runs have seen "
                    "the same). Shares of slow states depend on where the runs began",
                )
            )
    crossed = found.record.arrays.get("set_crossings")
    rare = [] if crossed is None else [k for k in range(1, len(crossed)) if crossed[k].min() < FEW]
    if rare and crossed is not None:
        text = "; ".join(
            f"metastable set {k + 1} is entered in {crossed[k, 0]}, left in {crossed[k, 1]}" for k in rare
        )
        out.append(
            Flag(
                "not sampled",
                f"of {len(np.unique(own.run))} runs {text}. Its share at equilibrium and the time scales "
                "hang on these few: run longer",
            )
        )
    connected = found.record.numbers.get("connected")
    if connected is not None and connected["value"] < 1 - DISCONNECTED:
        out.append(
            Flag(
                "not sampled",
                f"{100 * (1 - connected['value']):.2g} % of the transitions are between states that are left "
                "and never come back to: the Markov model does not hold there",
            )
        )
    return out
