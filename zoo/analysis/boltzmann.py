"""A model's draws beside reference frames: everything that scores and pictures are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from zoo.analysis.basins import Members, molecular_basins, pair_basins, trans
from zoo.analysis.histograms import Divergence, ramachandran_divergence, torsion_divergences
from zoo.analysis.mode_drop import Verdict, verdict
from zoo.analysis.peptides import torsion_planes
from zoo.analysis.populations import Population, populations, stated_populations
from zoo.analysis.weights import WeightScores, log_weights, normalised, over_reference, weight_scores


@dataclass(frozen=True)
class Comparison:
    """Draws and reference of one run, read from its predictions.

    Args:
        arrays: `log_prob [n]`, and where they exist `energy [n]`, `log_volume [n]`, `torsions [n, T]`,
            `positions [k, particles, 3]`; the same of the reference frames with `reference_` before.
        kT: in the unit of the energies; None where none is known.
        names: of the torsions, as `zoo.analysis.peptides.named_torsions` has them.
        run: `[m]` independent run of each reference frame; None: frames are independent.
        provenance: of the dataset, whose own precise populations take the place of counted ones.
        inner: DW4's barrier: pairs below it are counted as basins; None elsewhere.
        reference_positions: `[m, particles, 3]`, needed with `inner` alone.
    """

    arrays: Mapping[str, np.ndarray]
    kT: float | None
    names: Sequence[str] = ()
    run: np.ndarray | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    inner: float | None = None
    reference_positions: np.ndarray | None = None

    @cached_property
    def log_weights(self) -> np.ndarray | None:
        """log p̃/q of the draws `[n]`, or None without energies."""
        return self._log_weights("")

    @cached_property
    def reference_log_weights(self) -> np.ndarray | None:
        """The same of the reference frames `[m]`; +∞ where the model's density is 0."""
        return self._log_weights("reference_")

    @cached_property
    def weights(self) -> np.ndarray | None:
        """Importance weights of the draws `[n]` with mean 1, or None without energies."""
        return None if self.log_weights is None else normalised(self.log_weights)

    def _log_weights(self, prefix: str) -> np.ndarray | None:
        energy, density = self.arrays.get(f"{prefix}energy"), self.arrays.get(f"{prefix}log_prob")
        if energy is None or density is None or self.kT is None or not len(energy):
            return None
        return log_weights(energy, self.arrays.get(f"{prefix}log_volume", 0.0), density, self.kT)

    def weight_scores(self) -> WeightScores | None:
        """ESS, ELBO and log Z; None without energies."""
        return None if self.log_weights is None else weight_scores(self.log_weights)

    def eubo(self) -> tuple[float, float, float] | None:
        """Mean log weight of the reference, its error, and the share left out; None without energies."""
        values = self.reference_log_weights
        return None if values is None else over_reference(values, self.run)

    def nll(self) -> tuple[float, float, float] | None:
        """Mean −log q of the reference, its error, and the share left out; None without reference."""
        values = self.arrays.get("reference_log_prob")
        return over_reference(-values, self.run) if values is not None and len(values) else None

    # --- torsions -----------------------------------------------------------------------------

    @property
    def has_torsions(self) -> bool:
        """Whether both sides have torsions that bear names."""
        return bool(self.names) and all(
            len(self.arrays.get(k, ())) for k in ("torsions", "reference_torsions")
        )

    def planes(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """(φ, ψ) `[n, 2]` of the draws and `[m, 2]` of the reference, for each residue."""
        if not self.has_torsions:
            return {}
        model, reference = self.arrays["torsions"], self.arrays["reference_torsions"]
        return {
            residue: (model[:, list(pair)], reference[:, list(pair)])
            for residue, pair in torsion_planes(self.names).items()
        }

    def ramachandran(self, bins: int = 64, weighted: bool = True) -> dict[str, Divergence]:
        """Divergence of each residue's (φ, ψ); empty without torsions."""
        w = self.weights if weighted else None
        return {
            residue: ramachandran_divergence(reference, model, w, bins)
            for residue, (model, reference) in self.planes().items()
        }

    def torsion_divergences(self, weighted: bool = True) -> dict[str, float]:
        """Jensen-Shannon divergence of each torsion's marginal, nats; empty without torsions."""
        if not self.has_torsions:
            return {}
        w = self.weights if weighted else None
        found = torsion_divergences(self.arrays["reference_torsions"], self.arrays["torsions"], w)
        return dict(zip(self.names, found.tolist(), strict=True))

    # --- basins -------------------------------------------------------------------------------

    @cached_property
    def _members(self) -> tuple[Members, np.ndarray | None, Members, np.ndarray | None]:
        """Basins of draws and of the reference, each with the frames that count."""
        if self.has_torsions:
            out: list[Any] = []
            for key in ("torsions", "reference_torsions"):
                angles = self.arrays[key]
                out += [molecular_basins(self.names, angles), trans(self.names, angles)]
            return out[0], out[1], out[2], out[3]
        positions = self.arrays.get("positions", np.zeros((0, 0, 3)))
        if self.inner is None or self.reference_positions is None or not len(positions):
            return {}, None, {}, None
        return (
            pair_basins(positions, self.inner),
            None,
            pair_basins(self.reference_positions, self.inner),
            None,
        )

    @cached_property
    def raw(self) -> dict[str, Population]:
        """Populations of the draws as they come; empty where no basins are known."""
        members, among, *_ = self._members
        return populations(members, among)

    @cached_property
    def reweighted(self) -> dict[str, Population] | None:
        """Populations with importance weights; None without energies."""
        members, among, *_ = self._members
        if self.weights is None:
            return None
        size = len(next(iter(members.values()), ()))
        return populations(members, among, self.weights[:size])

    @cached_property
    def reference(self) -> dict[str, Population]:
        """Populations of the reference: the dataset's stated ones, else those of the frames."""
        *_, members, among = self._members
        counted = populations(members, among, run=self.run)
        stated = stated_populations(self.provenance)
        return {name: stated.get(name, own) for name, own in counted.items()}

    def verdict(self) -> Verdict:
        """Which basins are missing or starved."""
        return verdict(self.raw, self.reweighted, self.reference)
