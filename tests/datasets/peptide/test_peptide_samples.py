"""The packaged peptides: weights of all basins, thermometers, and what chemistry says of them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from zoo.data.dataset import Dataset
from zoo.datasets.peptide.entry import SEQUENCES, PeptideEntry
from zoo.datasets.peptide.spec import SPEC

FOLDER = Path(str(files("zoo.datasets.peptide")))


def folder(variant) -> Path:
    return FOLDER / ("sample" + (f"-{variant}" if variant else ""))


#: Those that are packaged.
VARIANTS = [variant for variant in SEQUENCES if folder(variant).exists()]


def sample(variant) -> Dataset:
    return Dataset(folder(variant), verify=True)


def shares(dataset) -> dict:
    return {
        name: share["mbar"]
        for name, share in dataset.manifest.provenance["statistics"]["populations"].items()
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_sample_passes_its_checks(variant):
    dataset = sample(variant)
    assert dataset.system.parameters["sequence"] == SEQUENCES[variant]
    checks = PeptideEntry(SPEC, variant).checks(dataset)
    assert not [f"{c.name}: {c.measured} {c.note}" for c in checks if c.ok is False]
    assert sum(c.ok is True for c in checks) >= 14
    # from starts at φ < 0 and at φ > 0 alike, so that neither is remembered
    found = shares(dataset)
    for residue in range(1, len(SEQUENCES[variant]) + 1):
        name = next(n for n in found if n.endswith(f" {residue} φ>0"))
        assert 0 < found[name][0] < 0.05, name


@pytest.mark.parametrize("variant", VARIANTS)
def test_shares_add_up(variant):
    found = shares(sample(variant))
    for residue in {name.rsplit(" ", 1)[0] for name in found if name.endswith(" φ>0") and name != "any φ>0"}:
        four = [found[f"{residue} {basin}"][0] for basin in ("αR", "β/PII", "αL", "C7ax")]
        assert sum(four) == pytest.approx(1, abs=1e-3)
        assert four[2] + four[3] == pytest.approx(found[f"{residue} φ>0"][0], rel=2e-3)


def test_samples_are_small():
    assert sum(p.stat().st_size for v in VARIANTS for p in sample(v).path.iterdir()) < 2.6e6


def test_checks_see_wrong_weights_and_wrong_temperatures():
    dataset = sample(None)
    found = dataset.manifest.provenance["statistics"]["populations"]
    found["ALA 2 αR"]["mbar"][0] += 0.1
    dataset.arrays["forces"] = np.asarray(dataset.array("forces")) * np.float32(1.1)
    failed = [c.name for c in PeptideEntry(SPEC, None).checks(dataset) if c.ok is False]
    assert any("in the stored frames" in name for name in failed)
    assert any("at the lowest temperature" in name or "in the lowest temperature" in name for name in failed)
    assert "temperature of the configurations" in failed
    assert "forces recomputed, largest difference" in failed
