"""`zoo data import` of what ASE, OpenMM, numpy and mdshare write, from the files to a dataset folder."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from molecules_on_disk import topology, trajectory, wrapped

from zoo import keys
from zoo.cli.app import main
from zoo.data import formats
from zoo.data.dataset import Dataset
from zoo.data.entry import RawData
from zoo.datasets.alanine_dipeptide.molecule import ATOMS, dihedrals
from zoo.errors import ConfigError, DataError, ZooError
from zoo.units import EV_PER_KCAL_MOL, EV_PER_KJ_MOL
from zoo.verbs.importing import import_dataset


def everything(raw: RawData) -> dict[str, np.ndarray]:
    parts = [raw.arrays, *raw.more]
    return {name: np.concatenate([part[name] for part in parts]) for name in raw.arrays}


# --- ASE -------------------------------------------------------------------------------------


def images(frames: int = 5, periodic: bool = True) -> list:
    """Copper with a vacancy that ASE's own potential labels, heated so that it has momenta."""
    from ase.build import bulk
    from ase.calculators.emt import EMT
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution

    rng = np.random.default_rng(3)
    out = []
    for _ in range(frames):
        atoms = bulk("Cu", cubic=True) * (2, 2, 2)
        del atoms[5]
        atoms.numbers[:4] = 28
        atoms.pbc = periodic
        atoms.set_cell(atoms.cell @ np.array([[1, 0, 0], [0.1, 1, 0], [0, 0.05, 1]]), scale_atoms=True)
        atoms.rattle(0.05, rng=rng)
        MaxwellBoltzmannDistribution(atoms, temperature_K=500, rng=rng)
        atoms.calc = EMT()
        results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
        atoms.calc = SinglePointCalculator(atoms, **results)
        out.append(atoms)
    return out


@pytest.mark.parametrize("ending", ["extxyz", "xyz.gz", "traj"])
def test_ase_formats(ending: str, tmp_path: Path) -> None:
    from ase import units
    from ase.io import write

    frames, path = images(), tmp_path / f"a.{ending}"
    write(path, frames, format="traj" if ending == "traj" else "extxyz")
    raw = formats.read([path])
    arrays = everything(raw)
    # extxyz prints 8 decimals; float32 of up to 10 Å
    np.testing.assert_allclose(arrays[keys.POSITIONS], [a.positions for a in frames], atol=1e-6)
    np.testing.assert_allclose(arrays[keys.CELLS], [a.cell.array for a in frames], atol=1e-6)
    np.testing.assert_allclose(arrays[keys.ENERGIES], [a.get_potential_energy() for a in frames], atol=1e-7)
    np.testing.assert_allclose(arrays[keys.FORCES], [a.get_forces() for a in frames], atol=1e-6)
    per_ps = [a.get_velocities() * 1000 * units.fs for a in frames]
    np.testing.assert_allclose(arrays[keys.VELOCITIES], per_ps, atol=1e-5)
    assert raw.system.types.tolist() == frames[0].numbers.tolist() and raw.system.pbc == (True,) * 3
    assert raw.system.type_names == {28: "Ni", 29: "Cu"}
    np.testing.assert_allclose(raw.system.masses, frames[0].get_masses())


def test_velocities_have_the_temperature_they_were_drawn_at(tmp_path: Path) -> None:
    """Equipartition: 0.5 m v² in eV by our units is 1.5 kT; 93 velocities a frame, 40 frames: 2.3 % = 1 σ."""
    from ase.io import write

    write(tmp_path / "a.extxyz", images(40))
    raw = formats.read([tmp_path / "a.extxyz"])
    v2 = (raw.arrays[keys.VELOCITIES].astype(float) ** 2).sum(-1)
    # amu Å²/ps² in eV: 1.66053907e-27 kg × 1e4 m²/s² / 1.602176634e-19 J
    kinetic = 0.5 * raw.system.masses * v2 * 1.66053906660e-27 * 1e4 / 1.602176634e-19
    temperature = kinetic.mean() / (1.5 * 8.617333262e-5)
    assert abs(temperature / 500 - 1) < 4 * np.sqrt(2 / (3 * 31 * 40))


