"""The look at a latent: what was planted is found, and what is wrong is flagged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from planted import zigzags
from synthetic import glass

import zoo
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.errors import ConfigError, DataError, UnknownName
from zoo.models.autoencoder import AutoencoderModel
from zoo.verbs.evaluate import fitted, make_task
from zoo.verbs.inside.latent import Options, look
from zoo.verbs.inside.latent.dependence import dependence
from zoo.verbs.inside.latent.observables import Observable
from zoo.verbs.inside.latent.samples import Samples
from zoo.verbs.inside.record import Inside
from zoo.verbs.inside.subject import Subject

RECONSTRUCTION = {"name": "reconstruction"}


def pca(data: Dataset, **options: Any) -> Subject:
    model = fitted("pca", options or {"latent": 3}, data.split("train"), RECONSTRUCTION)
    return Subject("planted", data, make_task(model, RECONSTRUCTION), split="all")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return Dataset(zigzags(tmp_path_factory.mktemp("latent") / "zigzag"))


@pytest.fixture(scope="module")
def record(data: Dataset) -> Inside:
    return look(pca(data), Options(), against=None, frames=None, seed=0)


def test_the_planted_observable_is_found(record: Inside) -> None:
    """The first latent is the stretch, which sets the end-to-end distance; the noise's latent knows none."""
    numbers = record.numbers
    for name in ("end-to-end", "Rg"):
        value, null = (numbers[f"information_{name}{end}"]["value"] for end in ("", "_null"))
        assert value > 10 * max(null, 0.05)
    assert numbers["information_energy"]["value"] < numbers["information_energy_null"]["value"] + 0.1
    rows = list(record.facts["observables"])
    each = record.arrays["information"][rows.index("end-to-end")]
    assert record.facts["information columns"] == ["z1", "z2", "z3"] and int(each.argmax()) == 0
    assert each[2] < record.arrays["information_null"][rows.index("end-to-end"), 2] + 0.1


def test_the_best_of_many_columns_of_noise_know_no_more_than_chance() -> None:
    """Columns are picked by what they seem to know: nulls of the picked ones alone are below in two of three.

    Above the 95 % quantile of 20 nulls is about one in ten; six of twelve has a chance of 5e-4.
    """
    above, n = 0, 120
    for seed in range(12):
        noise = np.random.default_rng(seed).standard_normal((n, 11))
        names, rows = [f"c{k}" for k in range(10)], np.arange(n)
        seen = {"y": Observable(noise[:, 0], "1")}
        samples = Samples(
            frames=None, layers={"latent": noise[:, 1:]}, names=names, periods=[None] * 10,  # type: ignore
            run=rows // 60, block=rows // 5, observables=seen, part=None, part_names=[], rows=None,
        )  # fmt: skip
        found = dependence(samples, nulls=20, seed=seed).together["y"]
        above += found.value > found.null_high
    assert above < 6


def test_the_planted_dimension_is_found(record: Inside) -> None:
    """Two degrees of freedom: with the noise's third latent far below them, two at the larger scales."""
    counts, dimensions, errors = record.arrays["decimated"].T
    assert counts.tolist() == [480, 240, 120, 60]
    assert abs(dimensions[1] - 2) < 4 * errors[1] + 0.3
    spectrum = record.arrays["spectrum"]
    assert spectrum[1] > 20 * spectrum[2]
    assert 1 < record.numbers["participation_ratio"]["value"] < 2.1


def test_ways_through_the_latent(record: Inside) -> None:
    x, values = record.arrays["traversal"], record.arrays["traversal_values"]
    assert x.shape[:2] == (3, 15) and (np.diff(values, axis=1) > 0).all()
    changed = dict(
        zip(record.facts["traversal observables"], record.arrays["traversal_observables"], strict=True)
    )
    along = np.ptp(changed["end-to-end"], axis=1)
    assert along[0] > 2 and along[0] > 5 * along[2]
    # components are decoded to where they were encoded, but for the superposition in between
    assert record.numbers["inversion_residual"]["value"] < 0.05
    ends = record.facts["interpolation"]["frames"]
    assert record.arrays["path_latent_rmsd"][0, 0] < 0.1 > record.arrays["path_latent_rmsd"][-1, 1]
    assert record.arrays["path_Cartesian_rmsd"][0, 0] < 1e-6 and ends[0] != ends[1]
    assert "path_latent_energy" not in record.arrays  # no energy function


