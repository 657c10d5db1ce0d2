"""Readers of mdtraj's formats: written by mdtraj itself, read here, compared to the format's precision."""

from __future__ import annotations

import pickle
from pathlib import Path

import ase.io
import mdtraj
import numpy as np
import pytest
from molecules_on_disk import BOX, topology, trajectory, wrapped

from zoo import keys
from zoo.data import formats
from zoo.data.entry import RawData
from zoo.data.formats.names import canonical
from zoo.datasets.alanine_dipeptide.molecule import ATOMS
from zoo.errors import ConfigError, DataError, UnknownName, ZooError
from zoo.units import EV_PER_KJ_MOL

PEPTIDE = 22
#: Largest error of a position in Å: xtc keeps 0.001 nm, pdb 0.001 Å, the others float32.
PRECISION = {"xtc": 0.012, "trr": 2e-5, "dcd": 2e-5, "h5": 2e-5, "pdb": 0.0012}


def save(whole: mdtraj.Trajectory, folder: Path, ending: str, name: str = "a") -> tuple[Path, dict[str, str]]:
    """Write a trajectory, and for formats without names a topology; return the path and the options."""
    path, top = folder / f"{name}.{ending}", folder / "top.pdb"
    whole.save(str(path))
    whole[0].save_pdb(str(top))
    return path, {} if ending in ("h5", "pdb") else {"topology": str(top)}


def everything(raw: RawData) -> dict[str, np.ndarray]:
    """All chunks put together."""
    parts = [raw.arrays, *raw.more]
    return {name: np.concatenate([part[name] for part in parts]) for name in raw.arrays}


def from_first_atom(positions: np.ndarray) -> np.ndarray:
    return positions - positions[:, :1]


@pytest.mark.parametrize("ending", PRECISION)
def test_peptide_out_of_water_is_whole(ending: str, tmp_path: Path) -> None:
    whole = trajectory(waters=5)
    path, options = save(wrapped(whole), tmp_path, ending)
    raw = formats.read([path], select="protein or resname ACE NME", temperature=300, **options)
    arrays = everything(raw)
    wanted = from_first_atom(whole.xyz[:, :PEPTIDE] * 10)
    assert np.abs(from_first_atom(arrays[keys.POSITIONS]) - wanted).max() < PRECISION[ending]
    torn = from_first_atom(np.mod(whole.xyz[:, :PEPTIDE], BOX) * 10)
    assert np.abs(torn - wanted).max() > 20  # so there was something to repair
    assert raw.system.pbc == (False, False, False) and keys.CELLS not in arrays
    system = raw.system  # mdtraj has spellings of its own: ACE's HH31 becomes H1
    named = [canonical(*name) for name in zip(system.residue_names, system.atom_names, strict=True)]
    assert named == [atom for _, atom, _ in ATOMS] and len(system.bonds) == 21
    assert system.residue_names[6] == "ALA" and system.residues.max() == 2
    assert raw.temperature == 300 and raw.units == "ase"
    if ending in ("xtc", "trr", "h5"):
        np.testing.assert_allclose(arrays[keys.TIME], whole.time)
    notes = " ".join(raw.provenance["notes"])
    assert "made whole" in notes and "kept 22 of 37" in notes and "cell of the files was left out" in notes


@pytest.mark.parametrize("ending", PRECISION)
def test_whole_system_keeps_its_box(ending: str, tmp_path: Path) -> None:
    whole = trajectory(waters=5)
    path, options = save(whole, tmp_path, ending)
    raw = formats.read([path], **options)
    assert raw.system.pbc == (True, True, True)
    np.testing.assert_allclose(raw.arrays[keys.CELLS], np.tile(10 * BOX * np.eye(3), (6, 1, 1)), atol=1e-5)
    # not wrapped in the file: nothing is torn, so the positions are the file's own
    np.testing.assert_allclose(raw.arrays[keys.POSITIONS], whole.xyz * 10, atol=PRECISION[ending])
    assert not raw.provenance["notes"]
    assert raw.system.chains.tolist() == [0] * 22 + [1] * 15


def test_xtc_dcd_trr_agree_with_mdtraj(tmp_path: Path) -> None:
    whole = trajectory(waters=3, boxed=False)
    for ending in ("xtc", "dcd", "trr"):
        path, options = save(whole, tmp_path, ending)
        theirs = mdtraj.load(str(path), top=topology(3))
        ours = formats.read([path], **options).arrays[keys.POSITIONS]
        np.testing.assert_allclose(ours, theirs.xyz * 10, rtol=2e-7)  # float32: they go through nm


