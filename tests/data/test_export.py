"""Files written by us, read by mdtraj, ASE and numpy."""

from __future__ import annotations

import ase.io
import mdtraj
import numpy as np
import pytest
from ase.units import fs
from synthetic import chain, glass

from zoo.data.dataset import Dataset
from zoo.errors import ConfigError, DataError, UnknownName
from zoo.verbs.exporting import export_dataset


@pytest.fixture(scope="module")
def molecule() -> Dataset:
    from zoo.data.catalog import open_dataset

    return open_dataset("alanine-dipeptide")


@pytest.fixture(scope="module")
def particles() -> Dataset:
    from zoo.data.catalog import open_dataset

    return open_dataset("kob-andersen")


def test_extxyz_is_what_ase_reads(molecule, tmp_path):
    export_dataset("alanine-dipeptide", tmp_path / "a.extxyz", split="test", stride=50)
    frames = molecule.split("test").index[::50]
    read = ase.io.read(tmp_path / "a.extxyz", ":")
    assert len(read) == len(frames)
    for atoms, i in zip(read, frames, strict=True):
        # The file has eight decimals.
        np.testing.assert_allclose(atoms.positions, molecule.array("positions")[i], atol=1e-7)
        np.testing.assert_allclose(atoms.get_forces(), molecule.array("forces")[i], atol=1e-7)
        np.testing.assert_allclose(
            atoms.get_velocities() * 1000 * fs, molecule.array("velocities")[i], atol=1e-5
        )
        assert atoms.get_potential_energy() == pytest.approx(molecule.array("energies")[i], abs=1e-7)
        assert atoms.numbers.tolist() == molecule.system.types.tolist() and not atoms.pbc.any()
        assert atoms.info["run"] == molecule.array("run")[i]


def test_extxyz_of_reduced_units_says_so(particles, tmp_path):
    export_dataset("kob-andersen", tmp_path / "a.xyz", split="val")
    atoms = ase.io.read(tmp_path / "a.xyz", 0, format="extxyz")
    first = particles.split("val").index[0]
    assert atoms.info["units"] == "lj"
    assert atoms.arrays["type"].tolist() == particles.system.types.tolist()
    np.testing.assert_allclose(atoms.cell[:], particles.array("cell")[first])
    np.testing.assert_allclose(atoms.positions, particles.array("positions")[first], atol=1e-7)


@pytest.mark.parametrize("ending, precision", [("xtc", 5e-4 + 1e-6), ("dcd", 1e-6)])
def test_trajectories_are_what_mdtraj_reads(molecule, tmp_path, ending, precision):
    made = export_dataset("alanine-dipeptide", tmp_path / f"a.{ending}", split="val", stride=20)
    assert [p.name for p in made] == [f"a.{ending}", "a.pdb"]
    atoms = mdtraj.load_pdb(made[1], standard_names=False).topology  # our names, not mdtraj's
    read = mdtraj.load(made[0], top=atoms)
    index = molecule.split("val").index[::20]
    np.testing.assert_allclose(read.xyz * 10, molecule.array("positions", index), atol=10 * precision)
    assert read.unitcell_lengths is None
    if ending == "xtc":
        np.testing.assert_allclose(read.time, molecule.array("time", index))
    atoms = list(read.topology.atoms)
    assert tuple(a.name for a in atoms) == molecule.system.atom_names
    assert tuple(a.residue.name for a in atoms) == molecule.system.residue_names
    bonds = {tuple(sorted((a.index, b.index))) for a, b in read.topology.bonds}
    assert {tuple(sorted(b)) for b in molecule.system.bonds.tolist()} <= bonds


def test_periodic_trajectories_carry_the_box(particles, tmp_path):
    for ending in ("xtc", "dcd", "pdb"):
        made = export_dataset("kob-andersen", tmp_path / ending / f"a.{ending}", split="test")
        read = mdtraj.load(made[0], **({} if ending == "pdb" else {"top": made[1]}))
        index = particles.split("test").index
        # 1 σ is written as 1 nm; a pdb has 1e-3 Å, its box too; an xtc 1e-3 nm.
        atol = 6e-4 if ending == "xtc" else 6e-5
        np.testing.assert_allclose(read.xyz, particles.array("positions", index), atol=atol)
        np.testing.assert_allclose(read.unitcell_vectors, particles.array("cell", index), atol=1e-4)


def test_npz_holds_everything(tmp_path):
    dataset = Dataset(glass(tmp_path / "glass"))
    export_dataset(dataset.path, tmp_path / "a.npz", stride=2)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert set(dataset.arrays) < set(found.files)
        for name, array in dataset.arrays.items():
            assert np.array_equal(found[name], array[::2]) and found[name].dtype == array.dtype
        assert found["units"] == "lj" and found["pbc"].all()


def test_refused(tmp_path):
    path = chain(tmp_path / "chain")
    with pytest.raises(UnknownName, match="format to write"):
        export_dataset(path, tmp_path / "a.gro")
    with pytest.raises(UnknownName, match="split"):
        export_dataset(path, tmp_path / "a.pdb", split="tset")
    with pytest.raises(ConfigError, match="stride"):
        export_dataset(path, tmp_path / "a.pdb", stride=0)
    (tmp_path / "a.pdb").write_text("mine")
    for ending in ("pdb", "xtc"):
        with pytest.raises(DataError, match=r"a.pdb exists already"):
            export_dataset(path, tmp_path / f"a.{ending}")
    assert (tmp_path / "a.pdb").read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pdb", "chain"]


def test_too_far_for_a_pdb(tmp_path):
    dataset = Dataset(chain(tmp_path / "chain"))
    moved = np.array(dataset.array("positions")) + 20_000
    dataset.arrays["positions"] = moved
    from zoo.data.export import export

    with pytest.raises(DataError, match="write xtc or npz"):
        export(dataset.split("all"), tmp_path / "a.pdb")
    assert not (tmp_path / "a.pdb").exists()
