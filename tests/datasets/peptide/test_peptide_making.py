"""Peptides made anew: frames, labels, statistics, wrong requests; and checks that see what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.basins import molecular_basins, trans
from zoo.analysis.peptides import named_torsions
from zoo.data.dataset import Dataset
from zoo.datasets.alanine_dipeptide.forcefield import FORCE_FIELDS, amber_system
from zoo.datasets.peptide.basins import codes, members, watched
from zoo.datasets.peptide.entry import PeptideEntry
from zoo.datasets.peptide.options import Options
from zoo.datasets.peptide.sequence import Peptide, peptide
from zoo.datasets.peptide.spec import SPEC
from zoo.engines import exchange_frames
from zoo.engines.openmm import evaluate, make_context
from zoo.errors import ConfigError
from zoo.physics.torsions import torsions

openmm = pytest.importorskip("openmm")
pytest.importorskip("pdbfixer")

TINY = {
    "interval": 0.02,
    "exchange": 0.01,
    "equilibration": 0.1,
    "runs": 6,
    "batch": 4,
    "levels": 3,
    "polish": 2,
}


@pytest.fixture(scope="module", autouse=True)
def in_process():
    """Simulate in this process: starting another one takes longer than what these tests simulate."""

    def execute(self, work, workers=None, pace=str):
        for run in range(len(self.frames)):
            self.simulate(run, work, tell=lambda: None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange_frames.Runs, "execute", execute)
        yield


def make(out, variant=None, frames=18, seed=3, **settings) -> Dataset:
    options = Options(**{**TINY, "workers": 1, **settings})
    entry = PeptideEntry(SPEC, variant)
    return Dataset(entry.make(out, frames=frames, seed=seed, options=options), verify=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Dataset:
    return make(tmp_path_factory.mktemp("made") / "tiny", sequence="SG")


def test_made_from_start_to_end(made):
    assert made.name == "peptide" and made.temperature == 300 and made.system.num_particles == 30
    assert set(made.arrays) == {"positions", "forces", "energies", "time", "run"}
    owner = {s: set(made.array("run", made.split(s).index).tolist()) for s in ("train", "val", "test")}
    assert sum(map(len, owner.values())) == 6 == len(set.union(*owner.values()))
    provenance = made.manifest.provenance
    assert provenance["command"] == (
        "zoo data make peptide --frames 18 --seed 3 --set interval=0.02 --set equilibration=0.1 "
        "--set runs=6 --set levels=3 --set exchange=0.01 --set batch=4 --set sequence=SG --set polish=2"
    )
    statistics = provenance["statistics"]
    assert (statistics["exchanges"], statistics["ensembles"]) == (6, 6)
    counts = statistics["ramachandran"]["counts"]
    each = [[sum(int(n) for row in plane for n in row.split()) for plane in part] for part in counts]
    assert each == [[18, 18], [18, 18]]  # 6 exchanges × 3 even and 3 odd ensembles, both residues
    assert len(statistics["pivots_accepted"]) == 3
    assert sum(statistics["populations"][f"SER 1 χ1 {r}"]["direct"][0] for r in ("g+", "t", "g−")) == 1


def test_labels_are_those_of_openmm(made):
    field = FORCE_FIELDS[None]
    force_field = field.openmm()
    system = amber_system(peptide("SG", force_field).topology(), field, force_field, 1.0)
    context = make_context(system, openmm.VerletIntegrator(0.001), "Reference")
    for frame in (0, 7, 17):
        energy, forces = evaluate(context, made.array("positions")[frame].astype(np.float64))
        assert made.array("energies")[frame] == pytest.approx(energy, abs=1e-10)
        # float32 rounding of forces of up to 10 eV/Å
        np.testing.assert_allclose(made.array("forces")[frame], forces, atol=2e-6)


def test_states_are_those_of_the_general_analysis(made):
    """Names and members of each state, by atoms' names here and by elements and bonds there."""
    positions = np.asarray(made.array("positions"), np.float64)
    molecule = Peptide.of(made.system)
    state = members(molecule, codes(torsions(positions, np.array(watched(molecule)["torsions"])), 2))
    named = named_torsions(made.system)
    angles = torsions(positions, list(named.values()))
    theirs = molecular_basins(list(named), angles)
    assert theirs.keys() == state.keys()
    for name, (member, among) in state.items():
        assert np.array_equal(member, theirs[name]), name
        if not name.startswith("cis"):
            assert np.array_equal(among, trans(list(named), angles)), name


def test_same_seed_same_frames(made, tmp_path):
    again = make(tmp_path / "again", sequence="SG")
    for name, array in made.arrays.items():
        assert np.array_equal(array, again.array(name)), name
    assert made.manifest.provenance == again.manifest.provenance
    without = make(tmp_path / "without", sequence="SG", pivots=0, frames=6)
    assert "pivots_accepted" not in without.manifest.provenance["statistics"]
    assert not np.allclose(without.array("positions"), made.array("positions")[::3], atol=1e-3)


def test_checks_see_what_is_wrong(made):
    entry = PeptideEntry(SPEC, None)
    checks = {c.name: c for c in entry.checks(made)}
    # a run of 0.06 ps: walkers did not travel, starts are not forgotten; but the energies are right
    assert checks["round trips between the temperatures, per ensemble"].ok is False
    assert checks["energies recomputed, largest difference"].ok is True
    assert checks["share of L chirality at Cα"].ok is True
    mirrored = np.asarray(made.array("positions")) * np.array([1, 1, -1], np.float32)
    made.arrays["positions"], kept = mirrored, made.arrays["positions"]
    try:
        wrong = {c.name for c in entry.checks(made) if c.ok is False}
    finally:
        made.arrays["positions"] = kept
    assert "share of L chirality at Cα" in wrong and "forces recomputed, largest difference" in wrong


def test_other_force_field_and_levels_by_size(tmp_path):
    made = make(tmp_path / "x", variant="valine-dipeptide", frames=5, runs=5, interval=0.01,
                equilibration=0.0, force_field="ff99sbildn", levels=None, highest=400)  # fmt: skip
    assert made.name == "peptide/valine-dipeptide" and made.system.num_particles == 28
    assert "ILDN" in made.system.parameters["force_field"]
    assert len(made.manifest.provenance["temperatures"]) == 3
    # the literature's: 300 to 800 K; energies of larger molecules spread less, relatively
    assert [Options().resolved(n).levels for n in (22, 42, 62)] == [6, 7, 8]


@pytest.mark.parametrize(
    "variant, wrong, match",
    [
        ("alanine-hexapeptide", {"sequence": "AV"}, "zoo data make peptide --set sequence=AV"),
        (None, {"sequence": "AB"}, "B is no amino acid"),
        (None, {"runs": 3}, "5 ensembles"),
        (None, {"highest": 250}, "not above"),
    ],
)
def test_wrong_requests(variant, wrong, match, tmp_path):
    with pytest.raises(ConfigError, match=match):
        PeptideEntry(SPEC, variant).make(tmp_path / "d", frames=60, seed=0, options=Options(**wrong))
    assert not list(tmp_path.iterdir())