def test_slab_and_molecule_and_names(tmp_path: Path) -> None:
    from ase.io import write

    slab = images(2)
    for atoms in slab:
        atoms.pbc = (True, True, False)
    write(tmp_path / "slab.extxyz", slab)
    assert formats.read([tmp_path / "slab.extxyz"]).system.pbc == (True, True, False)
    free = images(2, periodic=False)
    for atoms in free:
        atoms.info["REF_energy"] = 2.5
    write(tmp_path / "free.extxyz", free)
    raw = formats.read([tmp_path / "free.extxyz"], energy="REF_energy")
    assert raw.system.pbc == (False,) * 3 and keys.CELLS not in raw.arrays
    assert raw.arrays[keys.ENERGIES].tolist() == [2.5, 2.5]


def test_plain_xyz_asks_for_units(tmp_path: Path) -> None:
    path = tmp_path / "a.xyz"
    path.write_text("2\nhello\nO 0 0 0\nH 0.1 0 0\n2\n\nO 0 0 0\nH 0 0.09 0\n")
    with pytest.raises(ConfigError, match="tells no units: say `--set units=angstrom` or `units=nm`"):
        formats.read([path])
    np.testing.assert_allclose(formats.read([path], units="nm").arrays[keys.POSITIONS][1, 1], [0, 0.9, 0])


def test_reduced_units_come_back_from_an_export(tmp_path: Path) -> None:
    from zoo.data.catalog import open_dataset
    from zoo.verbs.exporting import export_dataset

    data = open_dataset("kob-andersen")
    (made,) = export_dataset("kob-andersen", tmp_path / "a.xyz")
    raw = formats.read([made], temperature=0.64)
    arrays, system = everything(raw), data.system
    assert raw.units == "lj" and raw.array_units["energies"] == "ε" and raw.array_units["time"] == "τ"
    assert raw.system.types.tolist() == system.types.tolist()
    assert raw.system.type_names == system.type_names and raw.system.pbc == system.pbc
    np.testing.assert_allclose(raw.system.masses, system.masses)
    np.testing.assert_allclose(arrays["positions"], data.array("positions"), rtol=0, atol=1e-7)
    np.testing.assert_allclose(arrays["cell"], data.array("cell"), rtol=1e-12)
    np.testing.assert_allclose(arrays["energies"], data.array("energies"), rtol=1e-9)
    for name in ("run", "time"):
        np.testing.assert_array_equal(arrays[name], data.array(name))
    assert not raw.provenance["notes"]
    (tmp_path / "b.xyz").write_text(made.read_text().replace(" units=lj", ""))
    said = formats.read([tmp_path / "b.xyz"], units="lj")
    np.testing.assert_array_equal(everything(said)["positions"], arrays["positions"])
    with pytest.raises(DataError, match="one says units=lj, the other does not"):
        formats.read([made, tmp_path / "b.xyz"])
    with pytest.raises(ConfigError, match="name atoms"):
        formats.read([made], select="type 1")
    (tmp_path / "c.xyz").write_text(made.read_text().replace("type:I:1", "kind:I:1"))
    with pytest.raises(DataError, match="need a column `type`, species numbers from 0"):
        formats.read([tmp_path / "c.xyz"])
    import_dataset("my-glass", [made], tmp_path / "glass")
    assert open_dataset(str(tmp_path / "glass")).units.name == "lj"