def test_sensitivity_is_that_of_the_ends(record: Inside) -> None:
    """Stretching moves the ends most: they weigh most in the first component."""
    first = record.arrays["sensitivity"][record.facts["sensitivity of"].index("z1")]
    assert set(np.argsort(first)[-2:].tolist()) == {0, 7}
    assert not record.flags and record.facts["left out"] == {}


def test_the_slow_coordinate_is_the_slower_of_the_two(record: Inside) -> None:
    slow = record.arrays["map_tica"][:, 0]
    ends = record.arrays[f"observable_{list(record.facts['observables']).index('end-to-end')}"]
    assert abs(np.corrcoef(slow, ends)[0, 1]) > 0.8
    first, second = record.facts["autocorrelation"]
    # e^(−1/4) and e^(−1/2) were planted; 480 frames tell correlations to about 0.05
    assert first == pytest.approx(np.exp(-0.25), abs=0.12) and second == pytest.approx(np.exp(-0.5), abs=0.15)


def test_sets_of_a_joined_dataset_are_told_apart(tmp_path: Path) -> None:
    zigzags(tmp_path / "a", frames=240, seed=1)
    zigzags(tmp_path / "b", frames=240, seed=2, shift=2.5)
    zigzags(tmp_path / "c", frames=240, seed=3)
    for other, low, high in (("b", 0.9, 1.0), ("c", 0.3, 0.68)):
        data = open_dataset(f"{tmp_path / 'a'}+{tmp_path / other}")
        found = look(pca(data), Options(nulls=5), against=None, frames=240, seed=0).numbers
        assert low <= found["separation_linear"]["value"] <= high
        assert abs(found["separation_chance"]["value"] - 0.5) < 0.15
        assert ("separation_linear_Rg" in found) and found["separation_linear"]["error"] > 0


def test_two_runs_are_compared(data: Dataset) -> None:
    one, other = pca(data), pca(data, latent=2)
    found = look(one, Options(nulls=5), against=pca(data), frames=120, seed=0)
    assert found.numbers["cka"]["value"] == pytest.approx(1, abs=1e-9)
    assert found.numbers["procrustes"]["value"] == pytest.approx(0, abs=1e-9)
    assert found.numbers["cka_null"]["value"] < 0.2
    smaller = look(one, Options(nulls=5), against=other, frames=120, seed=0)
    assert 0.99 < smaller.numbers["cka"]["value"] <= 1  # the third component holds next to nothing
    with pytest.raises(ConfigError, match="second run"):
        look(one, Options(), against=Subject("data", data), frames=120, seed=0)


class Sleeper(AutoencoderModel):
    """Its second latent is asleep, its third is always one; what it decodes is one structure."""

    superposed = True

    def posterior(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        ends = (x[:, 0] - x[:, -1]).norm(dim=1)
        mean = torch.stack([ends, 1e-2 * ends, torch.ones_like(ends)], 1)
        return mean, torch.zeros_like(mean)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return self.posterior(x)[0]

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        structure = torch.tensor(self.info.reference, dtype=z.dtype)
        return structure.expand(len(z), -1, -1) + 0 * z.sum() + self.nothing.sum()

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.nothing = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))


def test_what_is_wrong_is_flagged(data: Dataset) -> None:
    trained = pca(data).model
    subject = Subject("asleep", data, make_task(Sleeper(trained.config, trained.info), RECONSTRUCTION))
    found = look(subject, Options(nulls=5), against=None, frames=None, seed=0)
    texts = [f"{flag.kind}: {flag.text}" for flag in found.flags]
    assert any("collapse: 1 of 3 columns do not vary" in t and "(z3)" in t for t in texts)
    assert any("posterior of 2 of 3 latents (z2, z3)" in t for t in texts)
    assert any(t.startswith("not inverted") for t in texts)


