"""Which basins a model misses, told from the noise of its draws and of the reference.

ESS does not see a basin that a model never draws; a share beside its reference does. Two tests at one
level, raw and reweighted, each of shares that are ratios of (effective) Poisson counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import beta

from zoo.analysis.basins import is_cis
from zoo.analysis.populations import Population, free_energy_error

Judgement = Literal["missing", "starved", "present", "unseen", "not judged"]

#: Chance of any false alarm in a whole verdict, shared by all of its tests.
FALSE_ALARMS = 0.01
#: Below this share of the reference's a basin is missing; below the next, starved: raw, reweighted.
MISSING, STARVED, STARVED_REWEIGHTED = 0.1, 0.5, 0.8
#: More basins than these are counted, not listed, where draws are too few.
MOST_TOLD = 4


@dataclass(frozen=True)
class Finding:
    """One basin.

    Args:
        basin: name.
        reference, raw, reweighted: its shares; `reweighted` None for a model without weights.
        judgement, judgement_reweighted: "missing" or "starved": significantly below the reference, and less
            than a tenth or a half (reweighted: 0.8) of it. "unseen": too few draws to miss it. "not
            judged": cis states, whose reference is seldom at equilibrium, and those it does not have.
        bound, bound_reweighted: upper confidence bound of the share over the reference's.
    """

    basin: str
    reference: Population
    raw: Population
    reweighted: Population | None
    judgement: Judgement
    judgement_reweighted: Judgement
    bound: float
    bound_reweighted: float

    @property
    def worst(self) -> Judgement:
        """The graver of the two judgements."""
        both = (self.judgement, self.judgement_reweighted)
        order: tuple[Judgement, ...] = ("missing", "starved", "unseen", "present", "not judged")
        return min(both, key=order.index)

    @property
    def free_energy_error(self) -> tuple[float, float]:
        """Error of the basin's free energy in kT, reweighted where there are weights; standard error."""
        return free_energy_error(self.reweighted or self.raw, self.reference)


@dataclass(frozen=True)
class Verdict:
    """All findings of a model, and the sum of them."""

    findings: list[Finding]

    @property
    def status(self) -> str:
        """`all basins`, `missing: αL`, `starved: αL, C7ax`, `missing: αL; starved: C7ax`."""
        return self._status([f.worst for f in self.findings])

    @property
    def status_raw(self) -> str:
        """The same of the draws as they come."""
        return self._status([f.judgement for f in self.findings])

    @property
    def status_reweighted(self) -> str:
        """The same after reweighting."""
        return self._status([f.judgement_reweighted for f in self.findings])

    @property
    def complete(self) -> bool:
        """Whether no basin is missing or starved."""
        return not any(f.worst in ("missing", "starved") for f in self.findings)

    @property
    def notes(self) -> list[str]:
        """What could not be judged, one sentence each."""
        out = []
        for f in self.findings:
            size = f"{f.reference.share:.2g}" if f.reference.share else ""
            if f.judgement == "unseen":
                out.append(f"{f.raw.effective:,.0f} draws cannot see {f.basin}, a share of {size}")
            elif f.judgement_reweighted == "unseen" and f.reweighted is not None:
                out.append(
                    f"{f.reweighted.effective:,.0f} effective draws of the weights cannot see {f.basin}, "
                    f"a share of {size}"
                )
        return out

    def _status(self, judgements: list[Judgement]) -> str:
        names: dict[str, list[str]] = {"missing": [], "starved": [], "unseen": []}
        judged = 0
        for finding, judgement in zip(self.findings, judgements, strict=True):
            judged += judgement != "not judged"
            if judgement in names:
                names[judgement].append(finding.basin)
        if not judged:
            return "not judged"
        bad = [f"{word}: {', '.join(names[word])}" for word in ("missing", "starved") if names[word]]
        blind = names["unseen"]
        told = ", ".join(blind) if len(blind) <= MOST_TOLD else f"{len(blind)} of {judged} basins"
        unseen = f" (too few draws for {told})" if blind else ""
        return ("; ".join(bad) or "all basins") + unseen


def verdict(
    raw: Mapping[str, Population],
    reweighted: Mapping[str, Population] | None,
    reference: Mapping[str, Population],
) -> Verdict:
    """Judge every basin of the reference that the model's shares are given of.

    A share p below a reference q is told from chance by the bound on p/q of two Poisson counts
    (conditional binomial, Clopper and Pearson; Krishnamoorthy, Thomson, 2004), the counts being those
    that would know the shares as well as their standard errors say. The level is Bonferroni's for one
    false alarm in a hundred verdicts. A basin is judged only where the complete lack of it would be seen.

    Args:
        raw: shares of the model's own draws.
        reweighted: shares with importance weights, or None.
        reference: shares of the data, or stated ones.
    """
    names = [name for name in reference if name in raw]
    judged = [n for n in names if not is_cis(n) and reference[n].share > 0]
    level = FALSE_ALARMS / max(len(judged) * (1 if reweighted is None else 2), 1)
    findings = []
    for name in names:
        own, weighted = raw[name], None if reweighted is None else reweighted[name]
        if name not in judged:
            findings.append(
                Finding(name, reference[name], own, weighted, "not judged", "not judged", np.nan, np.nan)
            )
            continue
        first = _judge(own, reference[name], level, STARVED)
        second: tuple[Judgement, float] = ("not judged", np.nan)
        if weighted is not None:
            second = _judge(weighted, reference[name], level, STARVED_REWEIGHTED)
        findings.append(
            Finding(name, reference[name], own, weighted, first[0], second[0], first[1], second[1])
        )
    return Verdict(findings)


def _judge(found: Population, reference: Population, level: float, starved: float) -> tuple[Judgement, float]:
    if not found.effective > 0:
        return "unseen", np.inf
    bound = ratio_bound(found.events, found.effective, reference, level)
    ratio = found.share / reference.share
    if bound < 1 and ratio < starved:
        return ("missing" if ratio < MISSING else "starved"), bound
    if ratio < starved and ratio_bound(0.0, found.effective, reference, level) >= 1:
        return "unseen", bound
    return "present", bound


def ratio_bound(events: float, draws: float, reference: Population, level: float) -> float:
    """Return the upper confidence bound of (events / draws) / reference share.

    Args:
        events, draws: effective numbers of members and of draws.
        reference: its share is positive.
        level: chance that the true ratio is above.
    """
    share = float(beta.ppf(1 - level, events + 1, max(reference.events, 1e-9)))
    return share / max(1 - share, 1e-300) * reference.effective / draws