def test_velocities_forces_and_masses_in_reduced_units_and_a_plane(tmp_path: Path) -> None:
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.io import write

    rng = np.random.default_rng(0)
    positions, velocities, forces = rng.uniform(0, 4, (3, 6, 3))
    positions[:, 2] = 0
    atoms = Atoms("X6", positions, cell=[4, 4, 1], pbc=[True, True, False], masses=[1, 1, 1, 2, 2, 2])
    atoms.new_array("type", np.array([0, 0, 0, 1, 1, 1]))
    atoms.set_velocities(velocities)
    atoms.calc = SinglePointCalculator(atoms, forces=forces)
    write(tmp_path / "a.xyz", atoms, format="extxyz")
    raw = formats.read([tmp_path / "a.xyz"], units="lj")
    np.testing.assert_allclose(raw.arrays["velocities"][0], velocities, atol=1e-6)
    np.testing.assert_allclose(raw.arrays["forces"][0], forces, atol=1e-6)
    assert raw.system.masses.tolist() == [1, 1, 1, 2, 2, 2]
    assert raw.system.pbc == (True, True, False) and raw.system.parameters == {"dimensions": 2}


def test_time_and_run_of_the_comment_line(tmp_path: Path) -> None:
    from ase.io import write

    frames, path = images(4), tmp_path / "a.extxyz"
    for atoms, run, time in zip(frames, [3, 3, 5, 5], [1.0, 2.0, 0.5, 1.5], strict=True):
        atoms.info.update(run=run, time=1000 * time, time_unit="fs", author="me")
        atoms.calc.results["stress"] = np.zeros(6)
    write(path, frames, format="extxyz")
    raw = formats.read([path])
    arrays = everything(raw)
    assert arrays["run"].tolist() == [3, 3, 5, 5] and arrays["time"].tolist() == [1.0, 2.0, 0.5, 1.5]
    assert raw.array_units["time"] == "ps"
    assert raw.provenance["notes"] == ["left out of the frames: author, stress"]
    for atoms in frames:
        del atoms.info["time_unit"]  # nothing says what its numbers mean
    write(path, frames, format="extxyz")
    raw = formats.read([path])
    assert "time" not in everything(raw)
    assert raw.provenance["notes"] == ["left out of the frames: author, stress, time"]
    del frames[2].info["run"]
    write(path, frames, format="extxyz")
    with pytest.raises(DataError, match="frame 2: some frames have run, some not"):
        formats.read([path])


def test_a_dataset_is_not_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ase.io import write

    write(tmp_path / "a.extxyz", images(4))
    folder = import_dataset("my-metal", [tmp_path / "a.extxyz"], tmp_path / "metal")
    assert main(["data", "import", "again", str(folder), "--out", str(tmp_path / "b")]) == 2
    assert "metal is a dataset already" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