def test_dead_beads_are_flagged(data: Dataset) -> None:
    model = zoo.create_model("cg-autoencoder", dataset=data, beads=5)
    x = torch.from_numpy(data.split("train").array("positions")).double()
    model.prepare(x, None)
    model.group.copy_(torch.tensor([0, 0, 1, 1, 2, 2, 2, 2]))
    subject = Subject("dead", data, make_task(model, RECONSTRUCTION))
    flags = look(subject, Options(nulls=5), against=None, frames=None, seed=0).flags
    assert any(f.kind == "dead beads" and f.text.startswith("2 of 5 beads") for f in flags)


def test_layers_of_a_network_and_of_its_twin(tmp_path: Path) -> None:
    data = Dataset(glass(tmp_path / "glass", frames=12))
    torch.manual_seed(0)
    made = zoo.create_model("gat", dataset=data, hidden_channels=8, heads=2, num_layers=2)
    task = make_task(made, {"name": "propensity"})
    subject = Subject("glass", data, task, split="all")
    found = look(subject, Options(nulls=5), against=None, frames=None, seed=0)
    assert found.facts["samples"] == "particles" and found.facts["layer"] == "layer 2"
    assert found.arrays["cka"].shape == (3, 3) and np.allclose(np.diag(found.arrays["cka"]), 1)
    assert {"information_t=1", "information_t=2"} <= set(found.numbers)
    assert "traversal" not in found.arrays and "sensitivity" not in found.arrays
    # the density of each species is in the input, and the target is the number of B neighbours
    first = look(subject, Options(nulls=5, layer="layer 0"), against=subject, frames=None, seed=0)
    assert first.numbers["information_t=1"]["value"] > 2 * max(
        first.numbers["information_t=1_null"]["value"], 0.02
    )
    assert first.numbers["cka"]["value"] == pytest.approx(1, abs=1e-6)
    with pytest.raises(UnknownName, match="type of particles"):
        look(subject, Options(type="C"), against=None, frames=None, seed=0)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"layer": "layer 9"}, UnknownName, "layer"),
        ({"observables": ["φ"]}, UnknownName, "Rg"),
        ({"particles": True}, ConfigError, "particles"),
        ({"path": [0, 481]}, ConfigError, "not among the 480 frames"),
    ],
)
def test_wrong_requests_say_what_to_do(
    data: Dataset, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        look(pca(data), Options(**options), against=None, frames=None, seed=0)


def test_what_has_no_network_is_refused(data: Dataset) -> None:
    with pytest.raises(ConfigError, match="no network"):
        look(Subject("data", data), Options(), against=None, frames=None, seed=0)
    with pytest.raises(DataError, match="12 or more"):
        look(pca(data), Options(), against=None, frames=6, seed=0)


def test_two_numbers_of_a_dipeptide_know_its_torsions(tmp_path: Path) -> None:
    """A few seconds of training on the packaged sample: (φ, ψ) many times above the null."""
    settings = {"train.frames": 1500}
    run = zoo.train("gat-autoencoder", "alanine-dipeptide", epochs=4, settings=settings, out=tmp_path / "map")
    found = zoo.analyze(run, "latent", frames=320, settings={"nulls": 10}).numbers
    value, null = found["information_φψ"]["value"], found["information_φψ_null"]["value"]
    assert value > 10 * null and value > 1 and found["information_φψ"]["error"] < 0.3
    assert found["information_energy"]["value"] < 0.1 * value
    assert (tmp_path / "map" / "inside" / "latent.npz").is_file()


def test_rings_in_and_out_of_equilibrium_lie_apart(tmp_path: Path) -> None:
    """The collapse from a circle by distances between beads: apart at first, beyond chance over all."""
    sets = "ring-polymer/nose-hoover-eq+ring-polymer/nose-hoover-neq"
    run = zoo.train("cg-autoencoder", sets, epochs=2, settings={"model.beads": 12}, out=tmp_path / "rings")
    settings = {"split": "all", "nulls": 5}
    found = zoo.analyze(run, "latent", frames=704, settings=settings)
    numbers = found.numbers
    assert numbers["separation_first_latent"]["value"] > 0.75
    kernel, chance = numbers["separation_kernel"], numbers["separation_chance"]
    assert kernel["value"] - chance["value"] > 3 * np.hypot(kernel["error"], chance["error"])
    by_time = found.arrays["apart_by_time_latent"]
    assert by_time[:2].mean() > by_time[-4:].mean() + 0.2