def test_triclinic_box(tmp_path: Path) -> None:
    whole = trajectory(waters=4)
    whole.unitcell_angles = np.tile([70.0, 80.0, 65.0], (len(whole), 1))
    cell = whole.unitcell_vectors
    inside = whole.xyz @ np.linalg.inv(cell)
    torn = whole[:]
    torn.xyz = ((inside - np.floor(inside)) @ cell).astype(np.float32)
    for ending in ("xtc", "dcd", "h5"):
        path, options = save(torn, tmp_path, ending)
        raw = formats.read([path], select="resid 0 to 2", **options)
        wanted = from_first_atom(whole.xyz[:, :PEPTIDE] * 10)
        assert np.abs(from_first_atom(raw.arrays[keys.POSITIONS]) - wanted).max() < 0.012
        kept = formats.read([path], **options).arrays[keys.CELLS]
        np.testing.assert_allclose(kept, cell * 10, atol=1e-4)


def test_selection_of_calpha_uses_all_bonds(tmp_path: Path) -> None:
    """Atoms without a bond between them are put together by those that are left out."""
    whole = trajectory(waters=5)
    path, options = save(wrapped(whole), tmp_path, "dcd")
    raw = formats.read([path], select="name CH3 CA CB O and not water", **options)
    assert raw.system.atom_names == ("CH3", "O", "CA", "CB", "O") and len(raw.system.bonds) == 1
    wanted = from_first_atom(whole.xyz[:, [1, 5, 8, 10, 15]] * 10)
    np.testing.assert_allclose(from_first_atom(raw.arrays[keys.POSITIONS]), wanted, atol=1e-4)


def test_several_molecules_out_of_a_box_must_be_said(tmp_path: Path) -> None:
    whole = trajectory(waters=5)
    path, options = save(wrapped(whole), tmp_path, "dcd")
    select = "resid 0 to 3"  # the peptide and one water
    with pytest.raises(ConfigError, match="2 molecules.*periodic=false.*periodic=true"):
        formats.read([path], select=select, **options)
    boxed = formats.read([path], select=select, periodic=True, **options)
    assert boxed.system.pbc == (True, True, True) and boxed.arrays[keys.CELLS].shape == (6, 3, 3)
    free = formats.read([path], select=select, periodic=False, **options).arrays[keys.POSITIONS]
    apart = free[:, PEPTIDE:].mean(1) - free[:, :PEPTIDE].mean(1)
    assert np.abs(apart).max() <= 5 * BOX + 1e-3  # half of the box: the nearest image
    np.testing.assert_allclose(
        np.linalg.norm(free[:, PEPTIDE + 1] - free[:, PEPTIDE], axis=-1), 0.957, atol=1e-3
    )


def test_trr_velocities_and_forces(tmp_path: Path) -> None:
    from mdtraj.formats import TRRTrajectoryFile

    whole = trajectory()
    rng = np.random.default_rng(1)
    velocities, forces = labels = rng.normal(size=(2, *whole.xyz.shape)).astype(np.float32)
    box = np.ascontiguousarray(whole.unitcell_vectors, np.float32)
    steps = np.arange(6, dtype=np.int32)
    with TRRTrajectoryFile(str(tmp_path / "a.trr"), "w") as file:
        file._write(whole.xyz, whole.time.astype(np.float32), steps, box, np.zeros(6, np.float32), *labels)
    whole[0].save_pdb(str(tmp_path / "top.pdb"))
    raw = formats.read([tmp_path / "a.trr"], topology=str(tmp_path / "top.pdb"))
    np.testing.assert_allclose(raw.arrays[keys.VELOCITIES], velocities * 10, rtol=1e-6)  # nm/ps
    # kJ/mol/nm: 1 eV/Å is 964.85 kJ/mol/nm
    np.testing.assert_allclose(raw.arrays[keys.FORCES], forces / 964.853, rtol=1e-5)
    assert raw.array_units[keys.FORCES] == "eV/Å" and raw.array_units[keys.VELOCITIES] == "Å/ps"
    # labelled frames of all that is in the box keep the box: the forces were computed in it
    assert raw.system.pbc == (True, True, True)
    part = formats.read([tmp_path / "a.trr"], topology=str(tmp_path / "top.pdb"), select="resname ALA")
    assert part.arrays[keys.FORCES].shape == (6, 10, 3)
    assert any("forces are those in the whole system" in note for note in part.provenance["notes"])


