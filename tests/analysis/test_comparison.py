"""A Comparison of draws and reference: torsions that are drawn from a known density."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.boltzmann import Comparison

NAMES = ["φ", "ψ", "ω 1", "ω 2"]
KT = 0.5


def energy(x: np.ndarray) -> np.ndarray:
    """Unit of kT: wells of φ on both sides of 0, ω in trans."""
    return KT * (1.5 * np.cos(x[:, 0]) - np.cos(x[:, 1]) + 4 * np.cos(x[:, 2:]).sum(1))


def exact(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.vonmises(m, k, n) for m, k in ((np.pi, 1.5), (0, 1), (np.pi, 4), (np.pi, 4))], 1)


def log_z() -> float:
    return 4 * np.log(2 * np.pi) + sum(np.log(np.i0(k)) for k in (1.5, 1.0, 4.0, 4.0))


def compared(n: int = 40_000, cut: bool = False, **more: object) -> Comparison:
    """Uniform draws in φ and ψ, exact ones in ω."""
    rng = np.random.default_rng(0)
    x = exact(n, 1)
    x[:, :2] = rng.uniform(-np.pi, np.pi, (n, 2))
    x[:, 0] = -np.abs(x[:, 0]) if cut else x[:, 0]
    reference = exact(20_000, 2)

    def log_q(y: np.ndarray) -> np.ndarray:
        omega = -4 * np.cos(y[:, 2:]).sum(1) - 2 * np.log(2 * np.pi * np.i0(4.0))
        half = np.where(y[:, 0] < 0, np.log(2), -np.inf) if cut else 0.0
        return omega - 2 * np.log(2 * np.pi) + half

    arrays = {}
    for prefix, y in (("", x), ("reference_", reference)):
        arrays |= {
            f"{prefix}torsions": y, f"{prefix}energy": energy(y),
            f"{prefix}log_prob": log_q(y), f"{prefix}log_volume": np.zeros(len(y)),
        }  # fmt: skip
    return Comparison(arrays, KT, NAMES, **more)  # type: ignore[arg-type]


def test_uniform_draws_with_weights_become_the_reference():
    found = compared()
    scores = found.weight_scores()
    assert scores is not None
    assert scores.log_z == pytest.approx(log_z(), abs=4 * scores.log_z_error)
    mean, error, outside = found.eubo()  # type: ignore[misc]
    assert scores.elbo < scores.log_z < mean and outside == 0 and error < 0.02
    assert found.raw["φ>0"].share == pytest.approx(0.5, abs=0.02)
    assert found.verdict().status_reweighted == "all basins"
    (plane,) = found.ramachandran(bins=16).values()
    (flat,) = found.ramachandran(bins=16, weighted=False).values()
    assert plane.kl < 2 * plane.kl_floor and flat.kl > 20 * flat.kl_floor
    marginals = found.torsion_divergences()
    assert list(marginals) == NAMES and max(marginals.values()) < 0.01


def test_half_of_the_torus_cut_off():
    found = compared(cut=True)
    assert found.verdict().status.startswith("missing") and "φ>0" in found.verdict().status
    assert found.eubo()[2] == pytest.approx(0.5, abs=0.02)  # type: ignore[index]
    assert found.nll()[2] == pytest.approx(0.5, abs=0.02)  # type: ignore[index]


def test_stated_populations_go_before_counted_ones():
    stated = {"statistics": {"populations": {"αL": {"mbar": [0.25, 0.01]}}}}
    found = compared(provenance=stated)
    assert found.reference["αL"].share == 0.25 and found.reference["αL"].count is None
    assert found.reference["C7ax"].count is not None


def test_data_without_energies_show_what_they_can():
    full = compared()
    kept = {k: v for k, v in full.arrays.items() if "energy" not in k and "volume" not in k}
    found = Comparison(kept, None, NAMES)
    assert found.weight_scores() is None and found.eubo() is None and found.reweighted is None
    assert found.nll() is not None and found.raw["φ>0"].share > 0
    assert len(found.ramachandran(bins=8)) == 1
    assert all(f.judgement_reweighted == "not judged" for f in found.verdict().findings)


def test_nothing_but_densities():
    found = Comparison({"log_prob": np.zeros(50), "energy": np.zeros(50)}, 1.0)
    assert found.planes() == {} and found.raw == {} and found.verdict().status == "not judged"
    assert found.reweighted == {} and found.nll() is None and found.weight_scores() is not None


def test_double_wells_have_basins_by_their_pairs():
    rng = np.random.default_rng(7)
    positions = rng.normal(size=(300, 4, 3)) * 2
    arrays = {"positions": positions, "log_prob": np.zeros(500), "energy": np.zeros(500)}
    found = Comparison(arrays, 1.0, inner=4.0, reference_positions=positions[:100])
    assert sum(p.share for p in found.raw.values()) == pytest.approx(1.0)
    assert set(found.reweighted or {}) == {f"{k} inner" for k in range(7)}
