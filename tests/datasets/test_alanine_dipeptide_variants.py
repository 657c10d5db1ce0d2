"""The variants of alanine dipeptide: replica exchange in torch, vacuum, ff99SB-ILDN."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from zoo.analysis.averages import mean_and_error
from zoo.analysis.mbar import mbar_log_weights
from zoo.data.dataset import Dataset
from zoo.data.work import Work
from zoo.datasets.alanine_dipeptide import molecule
from zoo.datasets.alanine_dipeptide.basins import (
    NAMES,
    PUBLISHED_FRAMES,
    REFERENCE,
    basins,
    codes,
)
from zoo.datasets.alanine_dipeptide.entry import AlanineDipeptide
from zoo.datasets.alanine_dipeptide.forcefield import build_system
from zoo.datasets.alanine_dipeptide.options import Options
from zoo.datasets.alanine_dipeptide.populations import populations
from zoo.datasets.alanine_dipeptide.spec import SPEC
from zoo.engines import exchange_frames
from zoo.engines.openmm import evaluate, make_context
from zoo.errors import ConfigError
from zoo.units import BOLTZMANN_EV

openmm = pytest.importorskip("openmm")

EXCHANGE = AlanineDipeptide(SPEC, "replica-exchange")
TINY = {"interval": 0.02, "exchange": 0.01, "equilibration": 0.1, "runs": 6, "batch": 4, "levels": 3}
FOLDER = Path(str(files("zoo.datasets.alanine_dipeptide")))


def make(out, frames=18, seed=3, **settings) -> Dataset:
    options = Options(**{**TINY, "workers": 1, **settings})
    return Dataset(EXCHANGE.make(out, frames=frames, seed=seed, options=options), verify=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Dataset:
    return make(tmp_path_factory.mktemp("made") / "tiny")


@pytest.fixture
def in_process(monkeypatch):
    """Simulate in this process: starting another one takes longer than what these tests simulate."""

    def execute(self, work, workers=None, pace=str):
        for run in range(len(self.frames)):
            self.simulate(run, work, tell=lambda: None)

    monkeypatch.setattr(exchange_frames.Runs, "execute", execute)


# --- replica exchange, being made ------------------------------------------------------------


def test_made_from_start_to_end(made):
    assert made.name == "alanine-dipeptide/replica-exchange" and made.temperature == 300
    assert set(made.arrays) == {"positions", "forces", "energies", "time", "run"}
    assert made.array("run").tolist() == np.repeat(np.arange(6), 3).tolist()
    # 10 exchanges of 10 fs are thrown away, then a frame each 20 fs
    np.testing.assert_allclose(made.array("time", slice(0, 3)), [0.12, 0.14, 0.16])
    owner = {s: set(made.array("run", made.split(s).index).tolist()) for s in ("train", "val", "test")}
    assert sum(map(len, owner.values())) == 6 == len(set.union(*owner.values()))
    provenance = made.manifest.provenance
    assert provenance["command"] == (
        "zoo data make alanine-dipeptide/replica-exchange --frames 18 --seed 3 --set interval=0.02 "
        "--set equilibration=0.1 --set runs=6 --set levels=3 --set exchange=0.01 --set batch=4"
    )
    assert provenance["temperatures"] == [300.0, 547.72, 1000.0]
    statistics = provenance["statistics"]
    assert (statistics["exchanges"], statistics["ensembles"]) == (6, 6)
    counts = [[list(map(int, row.split())) for row in part] for part in statistics["ramachandran"]["counts"]]
    assert np.array(counts).sum((1, 2)).tolist() == [18, 18]  # 6 exchanges × 3 even and 3 odd ensembles
    # runs start by turns at φ < 0 and at φ > 0, and 0.16 ps are too short to leave
    phi = molecule.dihedrals(np.asarray(made.array("positions"), np.float64))[0]
    assert (phi[made.array("run") % 2 == 0] < 0).mean() > 0.8
    assert (phi[made.array("run") % 2 == 1] > 0).mean() > 0.8


def test_labels_are_those_of_openmm(made):
    context = make_context(build_system(1.0), openmm.VerletIntegrator(0.001), "Reference")
    for frame in (0, 7, 17):
        energy, forces = evaluate(context, made.array("positions")[frame].astype(np.float64))
        assert made.array("energies")[frame] == pytest.approx(energy, abs=1e-10)
        # float32 rounding of forces of up to 10 eV/Å
        np.testing.assert_allclose(made.array("forces")[frame], forces, atol=2e-6)


def test_same_seed_same_frames_whatever_the_chunks(made, tmp_path, monkeypatch, in_process):
    monkeypatch.setattr(exchange_frames, "CHUNK_FRAMES", 3)  # one ensemble in memory at a time
    monkeypatch.setattr(exchange_frames, "MOST_SAMPLES", 30)
    again = make(tmp_path / "again")
    for name, array in made.arrays.items():
        assert np.array_equal(array, again.array(name)), name
    other = make(tmp_path / "other", seed=4)
    assert not np.allclose(other.array("positions"), made.array("positions"), atol=1e-3)


def test_checks_see_a_run_that_is_too_short(made):
    checks = EXCHANGE.checks(made)
    failed = {c.name for c in checks if c.ok is False}
    # the starts are not forgotten, walkers did not travel; but the energies are right
    assert "population of φ>0 of ensembles that started at φ > 0" in failed
    assert any("round trips" in name for name in failed)
    held = {c.name for c in checks if c.ok is True}
    assert "energies recomputed, largest difference" in held and "frames with |φ| < 15°" in held
    del made.manifest.provenance["statistics"]
    assert [c.note for c in EXCHANGE.checks(made) if "no statistics" in c.note]


def test_frames_that_do_not_divide(tmp_path, in_process):
    data = make(tmp_path / "odd", frames=8)
    assert np.bincount(data.array("run")).tolist() == [2, 2, 1, 1, 1, 1]


def test_stopped_between_pieces_continues_exactly(tmp_path, monkeypatch, in_process):
    monkeypatch.setattr(exchange_frames, "PIECE_ENERGIES", 1)  # a piece for each frame
    whole = make(tmp_path / "whole")
    stops = iter([False, False, True])
    original = Work.save

    def save(self, name, **arrays):
        original(self, name, **arrays)
        if next(stops, False):
            raise KeyboardInterrupt

    monkeypatch.setattr(Work, "save", save)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "broken")
    assert not (tmp_path / "broken").exists()
    assert len(list((tmp_path / "broken.partial").glob("run-*.npz"))) == 3
    continued = make(tmp_path / "broken")
    for name, array in whole.arrays.items():
        assert np.array_equal(array, continued.array(name)), name
    assert whole.manifest.provenance == continued.manifest.provenance


@pytest.mark.parametrize(
    "variant, wrong, match",
    [
        ("replica-exchange", {"platform": "Reference"}, "no option platform"),
        ("replica-exchange", {"runs": 3}, "5 ensembles"),
        ("replica-exchange", {"temperature": 1200}, "not above"),
        ("replica-exchange", {"highest": 250}, "not above"),
        ("replica-exchange", {"device": "cuda"}, "sees no GPU"),
        ("vacuum", {"levels": 4, "highest": 900}, "no option highest, levels"),
        (None, {"compile": True}, "no option compile"),
    ],
)
def test_wrong_requests(variant, wrong, match, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match=match):
        AlanineDipeptide(SPEC, variant).make(tmp_path / "d", frames=60, seed=0, options=Options(**wrong))
    assert not list(tmp_path.iterdir())


def test_exchanges_fit_between_frames():
    # 0.05 ps are 25 steps: exchanges of 20 fs do not fit, of 10 fs do
    options = Options(interval=0.05, exchange=0.02)
    assert options.steps_per_frame % options.steps_per_exchange == 0
    assert Options(interval=5, exchange=0.1).steps_per_exchange == 50


def test_short_run_agrees_with_openmm(tmp_path, in_process):
    """Bond lengths and energies of a short replica exchange beside plain MD of another engine."""
    short = make(
        tmp_path / "short", frames=96, seed=5, runs=24, batch=24, levels=2, highest=330,
        interval=0.5, exchange=0.1, equilibration=2,
    )  # fmt: skip
    sample = Dataset(FOLDER / "sample")

    def lengths(dataset):
        x = np.asarray(dataset.array("positions"), np.float64)
        i, j = np.array(molecule.BONDS).T
        return np.linalg.norm(x[:, i] - x[:, j], axis=-1)

    reference, found = lengths(sample), lengths(short)
    # 24 ensembles, 4 frames of each 0.5 ps apart: taken as 48 independent ones; 21 bonds, so 5 σ
    assert (np.abs(found.mean(0) - reference.mean(0)) < 5 * reference.std(0) / np.sqrt(48)).all()
    # Energies forget themselves within about 1 ps. Both have every other run at φ > 0. The start
    # lacks 30 kT = 0.78 eV, which the thermostat of 1/ps gives; of that e⁻³ is left on average.
    energies = sample.array("energies")
    slack = 5 * energies.std() / np.sqrt(48) + 0.78 * np.exp(-3)
    assert abs(short.array("energies").mean() - energies.mean()) < slack
    # energies at two temperatures 10 % apart overlap widely: most exchanges are accepted
    assert short.manifest.provenance["statistics"]["exchanges_accepted"][0] > 0.6


# --- weights ---------------------------------------------------------------------------------


def exact_two_states(kT, samples, ensembles, rng, gap=0.10, ratio=0.5, dof=60):
    """Energies and codes of two harmonic basins, drawn exactly; and the exact share of the second."""
    share = ratio * np.exp(-gap / kT) / (1 + ratio * np.exp(-gap / kT))
    upper = rng.random((samples, ensembles, len(kT))) < share
    energy = rng.gamma(dof / 2, 1.0, upper.shape) * kT + gap * upper
    return energy, np.where(upper, NAMES.index("C7ax"), NAMES.index("αR")).astype(np.uint8), share[0]


def test_populations_of_an_exact_case():
    kT = BOLTZMANN_EV * np.array([300.0, 382, 486, 618])
    rng = np.random.default_rng(0)
    pulls, gains = [], []
    for _ in range(40):
        energy, code, share = exact_two_states(kT, 100, 16, rng)
        found = populations(energy, code, kT)["φ>0"]
        pulls.append([(found[way][0] - share) / found[way][1] for way in ("mbar", "direct")])
        gains.append(found["direct"][1] / found["mbar"][1])
    # 40 pulls: their mean is known to 1/√40 = 0.16, their spread to 11 %; errors between 16
    # ensembles are themselves uncertain by 18 %, which widens the pulls a little.
    assert np.abs(np.mean(pulls, 0)).max() < 0.7
    assert (np.std(pulls, 0) > 0.6).all() and (np.std(pulls, 0) < 1.6).all()
    # The other temperatures add what they saw: about half of the variance goes.
    assert np.median(gains) > 1.15


def test_log_weights_of_one_temperature_are_equal():
    energy = np.random.default_rng(1).gamma(30, 0.025, (500, 1))
    weights = mbar_log_weights(energy, np.array([0.025]))
    np.testing.assert_allclose(weights, weights[0, 0], atol=1e-9)


def test_codes_name_basins_and_cis():
    phi, psi = np.random.default_rng(0).uniform(-np.pi, np.pi, (2, 500))
    number = codes(phi, psi, np.full(500, 3.0), np.full(500, 0.1))
    member = basins(phi, psi)
    for i, name in enumerate(NAMES):
        assert ((number & 7 == i) == member[name]).all()
    assert (number >> 3 == 2).all()  # the second peptide bond is in cis
    assert (codes(phi, psi, np.full(500, -1.0), np.full(500, -3.0)) >> 3 == 1).all()


def test_published_frames_are_as_stated(shared_data):
    frames = np.load(shared_data / "alanine-dipeptide" / "frames-1000.npy").astype(np.float64)
    member = basins(*molecule.dihedrals(frames))
    for name, (share, error) in PUBLISHED_FRAMES.items():
        found = mean_and_error(member[name], np.zeros(1000), blocks=10)
        assert found[0] == pytest.approx(share, abs=1e-9)
        assert found[1] == pytest.approx(error, abs=6e-4)
    assert not member["φ>0"].any()


# --- vacuum and the other force field --------------------------------------------------------


@pytest.mark.parametrize("variant", ["vacuum", "ff99sbildn"])
def test_short_version_agrees_with_its_sample(variant, tmp_path):
    entry = AlanineDipeptide(SPEC, variant)
    sample = Dataset(FOLDER / f"sample-{variant}")
    options = Options(runs=4, interval=0.5, equilibration=5, workers=1)
    short = Dataset(entry.make(tmp_path / "short", frames=80, seed=11, options=options))
    assert short.manifest.name == sample.manifest.name == f"alanine-dipeptide/{variant}"
    assert short.system.parameters == sample.system.parameters
    # 80 frames 0.5 ps apart, taken as 40 independent ones, and the sample's own 320 as 160
    a, b = short.array("energies"), sample.array("energies")
    assert abs(a.mean() - b.mean()) < 5 * np.hypot(b.std() / np.sqrt(40), b.std() / np.sqrt(160))
    assert not [c.name for c in entry.checks(short) if c.ok is False]


def test_force_fields_differ_as_they_should():
    x = molecule.build(-80.0, 80.0)
    systems = {v: build_system(1.0, v) for v in (None, "vacuum", "ff99sbildn", "replica-exchange")}
    kinds = {v: {type(f).__name__ for f in system.getForces()} for v, system in systems.items()}
    assert "CustomGBForce" in kinds[None] and kinds[None] == kinds["replica-exchange"]
    assert not any("GB" in name for name in kinds["vacuum"])
    assert "GBSAOBCForce" in kinds["ff99sbildn"]
    energies = {
        v: evaluate(make_context(system, openmm.VerletIntegrator(0.001), "Reference"), x)[0]
        for v, system in systems.items()
    }
    assert energies[None] == energies["replica-exchange"]
    # the solvent's polarisation: some 50 kJ/mol = 0.5 eV for two peptide groups
    assert -0.9 < energies[None] - energies["vacuum"] < -0.2


def test_replica_exchange_sample_has_the_true_weights():
    """φ > 0 within 20 %, and every figure beside another method's; see `ramachandran.exchange_checks`."""
    sample = Dataset(FOLDER / "sample-replica-exchange", verify=True)
    assert sum(p.stat().st_size for p in sample.path.iterdir()) < 1.8e6
    checks = EXCHANGE.checks(sample)
    assert not [c.name for c in checks if c.ok is False]
    assert {c.name for c in checks if c.ok is None} == {
        "temperature of the velocities",
        "share of cis peptide bonds",
    }
    found = sample.manifest.provenance["statistics"]["populations"]
    value, error = found["φ>0"]["mbar"]
    assert value == pytest.approx(0.0032, abs=4 * error) and error < 0.2 * value
    assert error < found["φ>0"]["direct"][1]
    assert sum(found[name]["mbar"][0] for name in NAMES) == pytest.approx(1, abs=1e-3)
    # Checks that can fail: more of φ > 0 than any error allows, in the manifest or in the frames.
    found["φ>0"]["mbar"][0] = 0.008
    failed = [c for c in EXCHANGE.checks(sample) if c.ok is False]
    assert {c.name for c in failed} >= {"population of φ>0", "population of φ>0 in the stored frames"}


@pytest.mark.parametrize("variant", ["vacuum", "ff99sbildn"])
def test_samples_pass_their_checks(variant):
    sample = Dataset(FOLDER / f"sample-{variant}", verify=True)
    assert sum(p.stat().st_size for p in sample.path.iterdir()) < 0.3e6
    checks = AlanineDipeptide(SPEC, variant).checks(sample)
    assert not [c.name for c in checks if c.ok is False]
    assert sum(c.ok is True for c in checks) >= 12
    # the plain variant's force field is another one, and the checks see that
    wrong = {c.name: c.ok for c in AlanineDipeptide(SPEC).checks(sample)}
    assert wrong["energies recomputed, largest difference"] is False


def test_reference_adds_up():
    assert REFERENCE["C7ax"][0] + REFERENCE["αL"][0] == pytest.approx(REFERENCE["φ>0"][0], abs=3e-5)