def _bad_ase(folder: Path) -> dict[str, tuple[Path, str]]:
    from ase.io import write

    one, two = images(2)
    path = folder / "good.extxyz"
    write(path, [one, two])
    text = path.read_text()
    swapped = two[[*range(30, -1, -1)]]
    fewer = two[:30]
    unlabelled = two.copy()
    cases = {
        "order": ([one, swapped], "frame 1: atom 0 is Cu, in order.extxyz it has atomic number 28"),
        "fewer": ([one, fewer], "frame 1 has 30 atoms, fewer.extxyz has 31"),
        "unlabelled": ([one, unlabelled], "some frames have energies, forces, some not"),
    }
    out = {}
    for name, (frames, message) in cases.items():
        write(folder / f"{name}.extxyz", frames)
        out[name] = folder / f"{name}.extxyz", message
    texts = {
        "cut": (text[: len(text) - 150], "cannot be read as extxyz, in frame"),
        "letters": (text.replace("Cu  ", "Cu x", 1), "cannot be read as extxyz, in frame 0"),
        "element": (text.replace("Cu ", "Qq "), "cannot be read as extxyz, in frame 0"),
    }
    for name, (content, message) in texts.items():
        (folder / f"{name}.extxyz").write_text(content)
        out[name] = folder / f"{name}.extxyz", message
    write(folder / "a.traj", [one, two])
    whole = (folder / "a.traj").read_bytes()
    (folder / "cut.traj").write_bytes(whole[: len(whole) // 2])
    out["cut traj"] = folder / "cut.traj", "cannot be read as ASE's trajectory"
    return out


def test_ase_refusals(tmp_path: Path) -> None:
    for case, (path, message) in _bad_ase(tmp_path).items():
        with pytest.raises(ZooError, match=message) as caught:
            everything(formats.read([path]))
        assert "\n" not in str(caught.value), case


def test_pickled_ase_trajectory_is_not_opened(tmp_path: Path) -> None:
    """What ASE wrote before 2016 begins `PickleTrajectory`; our readers do not know it."""
    path = tmp_path / "old.traj"
    path.write_bytes(b"PickleTrajectory" + bytes(50))
    with pytest.raises(DataError, match="none of the known formats"):
        formats.read([path])
    with pytest.raises(DataError, match="cannot be read as ASE's trajectory"):
        formats.read([path], "ase-traj")


# --- OpenMM ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list]:
    """Three states of the peptide in vacuum, saved by OpenMM, and the states themselves."""
    openmm = pytest.importorskip("openmm")
    from openmm import app, unit

    folder = tmp_path_factory.mktemp("states")
    whole = trajectory(1, boxed=False)
    whole.save_pdb(str(folder / "top.pdb"))
    force_field = app.ForceField("amber99sbildn.xml")
    pdb = app.PDBFile(str(folder / "top.pdb"))
    system = force_field.createSystem(pdb.topology)
    platform = openmm.Platform.getPlatformByName("Reference")
    integrator = openmm.LangevinMiddleIntegrator(300, 1.0, 0.001)
    integrator.setRandomNumberSeed(1)
    context = openmm.Context(system, integrator, platform)
    context.setPositions(pdb.positions)
    openmm.LocalEnergyMinimizer.minimize(context, maxIterations=50)
    context.setVelocitiesToTemperature(300 * unit.kelvin, 1)
    found = []
    for number in range(3):
        integrator.step(50)
        state = context.getState(positions=True, velocities=True, forces=True, energy=True)
        (folder / f"state_{number}.xml").write_text(openmm.XmlSerializer.serialize(state))
        found.append(state)
    return folder, found


def test_openmm_states(states: tuple[Path, list]) -> None:
    from openmm import unit

    folder, found = states
    options = {"topology": str(folder / "top.pdb"), "periodic": False}
    arrays = everything(formats.read(sorted(folder.glob("state_*.xml")), **options))
    per_mole = unit.AVOGADRO_CONSTANT_NA
    for i, state in enumerate(found):
        ours = {name: array[i] for name, array in arrays.items()}
        positions = state.getPositions(asNumpy=True).value_in_unit(unit.angstrom)
        np.testing.assert_allclose(ours[keys.POSITIONS], positions, rtol=1e-6)
        velocities = state.getVelocities(asNumpy=True).value_in_unit(unit.angstrom / unit.picosecond)
        np.testing.assert_allclose(ours[keys.VELOCITIES], velocities, rtol=1e-6)
        # OpenMM's own units: energies per mole, so eV needs Avogadro's number
        energy = (state.getPotentialEnergy() / per_mole).value_in_unit(unit.elementary_charge * unit.volt)
        assert ours[keys.ENERGIES] == pytest.approx(energy, rel=1e-7)
        forces = state.getForces(asNumpy=True) / per_mole
        forces = forces.value_in_unit(unit.elementary_charge * unit.volt / unit.angstrom)
        np.testing.assert_allclose(ours[keys.FORCES], forces, rtol=1e-5, atol=1e-6)
        assert ours[keys.TIME] == pytest.approx(state.getTime().value_in_unit(unit.picosecond))


def test_openmm_states_refused(states: tuple[Path, list], tmp_path: Path) -> None:
    folder, _ = states
    one, top = folder / "state_0.xml", {"topology": str(folder / "top.pdb")}
    with pytest.raises(ConfigError, match="tells a box also where there is none: say `--set periodic"):
        formats.read([one], **top)
    boxed = formats.read([one], periodic=True, **top)
    np.testing.assert_allclose(boxed.arrays[keys.CELLS][0], 20 * np.eye(3))  # OpenMM's default box of 2 nm
    text = one.read_text()
    damage = {
        "cut": (text[:-400], "is no whole XML file"),
        "letters": (text.replace('x="', 'x="a', 1), "PeriodicBoxVectors|of a .* is 'a"),
        "missing": (text.replace("<Positions>", "<P>").replace("</Positions>", "</P>"), "holds no positions"),
    }
    for content, message in damage.values():
        (tmp_path / "bad.xml").write_text(content)
        with pytest.raises(DataError, match=message):
            everything(formats.read([tmp_path / "bad.xml"], periodic=True, **top))


# --- numpy -----------------------------------------------------------------------------------


def test_npz_with_topology_and_units(tmp_path: Path) -> None:
    whole = trajectory(frames=8, waters=2)
    rng = np.random.default_rng(0)
    forces, energies = rng.normal(size=whole.xyz.shape), rng.normal(size=8)
    run = np.repeat([4, 7], 4)
    path, top = tmp_path / "a.npz", {"topology": str(tmp_path / "top.pdb")}
    whole[0].save_pdb(top["topology"])
    np.savez(path, positions=whole.xyz, forces=forces, energies=energies, box=2.4, run=run)
    with pytest.raises(ConfigError, match="do not tell their units"):
        formats.read([path], **top)
    with pytest.raises(ConfigError, match=r"hold (forces|energies): say their unit.*energy_units=kJ/mol"):
        formats.read([path], units="nm", **top)
    for energy_units, factor in (("kJ/mol", EV_PER_KJ_MOL), ("kcal/mol", EV_PER_KCAL_MOL), ("eV", 1.0)):
        arrays = everything(formats.read([path], units="nm", energy_units=energy_units, **top))
        np.testing.assert_allclose(arrays[keys.POSITIONS], whole.xyz * 10, rtol=1e-6)
        np.testing.assert_allclose(arrays[keys.ENERGIES], energies * factor)
        np.testing.assert_allclose(arrays[keys.FORCES], forces * factor / 10, rtol=1e-5)
        np.testing.assert_allclose(arrays[keys.CELLS][0], 24 * np.eye(3))
        assert arrays[keys.RUN].tolist() == run.tolist()
    alone = formats.read([path], units="nm", energy_units="eV", select="resid 0 to 2", **top)
    assert alone.arrays[keys.POSITIONS].shape == (4, 22, 3) and alone.system.pbc == (False,) * 3
    assert keys.ENERGIES not in alone.arrays
    np.savez(path, positions=whole.xyz, types=np.full(28, 6))
    with pytest.raises(DataError, match="types are not the atomic numbers of the topology"):
        formats.read([path], units="nm", **top)


def test_npy_of_flat_and_single_frames(tmp_path: Path) -> None:
    whole = trajectory(boxed=False)
    whole[0].save_pdb(str(tmp_path / "top.pdb"))
    options = {"topology": str(tmp_path / "top.pdb"), "units": "nm"}
    for shape in ((6, 22, 3), (6, 66)):
        np.save(tmp_path / "a.npy", whole.xyz.reshape(shape))
        found = everything(formats.read([tmp_path / "a.npy"], **options))[keys.POSITIONS]
        np.testing.assert_allclose(found, whole.xyz * 10, rtol=1e-6)
    with pytest.raises(DataError, match="Å long, and the files tell no box"):  # nm twice
        np.save(tmp_path / "a.npy", whole.xyz * 10)
        formats.read([tmp_path / "a.npy"], **options)
    np.save(tmp_path / "b.npy", whole.xyz[:, :21])
    with pytest.raises(DataError, match=r"expected \[frames, 22, 3\] by the topology's atoms"):
        formats.read([tmp_path / "b.npy"], **options)
    np.save(tmp_path / "c.npy", np.array([object()], object), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read as npy"):
        formats.read([tmp_path / "c.npy"], **options)


def test_published_frames_have_the_energies_of_300_kelvin(shared_data: Path, tmp_path: Path) -> None:
    """frames-1000.npy is in nm and of the published topology: only so are its energies a molecule's.

    By equipartition the potential energy lies 60/2 kT or so above a minimum's, with Var U / (kT)² near 30.
    """
    openmm = pytest.importorskip("openmm")
    from openmm import app

    folder = shared_data / "alanine-dipeptide"
    top = folder / "alanine-dipeptide-gbsa.prmtop"
    out = import_dataset(
        "alanine-dipeptide",
        [folder / "frames-1000.npy"],
        tmp_path / "ad",
        options={"units": "nm", "topology": str(top), "stride": 10, "temperature": 300.0},
    )
    dataset = Dataset(out)
    assert dataset.system.atom_names == tuple(atom for _, atom, _ in ATOMS)
    assert len(dataset) == 100 and dataset.temperature == 300
    system = app.AmberPrmtopFile(str(top)).createSystem(implicitSolvent=app.OBC1)
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
    )

    def energy(positions: np.ndarray) -> float:
        context.setPositions(positions.astype(float) / 10)
        return context.getState(energy=True).getPotentialEnergy()._value / (8.314462618e-3 * 300)

    energies = np.array([energy(x) for x in dataset.array(keys.POSITIONS)])
    openmm.LocalEnergyMinimizer.minimize(context)
    lowest = context.getState(energy=True).getPotentialEnergy()._value / (8.314462618e-3 * 300)
    # 100 correlated frames: the mean to 1 or 2 kT, the variance to some 30 %
    assert 24 < (energies - lowest).mean() < 36
    assert 15 < energies.var() < 60


# --- mdshare ---------------------------------------------------------------------------------

HEAVY = [i for i, (_, _, number) in enumerate(ATOMS) if number > 1]
MDSHARE_BOX = 2.3222


def mdshare(folder: Path, frames: int = 12) -> tuple[Path, list[np.ndarray]]:
    """Its npz of positions in small: float32, nm, x y z of ten heavy atoms in turn; some frames are torn."""
    runs = [trajectory(frames, seed=seed).xyz[:, HEAVY] for seed in range(3)]
    path = folder / "alanine-dipeptide-3x250ns-heavy-atom-positions.npz"
    flat = [np.mod(x, MDSHARE_BOX).reshape(frames, 30).astype(np.float32) for x in runs]
    np.savez(path, *flat)
    return path, runs


def test_mdshare_heavy_atoms(tmp_path: Path) -> None:
    path, runs = mdshare(tmp_path)
    raw = formats.read([path])
    arrays = everything(raw)
    assert raw.provenance["format"] == "mdshare" and raw.temperature == 300 and raw.system.pbc == (False,) * 3
    assert arrays[keys.RUN].tolist() == [0] * 12 + [1] * 12 + [2] * 12
    assert arrays[keys.TIME][:13].tolist() == [*range(12), 0]
    wanted = np.concatenate(runs) * 10
    found = arrays[keys.POSITIONS]
    np.testing.assert_allclose(found - found[:, :1], wanted - wanted[:, :1], atol=2e-5)
    assert raw.system.types.tolist() == [6, 6, 8, 7, 6, 6, 6, 8, 7, 6] and len(raw.system.bonds) == 9


def test_mdshare_refusals(tmp_path: Path) -> None:
    path, runs = mdshare(tmp_path)
    with pytest.raises(DataError, match="10 atoms, other.*22 of ACE-ALA-NME.*import under another NAME"):
        import_dataset("alanine-dipeptide", [path], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    angles = tmp_path / "alanine-dipeptide-3x250ns-backbone-dihedrals.npz"
    np.savez(angles, *[np.zeros((5, 2), np.float32)] * 3)
    with pytest.raises(DataError, match="holds backbone dihedrals, no positions: import alanine"):
        formats.read([angles])
    np.savez(angles, *[np.zeros((5, 45), np.float32)] * 3)
    with pytest.raises(DataError, match="holds distances of heavy atoms, no positions"):
        formats.read([angles])
    np.savez(path, runs[0].transpose(0, 2, 1).reshape(-1, 30))  # all x, then all y, then all z
    with pytest.raises(DataError, match="columns are not mdshare's"):
        formats.read([path])
    np.savez(path, runs[0].reshape(-1, 30) * 10)  # Å
    with pytest.raises(DataError, match="columns are not mdshare's"):
        formats.read([path])


def test_mdshare_xtc_with_pdb_becomes_the_entry(tmp_path: Path) -> None:
    """Its xtc files with its pdb, whose names and order are not the entry's."""
    order = [4, 1, 5, 0, 2, 3, *range(6, 16), 16, 18, 17, 19, 20, 21]
    names = {(1, "H"): "HN"}
    runs = [trajectory(8, seed=seed) for seed in range(3)]
    paths = []
    for number, whole in enumerate(runs):
        mixed = whole.atom_slice(order)
        for atom in mixed.topology.atoms:
            atom.name = names.get((atom.residue.index, atom.name), atom.name)
        wrapped(mixed).save(str(tmp_path / f"alanine-dipeptide-{number}-250ns-nowater.xtc"))
        paths.append(tmp_path / f"alanine-dipeptide-{number}-250ns-nowater.xtc")
        mixed[0].save_pdb(str(tmp_path / "alanine-dipeptide-nowater.pdb"))
    out = tmp_path / "out"
    top = str(tmp_path / "alanine-dipeptide-nowater.pdb")
    import_dataset(
        "alanine-dipeptide", paths, out, options={"topology": top, "runs": "files", "temperature": 300}
    )
    dataset = Dataset(out)
    assert dataset.system.types.tolist() == [number for _, _, number in ATOMS]
    assert np.unique(dataset.array(keys.RUN)).tolist() == [0, 1, 2]
    for ours, theirs in zip(
        dihedrals(np.asarray(dataset.array(keys.POSITIONS), float)),
        dihedrals(np.concatenate([whole.xyz for whole in runs]).astype(float)),
        strict=True,
    ):
        away = np.angle(np.exp(1j * (ours - theirs)))
        assert np.abs(away).max() < 0.03  # positions to 0.001 nm


# --- the command -----------------------------------------------------------------------------


def test_command_trains_on_what_it_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ase.io import write

    write(tmp_path / "a.extxyz", images(30))
    out = tmp_path / "mine"
    assert main(["data", "import", "my-metal", str(tmp_path / "a.extxyz"), "--out", str(out)]) == 0
    assert "30 frames × 31 particles" in capsys.readouterr().out
    assert main(["data", "check", str(out)]) == 0
    settings = ["model.hidden_channels=8", "model.num_filters=8", "train.batch_size=8"]
    command = ["train", "schnet", str(out), "--epochs", "1", "--out", str(tmp_path / "run")]
    for setting in settings:
        command += ["--set", setting]
    assert main([*command, "--accelerator", "cpu"]) == 0
    assert (tmp_path / "run" / "results.json").is_file()


def test_command_prints_notes_and_one_line_of_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = trajectory(frames=9, waters=4)
    wrapped(whole).save(str(tmp_path / "a.xtc"))
    whole[0].save_pdb(str(tmp_path / "top.pdb"))
    command = ["data", "import", "mine", str(tmp_path / "a.xtc"), "--out", str(tmp_path / "out")]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "topology=FILE" in error and not (tmp_path / "out").exists()
    with_top = [*command, "--set", f"topology={tmp_path / 'top.pdb'}", "--set", "select=not water"]
    assert main([*with_top, "--set", "selec=protein"]) == 2
    assert "Did you mean 'select'?" in capsys.readouterr().err
    assert main(with_top) == 0
    told = capsys.readouterr()
    assert "9 frames × 22 particles" in told.out and "made whole" in told.err
    assert Dataset(tmp_path / "out").manifest.splits.keys() == {"train", "val", "test"}


def test_damage_behind_the_first_chunk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trajectory(frames=30)
    whole.save(str(tmp_path / "a.xtc"))
    whole[0].save_pdb(str(tmp_path / "top.pdb"))
    (tmp_path / "a.xtc").write_bytes((tmp_path / "a.xtc").read_bytes()[:-20])
    monkeypatch.setattr("zoo.data.formats.compiled.CHUNK_BYTES", 12 * 22 * 5)
    options = {"topology": str(tmp_path / "top.pdb")}
    with pytest.raises(DataError, match="cannot be read as xtc"):
        import_dataset("mine", [tmp_path / "a.xtc"], tmp_path / "out", options=options)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.xtc", "top.pdb"]


def test_help_names_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    main(["data", "import", "--help"])
    told = capsys.readouterr().out
    assert not [name for name in formats.FORMATS if name not in told]


def test_gzipped_topology(tmp_path: Path) -> None:
    whole = trajectory()
    whole.save(str(tmp_path / "a.dcd"))
    whole[0].save_pdb(str(tmp_path / "top.pdb"))
    with gzip.open(tmp_path / "top.pdb.gz", "wb") as file:
        file.write((tmp_path / "top.pdb").read_bytes())
    raw = formats.read([tmp_path / "a.dcd"], topology=str(tmp_path / "top.pdb.gz"))
    assert len(raw.system.bonds) == topology().n_bonds


def test_insulin_is_one_molecule_by_its_disulfides(shared_data: Path) -> None:
    """Chains A and B hold together by A7–B7 and A20–B19; A6–A11 is within A."""
    raw = formats.read([shared_data / "insulin" / "4ins_AB_monomer.pdb"], select="name CA")
    assert raw.arrays[keys.POSITIONS].shape == (1, 51, 3) and raw.system.pbc == (False,) * 3
    assert np.bincount(raw.system.chains).tolist() == [21, 30]
    system = formats.read([shared_data / "insulin" / "4ins_AB_monomer.pdb"]).system
    sulfurs = [b for b in system.bonds if all(system.types[b] == 16)]
    # residues from 0, chain A's 21 before chain B's 30
    assert sorted(sorted(system.residues[b].tolist()) for b in sulfurs) == [[5, 10], [6, 27], [19, 39]]


# --- published splits of the glass sets -------------------------------------------------------


def glass(folder: Path, number: int) -> Path:
    """One file of BOTAN's layout."""
    rng = np.random.default_rng(number)
    folder.mkdir(parents=True, exist_ok=True)
    start = rng.uniform(0, (60 / 1.2) ** (1 / 3), (60, 3))
    path = folder / f"isoconfig_N60T0.44_{number}_tc07.npz"
    ends = start + rng.normal(scale=0.3, size=(4, 60, 3))
    np.savez(path, types=np.repeat([0, 1], [48, 12]), initial_positions=start, positions=ends)
    return path


def test_published_test_set_stays_test(tmp_path: Path) -> None:
    train = [glass(tmp_path / "T0.44" / "train", k) for k in range(1, 11)]
    test = [glass(tmp_path / "T0.44" / "test", k) for k in range(11, 15)]
    out = import_dataset("kob-andersen", [tmp_path / "T0.44"], tmp_path / "out")
    dataset = Dataset(out)
    assert {name: len(dataset.split(name)) for name in dataset.manifest.splits} == {
        "train": 8, "val": 2, "test": 4,
    }  # fmt: skip
    held_out = {formats.read([path]).arrays[keys.POSITIONS].tobytes() for path in test}
    stored = dataset.split("test").array(keys.POSITIONS)
    assert {frame.tobytes() for frame in stored} == held_out
    raw = formats.read([tmp_path / "T0.44" / "test"])
    assert raw.splits == {"test": [(0, 4)]}
    assert formats.read(train).splits is None
    (tmp_path / "T0.44" / "train" / "copy_T0.44_99_tc08.npz").write_bytes(test[0].read_bytes())
    with pytest.raises(DataError, match="one configuration in two published splits"):
        formats.read([tmp_path / "T0.44"])
    outside = glass(tmp_path, 20)
    with pytest.raises(DataError, match="lies in a folder train, .* in none"):
        formats.read([*train, outside])