def test_h5_energies(tmp_path: Path) -> None:
    pytest.importorskip("tables", reason="mdtraj writes HDF5 by PyTables")
    from mdtraj.formats import HDF5TrajectoryFile

    whole = trajectory()
    with HDF5TrajectoryFile(str(tmp_path / "a.h5"), "w") as file:
        energies = np.linspace(-100, -90, 6)
        file.write(coordinates=whole.xyz, time=whole.time, potentialEnergy=energies, velocities=whole.xyz)
        file.topology = whole.topology
    raw = formats.read([tmp_path / "a.h5"])
    np.testing.assert_allclose(raw.arrays[keys.ENERGIES], energies * EV_PER_KJ_MOL, rtol=1e-6)
    np.testing.assert_allclose(raw.arrays[keys.VELOCITIES], whole.xyz * 10, rtol=1e-6)


class _Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("bomb-went-off"),)


def test_h5_attributes_are_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTables unpickles a text attribute that looks like a pickle; we do not go through it."""
    h5py = pytest.importorskip("h5py")
    tables = pytest.importorskip("tables", reason="mdtraj writes HDF5 by PyTables")
    monkeypatch.chdir(tmp_path)
    path, _ = save(trajectory(), tmp_path, "h5")
    with h5py.File(path, "a") as file:
        for where in (file, file["coordinates"], file["topology"]):
            where.attrs["title"] = np.bytes_(pickle.dumps(_Bomb(), protocol=0))
    assert formats.read([path]).arrays[keys.POSITIONS].shape == (6, PEPTIDE, 3)
    assert not (tmp_path / "bomb-went-off").exists()
    with tables.open_file(str(path)) as file:  # the danger is real
        assert file.root._v_attrs["title"] is None  # what the call of the pickle returned
    assert (tmp_path / "bomb-went-off").exists()


@pytest.mark.parametrize("ending", ["xtc", "trr", "dcd", "h5"])
def test_chunks_make_the_whole(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trajectory(frames=23, waters=2)
    path, options = save(wrapped(whole), tmp_path, ending)
    once = everything(formats.read([path], select="resid 0 to 2", stride=3, **options))
    for module in ("compiled", "hdf5"):
        monkeypatch.setattr(f"zoo.data.formats.{module}.CHUNK_BYTES", 12 * len(whole.xyz[0]) * 4)
    raw = formats.read([path], select="resid 0 to 2", stride=3, **options)
    assert len(raw.arrays[keys.POSITIONS]) < 8
    again = everything(raw)
    assert again.keys() == once.keys() and len(once[keys.POSITIONS]) == 8
    for name in once:
        np.testing.assert_array_equal(once[name], again[name])


def test_runs_and_times(tmp_path: Path) -> None:
    first, options = save(trajectory(seed=1), tmp_path, "xtc", "run_1")
    second, _ = save(trajectory(seed=2), tmp_path, "xtc", "run_2")
    with pytest.raises(DataError, match="time goes back from 12 to 2 ps within one run.*runs=files"):
        everything(formats.read([first, second], **options))
    arrays = everything(formats.read([first, second], runs="files", **options))
    assert arrays[keys.RUN].tolist() == [0] * 6 + [1] * 6
    with pytest.raises(ConfigError, match="tells the times of its frames: leave out `timestep`"):
        formats.read([first], timestep=1.0, **options)
    dcd, options = save(trajectory(), tmp_path, "dcd")
    assert keys.TIME not in formats.read([dcd], **options).arrays
    arrays = everything(formats.read([dcd], timestep=0.5, stride=2, **options))
    assert arrays[keys.TIME].tolist() == [0.0, 1.0, 2.0]
    again = tmp_path / "b.dcd"
    again.write_bytes(dcd.read_bytes())
    continued = everything(formats.read([dcd, again], timestep=0.5, **options))
    assert continued[keys.TIME].tolist() == [0.5 * i for i in range(12)]


@pytest.mark.parametrize("ending", ["xtc", "trr", "dcd"])
def test_pieces_that_share_a_frame(ending: str, tmp_path: Path) -> None:
    whole = trajectory(frames=9)
    first, options = save(whole[:5], tmp_path, ending, "p1")
    second, _ = save(whole[4:], tmp_path, ending, "p2")  # GROMACS -noappend: the last frame again
    raw = formats.read([first, second], **options)
    arrays = everything(raw)
    np.testing.assert_allclose(arrays[keys.POSITIONS], whole.xyz * 10, atol=PRECISION[ending])
    assert any("p2" in note and "left out" in note for note in raw.provenance["notes"])
    if ending == "dcd":
        return
    np.testing.assert_allclose(arrays[keys.TIME], whole.time)
    runs = everything(formats.read([first, second], runs="files", **options))
    assert runs[keys.RUN].tolist() == [0] * 5 + [1] * 5
    other = whole[4:]
    other.xyz = other.xyz + np.linspace(0, 0.5, 22)[:, None].astype(np.float32)
    third, _ = save(other, tmp_path, ending, "p3")
    with pytest.raises(DataError, match="p3.*time stays, from 10 to 10 ps.*runs=files"):
        everything(formats.read([first, third], **options))
    whole.time[3] = whole.time[2]
    twice, _ = save(whole, tmp_path, ending, "p4")
    with pytest.raises(DataError, match="p4.*time stays, from 6 to 6 ps.*runs=files"):
        everything(formats.read([twice], **options))


@pytest.mark.parametrize("ending", ["xtc", "trr", "h5"])
def test_runs_that_end_where_time_goes_back(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trajectory(frames=9)
    whole.time = np.array([2, 4, 6, 8, 1, 3, 5, 5, 7], float)
    path, options = save(whole, tmp_path, ending)
    with pytest.raises(DataError, match="time goes back from 8 to 1 ps.*runs=time"):
        everything(formats.read([path], **options))
    for frames in (1, 2, 100):  # in a chunk
        for module in ("compiled", "hdf5"):
            monkeypatch.setattr(f"zoo.data.formats.{module}.CHUNK_BYTES", frames * 12 * PEPTIDE)
        arrays = everything(formats.read([path], runs="time", **options))
        assert arrays[keys.RUN].tolist() == [0] * 4 + [1] * 3 + [2] * 2
        np.testing.assert_allclose(arrays[keys.TIME], whole.time)
    arrays = everything(formats.read([path], runs="time", stride=2, **options))
    assert arrays[keys.TIME].tolist() == [2, 6, 1, 5, 5]


def test_an_exported_dataset_of_several_runs_comes_back(tmp_path: Path) -> None:
    from zoo.data.catalog import open_dataset
    from zoo.verbs.exporting import export_dataset

    made, top = export_dataset("alanine-dipeptide", tmp_path / "a.xtc", stride=40)
    arrays = everything(formats.read([made], topology=str(top), runs="time"))
    data = open_dataset("alanine-dipeptide")
    runs = np.unique(data.array("run"), return_inverse=True)[1]
    times = data.array("time")
    frames = [int(np.flatnonzero((runs == r) & np.isclose(times, t))[0])
              for r, t in zip(arrays[keys.RUN], arrays[keys.TIME], strict=True)]  # fmt: skip
    assert len(set(frames)) == len(frames) and arrays[keys.RUN].max() == runs.max() > 0
    np.testing.assert_allclose(arrays[keys.POSITIONS], data.array("positions", np.array(frames)), atol=0.012)
    dcd, options = save(trajectory(), tmp_path, "dcd")
    with pytest.raises(ConfigError, match="tells no times: runs=time needs them"):
        formats.read([dcd], runs="time", **options)


def test_pdb_files_are_matched_by_name(tmp_path: Path) -> None:
    whole = trajectory(boxed=False)
    first, _ = save(whole[:3], tmp_path, "pdb", "a")
    whole[3:].save_pdb(str(tmp_path / "b.pdb"))
    turned: list[str] = []
    for line in (tmp_path / "b.pdb").read_text().splitlines():
        turned.append(line)
        if line.startswith("MODEL"):
            start = len(turned)
        if line.startswith("ENDMDL"):  # the acetyl group backwards
            turned[start : start + 6] = turned[start : start + 6][::-1]
    (tmp_path / "b.pdb").write_text("\n".join(turned) + "\n")
    arrays = everything(formats.read([first, tmp_path / "b.pdb"]))
    np.testing.assert_allclose(arrays[keys.POSITIONS], whole.xyz * 10, atol=0.0012)
    (tmp_path / "b.pdb").write_text("\n".join(turned).replace(" CB  ALA", " CG  ALA") + "\n")
    with pytest.raises(
        DataError, match=r"b\.pdb: 22 atoms, other.*lacks CB of residue 2; has CG of residue 2"
    ):
        everything(formats.read([first, tmp_path / "b.pdb"]))


def refusals(folder: Path) -> dict[str, tuple[list[Path], dict[str, object], str]]:
    """Requests that cannot be met, and what the error must say."""
    whole = trajectory(waters=2)
    xtc, top = save(whole, folder, "xtc")
    dcd, _ = save(whole, folder, "dcd")
    pdb, _ = save(whole, folder, "pdb")
    (folder / "sub").mkdir(exist_ok=True)
    other_top = save(trajectory(waters=3), folder / "sub", "xtc", "other")[1]
    (folder / "cut.xtc").write_bytes(xtc.read_bytes()[:-30])
    (folder / "cut.dcd").write_bytes(dcd.read_bytes()[:-30])
    (folder / "no.txt").write_text("hello")
    (folder / "empty.xtc").write_bytes(b"")
    torn = wrapped(whole)
    torn.unitcell_vectors = None
    torn.save(str(folder / "torn.dcd"))
    holed = trajectory()
    holed.xyz[4, 3, 1] = np.nan
    holed.save(str(folder / "nan.trr"))
    holed[0].save_pdb(str(folder / "alone.pdb"))
    return {
        "no topology": ([xtc], {}, "do not name their atoms: say `--set topology=FILE`"),
        "topology missing": ([xtc], {"topology": "nowhere.pdb"}, "nowhere.pdb: there is no such file"),
        "topology of a kind": (
            [xtc],
            {"topology": str(folder / "no.txt")},
            "files that end on .pdb",
        ),
        "topology of another": ([xtc], other_top, "has 28 particles, the topology top.pdb 31"),
        "cut xtc": ([folder / "cut.xtc"], top, "cut.xtc cannot be read as xtc"),
        "cut dcd": ([folder / "cut.dcd"], top, "not that of the 6 frames of 28 atoms"),
        "empty": ([folder / "empty.xtc"], top, "is empty"),
        "nonsense selection": ([xtc], top | {"select": "protien and"}, "cannot read select="),
        "empty selection": ([xtc], top | {"select": "resname LYS"}, "picks no atom.*ACE, ALA, HOH, NME"),
        "two formats": ([xtc, pdb], top, "several formats: a.xtc is xtc, a.pdb is pdb.*topology=FILE"),
        "torn without a box": ([folder / "torn.dcd"], top, "Å long, and the files tell no box"),
        "NaN": ([folder / "nan.trr"], {"topology": str(folder / "alone.pdb")}, "NaN or infinity in frame 4"),
        "periodic without a box": (
            [pdb],
            {"periodic": True, "units": "lj"},
            "'units': input should be 'ase'",
        ),
        "bad stride": ([xtc], top | {"stride": 0}, "'stride'.*greater than or equal to 1"),
        "format by force": ([dcd], top | {"format": "xtc"}, "cannot be read as xtc|damaged"),
    }


def test_refusals(tmp_path: Path) -> None:
    for case, (paths, options, message) in refusals(tmp_path).items():
        with pytest.raises(ZooError, match=message) as caught:
            everything(formats.read(paths, **options))
        assert "\n" not in str(caught.value), case


def test_unknown_option_suggests(tmp_path: Path) -> None:
    path, options = save(trajectory(), tmp_path, "xtc")
    with pytest.raises(UnknownName, match="option of format xtc named 'topologie'.*Did you mean 'topology'"):
        formats.read([path], topologie=options["topology"])
    with pytest.raises(UnknownName, match="option of format pdb named 'energy_units'"):
        formats.read([Path(options["topology"])], energy_units="eV")


def test_damaged_xtc(tmp_path: Path) -> None:
    """Of these, some make mdtraj's C code write out of bounds, which may kill the child."""
    rng = np.random.default_rng(0)
    path, options = save(trajectory(waters=2), tmp_path, "xtc")
    sound = path.read_bytes()
    for _ in range(6):
        damaged = bytearray(sound)
        for at in rng.integers(0, len(sound), 3):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            found = everything(formats.read([path], **options))
            assert found[keys.POSITIONS].shape[1:] == (28, 3) and np.isfinite(found[keys.POSITIONS]).all()
        except ZooError as error:
            assert "\n" not in str(error)


def test_a_crash_of_the_compiled_reader_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, options = save(trajectory(), tmp_path, "xtc")
    (tmp_path / "crashing.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("zoo.data.formats.compiled.CHILD", "crashing")
    with pytest.raises(DataError, match=r"a\.xtc is damaged: reading it as xtc crashed the reader"):
        formats.read([path], **options)


@pytest.mark.parametrize("frames", [1, 2, 42, 43])
def test_ase_trajectories_of_any_length(tmp_path, frames):
    """ASE's table of frames has room for 1, then 42, then 42² entries."""
    path = tmp_path / "a.traj"
    with ase.io.Trajectory(path, "w") as file:
        for i in range(frames):
            file.write(ase.Atoms("CO", positions=[[0, 0, 0], [0, 0, 1.1 + i * 1e-4]]))
    assert len(formats.read([path]).arrays["positions"]) == frames
    content = bytearray(path.read_bytes())
    content[32:40] = (frames - 1).to_bytes(8, "little")  # the header tells one less
    path.write_bytes(content)
    with pytest.raises(DataError):
        formats.read([path])
