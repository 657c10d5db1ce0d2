"""Scores of a density, from its predictions alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo import keys
from zoo.analysis.basins import Members, molecular_basins, pair_basins, trans
from zoo.analysis.histograms import ramachandran_divergence, torsion_divergences
from zoo.analysis.mode_drop import Verdict, verdict
from zoo.analysis.peptides import named_torsions, torsion_planes
from zoo.analysis.populations import Population, populations, stated_populations
from zoo.analysis.shapes import compare_shapes
from zoo.analysis.weights import clipped, log_weights, normalised, over_reference, weight_scores
from zoo.data.dataset import Frames
from zoo.physics.toys import DoubleWells
from zoo.tasks.base import Predictions
from zoo.tasks.metrics import Metric, metric

#: Length below which particles touch: Cα of residues (Å), beads (σ).
CONTACT = {"ase": 8.0, "lj": 1.5}


def scores(predictions: Predictions, frames: Frames) -> dict[str, Metric]:
    """Return all that can be said of a density, keys as in the contract.

    `ess` (Kish, all weights) with its error over ten blocks, `ess_clipped`, `elbo`, `eubo`, `log_z` where
    there are energies, in nats; `nll` of the reference frames; `ramachandran_kl` and `_tv` raw and
    reweighted beside their floors; `torsion_js`; of what has no torsions by name Wasserstein distances of
    size, contacts and bonds, each beside that of the reference's halves; `basins` with shares, errors
    and judgements; `mode_drop`, the verdict in words; `energy_evaluations` of training.
    """
    run = _run(frames)
    out: dict[str, Metric] = {}
    weights = None
    if np.isfinite(predictions["kT"][0]):
        weights = _of_weights(predictions, run, out)
    nll = over_reference(-predictions["reference_log_prob"], run)
    if weights is None:
        out["log_likelihood"] = metric(-nll[0], "nats", nll[1])
    out["nll"] = metric(nll[0], "nats", nll[1])
    if weights is not None:
        out["energy_evaluations"] = metric(float(predictions["evaluations"][0]), "1")
    names = list(named_torsions(frames.dataset.system))
    if names:
        _of_torsions(predictions, frames, names, weights, run, out)
    else:
        _of_shapes(predictions, frames, out)
    members = basin_members(predictions, frames)
    if members is not None:
        found = judged(predictions, frames, weights)
        out["basins"] = {"value": basin_table(found), "unit": "share"}
        out["mode_drop"] = {"value": found.status, "unit": "1"}
        if found.notes:
            out["mode_drop"]["notes"] = found.notes
    return out


def judged(predictions: Predictions, frames: Frames, weights: np.ndarray | None) -> Verdict:
    """Return the verdict on every basin, against stated populations where the dataset states them."""
    names = list(named_torsions(frames.dataset.system))
    both = basin_members(predictions, frames)
    assert both is not None
    model, reference = both
    if weights is not None:  # positions, in which toys' basins are seen, are kept of the first draws alone
        weights = weights[: len(next(iter(model.values())))]
    among = trans(names, predictions["torsions"]) if names else None
    reference_among = trans(names, predictions["reference_torsions"]) if names else None
    raw = populations(model, among)
    weighted = None if weights is None else populations(model, among, weights)
    known = populations(reference, reference_among, _frame_weights(frames), _run(frames))
    known |= {k: v for k, v in stated_populations(frames.dataset.manifest.provenance).items() if k in known}
    return verdict(raw, weighted, known)


def basin_members(predictions: Predictions, frames: Frames) -> tuple[Members, Members] | None:
    """Membership of draws and of reference frames in each basin; None where there are no basins."""
    system = frames.dataset.system
    names = list(named_torsions(system))
    if names:
        found = molecular_basins(names, predictions["torsions"].astype(np.float64))
        if not found:
            return None
        return found, molecular_basins(names, predictions["reference_torsions"].astype(np.float64))
    if system.parameters.get("potential") == DoubleWells.formula:
        kept = pair_basins(predictions["positions"])
        return kept, pair_basins(frames.array(keys.POSITIONS))
    return None


def draw_weights(predictions: Predictions) -> np.ndarray | None:
    """Clipped weights `[n]` of the draws, mean 1 before the clip; None without energies."""
    kT = float(predictions["kT"][0])
    if not np.isfinite(kT):
        return None
    log_w = log_weights(predictions["energy"], predictions["log_volume"], predictions["log_prob"], kT)
    return clipped(normalised(log_w))


def basin_table(found: Verdict) -> dict[str, Any]:
    """Plain record of each basin."""
    table = {}
    for f in found.findings:
        shares: dict[str, Population | None] = {
            "reference": f.reference,
            "raw": f.raw,
            "reweighted": f.reweighted,
        }
        table[f.basin] = {name: [p.share, p.error] for name, p in shares.items() if p is not None} | {
            "judgement": f.worst
        }
        if f.reweighted is not None or f.raw is not None:
            value, error = f.free_energy_error
            table[f.basin]["free_energy_error_kT"] = [value, error]
    return table


def _of_weights(predictions: Predictions, run: np.ndarray | None, out: dict[str, Metric]) -> np.ndarray:
    kT = float(predictions["kT"][0])
    log_w = log_weights(predictions["energy"], predictions["log_volume"], predictions["log_prob"], kT)
    found = weight_scores(log_w)
    out["ess"] = metric(found.ess, "1", found.ess_error)
    out["ess_clipped"] = metric(found.ess_clipped, "1")
    out["largest_weight"] = metric(found.largest, "1")
    out["elbo"] = metric(found.elbo, "nats", found.elbo_error)
    reference = log_weights(
        predictions["reference_energy"],
        predictions["reference_log_volume"],
        predictions["reference_log_prob"],
        kT,
    )
    eubo = over_reference(reference, run)
    out["eubo"] = metric(eubo[0], "nats", eubo[1])
    out["log_z"] = metric(found.log_z, "nats", found.log_z_error)
    out["outside"] = metric(found.outside, "1")
    return clipped(normalised(log_w))


def _of_torsions(
    predictions: Predictions, frames: Frames, names: list[str], weights: np.ndarray | None,
    run: np.ndarray | None, out: dict[str, Metric],
) -> None:  # fmt: skip
    model, reference = predictions["torsions"], predictions["reference_torsions"]
    own = _frame_weights(frames)
    planes = torsion_planes(names)
    for label, w in (("", None), ("_reweighted", weights)):
        if label and w is None:
            continue
        found = [
            ramachandran_divergence(reference[:, p], model[:, p], w, reference_weights=own)
            for p in planes.values()
        ]
        if found:
            out[f"ramachandran_kl{label}"] = (
                metric([d.kl for d in found], "nats") if len(found) > 1 else metric(found[0].kl, "nats")
            )
            out[f"ramachandran_tv{label}"] = (
                metric([d.tv for d in found], "1") if len(found) > 1 else metric(found[0].tv, "1")
            )
            if not label or weights is not None:
                out[f"ramachandran_kl_floor{label}"] = metric(
                    float(np.mean([d.kl_floor for d in found])), "nats"
                )
        out[f"torsion_js{label}"] = metric(
            float(torsion_divergences(reference, model, w, reference_weights=own).mean()), "nats"
        )


def _of_shapes(predictions: Predictions, frames: Frames, out: dict[str, Metric]) -> None:
    """Size, contacts and bonds of what has no torsions by name: polymers, chains of Cα, clusters."""
    system, units = frames.dataset.system, frames.dataset.units
    found = compare_shapes(
        predictions["positions"], frames.array(keys.POSITIONS), system.bonds, CONTACT[units.name],
        _frame_weights(frames),
    )  # fmt: skip
    for name, compared in found.items():
        unit = "1" if name == "contacts" else units.length
        out[f"{name}_distance"] = metric(compared.distance, unit)
        out[f"{name}_distance_floor"] = metric(compared.floor, unit)


def _run(frames: Frames) -> np.ndarray | None:
    return frames.array(keys.RUN) if keys.RUN in frames.dataset.arrays else None


def _frame_weights(frames: Frames) -> np.ndarray | None:
    return frames.array(keys.WEIGHTS) if keys.WEIGHTS in frames.dataset.arrays else None
