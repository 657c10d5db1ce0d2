"""LAMMPS's own dumps, against what LAMMPS had in memory (`gather_atoms`), and against ASE's reader."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import lammps_polymer as polymer
import numpy as np
import pytest
from lammps_polymer import BONDS, Melt, Truth

from zoo import keys
from zoo.data import formats
from zoo.data.entry import RawData
from zoo.data.formats.lammps_units import STYLES
from zoo.errors import ConfigError, DataError, ZooError

pytest.importorskip("lammps")

#: Columns of each dump that is written.
DUMPS = {
    "xu": "id mol type xu yu zu vx vy vz fx fy fz",
    "images": "id type x y z ix iy iz",
    "scaled images": "ix iy iz xs ys zs type id",
    "xs": "zs id xs type ys",
    "xsu": "id type xsu ysu zsu c_pe q",
    "x": "fz fy fx id type x y z",
    "no id": "type x y z",
}
BOXES = {
    "orthogonal": {},
    "triclinic": {"tilt": (1.2, -0.7, 0.9)},
    "npt": {"npt": True},
    "npt triclinic": {"tilt": (1.2, -0.7, 0.9), "npt": True},
}
TELLS_IMAGES = ("xu", "images", "scaled images", "xsu")


def where(folder: Path, dump: str) -> Path:
    return folder / f"{dump.replace(' ', '-')}.dump"


@pytest.fixture(scope="module")
def melts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Truth]]:
    """One short simulation for each kind of box, with all dumps and the data file of its end."""
    made = {}
    for box, options in BOXES.items():
        folder = tmp_path_factory.mktemp(box.replace(" ", "-"))
        melt = Melt(folder, **options)
        for number, (name, columns) in enumerate(DUMPS.items()):
            columns = columns.replace(" q", "")
            melt.do(
                f"dump {number} all custom 25 {where(folder, name)} {columns}",
                f"dump_modify {number} format float %.12g",
            )
        melt.do("dump_modify 0 units yes time yes", f"dump_modify {len(DUMPS) - 1} sort id")
        melt.do(f"dump plain all atom 25 {folder / 'plain.dump'}")
        made[box] = (folder, melt.advance())
        melt.do(f"write_data {folder / 'end.data'}")
        melt.close()
    return made


@pytest.fixture(scope="module")
def melt(melts: dict[str, tuple[Path, Truth]]) -> tuple[Path, Truth]:
    return melts["orthogonal"]


def bond_vectors(positions: np.ndarray) -> np.ndarray:
    ends = np.array(BONDS)
    return positions[:, ends[:, 1]] - positions[:, ends[:, 0]]


def same_up_to_cells(positions: np.ndarray, truth: Truth) -> bool:
    moved = (positions - truth.array("unwrapped")) @ np.linalg.inv(truth.array("cells"))
    return bool(np.abs(moved - np.round(moved)).max() < 1e-6)


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("dump", [*DUMPS, "plain"])
def test_positions_are_those_in_memory(box: str, dump: str, melts: dict[str, tuple[Path, Truth]]) -> None:
    folder, truth = melts[box]
    settings = {"sorted": True} if dump == "no id" else {}
    raw = formats.read([where(folder, dump)], units="lj", topology=folder / "start.data", **settings)
    positions = raw.arrays[keys.POSITIONS]
    assert raw.system.pbc == (True, True, True) and positions.dtype == np.float32
    np.testing.assert_allclose(raw.arrays[keys.CELLS], truth.array("cells"), rtol=1e-12, atol=1e-12)
    tolerance = 2e-6 if dump != "plain" else 2e-5  # float32 of ~10 σ; `dump atom` writes six digits
    if dump in TELLS_IMAGES:
        assert raw.provenance["coordinates"] == "unwrapped"
        np.testing.assert_allclose(positions, truth.array("unwrapped"), atol=tolerance)
    else:
        assert raw.provenance["coordinates"] == "whole"
        assert dump == "plain" or same_up_to_cells(positions, truth)
        np.testing.assert_allclose(
            bond_vectors(positions), bond_vectors(truth.array("unwrapped")), atol=2 * tolerance
        )
    np.testing.assert_array_equal(raw.system.bonds, BONDS)
    np.testing.assert_array_equal(raw.system.chains, polymer.MOLECULES - 1)
    np.testing.assert_array_equal(raw.system.types, polymer.TYPES - 1)
    np.testing.assert_array_equal(raw.system.masses, np.where(polymer.TYPES == 1, 1.0, 2.5))


def test_a_molecule_does_cross_the_boundary(melt: tuple[Path, Truth]) -> None:
    """Else the tests above would show nothing; and `unwrapped=false` keeps wrapped positions."""
    folder, truth = melt
    raw = formats.read([where(folder, "xu")], topology=folder / "start.data", unwrapped=False)
    positions = raw.arrays[keys.POSITIONS]
    assert raw.provenance["coordinates"] == "wrapped"
    assert positions.min() >= 0 and positions.max() <= polymer.EDGE
    assert np.linalg.norm(bond_vectors(positions), axis=-1).max() > polymer.EDGE / 2
    assert same_up_to_cells(positions, truth)


def test_velocities_forces_energies_and_times(melts: dict[str, tuple[Path, Truth]]) -> None:
    for folder, truth in melts.values():
        raw = formats.read([where(folder, "xu")], topology=folder / "start.data", temperature=1.0)
        np.testing.assert_allclose(
            raw.arrays[keys.VELOCITIES], truth.array("velocities"), rtol=1e-6, atol=1e-7
        )
        np.testing.assert_allclose(raw.arrays[keys.FORCES], truth.array("forces"), rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(raw.arrays[keys.TIME], 0.004 * np.array(truth.steps), atol=1e-12)
        assert raw.temperature == 1.0 and keys.ENERGIES not in raw.arrays
        raw = formats.read([where(folder, "xsu")], units="lj", topology=folder / "start.data",
                           energies="c_pe", timestep=0.004)  # fmt: skip
        np.testing.assert_allclose(raw.arrays[keys.ENERGIES], truth.energies, rtol=1e-10)
        np.testing.assert_allclose(raw.arrays[keys.TIME], 0.004 * np.array(truth.steps), atol=1e-12)


@pytest.mark.parametrize("box", ["orthogonal", "triclinic"])
def test_ase_reads_the_same(box: str, melts: dict[str, tuple[Path, Truth]]) -> None:
    from ase.io import read

    folder, _ = melts[box]
    images = read(where(folder, "xu"), index=":", format="lammps-dump-text")
    raw = formats.read([where(folder, "xu")])
    assert len(images) == len(raw.arrays[keys.POSITIONS])
    for frame, image in enumerate(images):
        np.testing.assert_allclose(raw.arrays[keys.CELLS][frame], image.cell, atol=1e-9)
        # ASE keeps LAMMPS's origin; ours is 0
        shift = image.positions - raw.arrays[keys.POSITIONS][frame]
        np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=3e-6)
        np.testing.assert_allclose(raw.arrays[keys.FORCES][frame], image.get_forces(), rtol=1e-6, atol=1e-6)


def test_gzip_is_the_same(melt: tuple[Path, Truth], tmp_path: Path) -> None:
    folder, _ = melt
    packed = tmp_path / "xu.lammpstrj.gz"
    with gzip.open(packed, "wb") as file:
        file.write(where(folder, "xu").read_bytes())
    one, other = formats.read([packed]), formats.read([where(folder, "xu")])
    np.testing.assert_array_equal(one.arrays[keys.POSITIONS], other.arrays[keys.POSITIONS])
    assert one.system.to_json() == other.system.to_json()


def test_general_triclinic(tmp_path: Path) -> None:
    """LAMMPS rotates such a box for itself; both dumps of it have the same distances."""
    from zoo.engines.lammps import load_lammps

    lmp = load_lammps()(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    for command in (
        "units lj", "atom_modify map array",
        "lattice custom 1 a1 1 0.3 0.1 a2 0 1 0.2 a3 0.1 0.2 1 basis 0 0 0 triclinic/general",
        "create_box 1 NULL 0 3 0 3 0 3", "create_atoms 1 box", "mass 1 1",
        "pair_style soft 1", "pair_coeff * * 5",
        "displace_atoms all random 0.3 0.3 0.3 7", "velocity all create 1 3", "fix 1 all nve",
        f"dump 1 all custom 10 {tmp_path}/general.dump id type x y z ix iy iz vx vy vz",
        "dump_modify 1 triclinic/general yes format float %.12g",
        f"dump 2 all custom 10 {tmp_path}/rotated.dump id type xu yu zu vx vy vz",
        "dump_modify 2 format float %.12g", "run 20",
        f"write_data {tmp_path}/general.data triclinic/general",
    ):  # fmt: skip
        lmp.command(command)
    lmp.close()
    general, rotated = (
        formats.read([tmp_path / f"{name}.dump"], units="lj", unwrapped=True)
        for name in ("general", "rotated")
    )

    def invariants(raw: RawData) -> tuple[np.ndarray, ...]:
        x, v = raw.arrays[keys.POSITIONS].astype(float), raw.arrays[keys.VELOCITIES]
        r = x[:, :, None] - x[:, None]
        cell = raw.arrays[keys.CELLS]
        return (
            np.linalg.norm(r, axis=-1), cell @ cell.transpose(0, 2, 1), np.einsum("fijk,fik->fij", r, v),
            np.einsum("fijk,flk->fijl", r, cell),
        )  # fmt: skip

    assert not np.allclose(general.arrays[keys.CELLS], rotated.arrays[keys.CELLS], atol=0.1)
    for one, other in zip(invariants(general), invariants(rotated), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)  # float32
    last = formats.read([tmp_path / "general.data"], atom_style="atomic", boundary="p p p", unwrapped=True)
    np.testing.assert_allclose(last.arrays[keys.POSITIONS][0], general.arrays[keys.POSITIONS][-1], atol=1e-6)


@pytest.mark.parametrize("name", STYLES)
def test_units_against_the_constants_of_lammps(name: str) -> None:
    """Energies, times and charges that LAMMPS itself computes in each style come out alike in ours."""
    from zoo.engines.lammps import load_lammps

    lmp = load_lammps()(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    lmp.command(f"units {name}")
    kinetic, push, boltzmann, coulomb = (
        lmp.extract_global(key) for key in ("mvv2e", "ftm2v", "boltz", "qqr2e")
    )
    lmp.close()
    style, lj = STYLES[name], name == "lj"
    amu = 1.0 if lj else 1.0364269656e-4  # eV per amu (Å/ps)²
    # its constants are of CODATA 2006 and have up to nine digits; qqr2e of si and micro five
    energy = style.mass * style.velocity**2 * amu
    assert energy == pytest.approx(kinetic * style.energy, rel=1e-6)
    assert style.force / (style.mass * amu) * style.time == pytest.approx(push * style.velocity, rel=1e-6)
    assert boltzmann * style.energy == pytest.approx(style.system.boltzmann, rel=3e-6)
    square = 1.0 if lj else 14.399645  # e² / (4πε₀), eV Å
    assert coulomb * style.energy * style.length / style.charge**2 == pytest.approx(square, rel=1e-4)


def test_real_units_arrive_in_electronvolt_and_picoseconds(tmp_path: Path) -> None:
    """The same numbers under two styles: ratios are those of the SI."""
    path = dump(tmp_path / "a.dump", columns="id type element x y z vx vy vz fx fy fz")
    real = formats.read([path], units="real", timestep=2.0)
    metal = formats.read([path], units="metal", timestep=2.0)
    assert real.units == "ase" and real.array_units[keys.FORCES] == "eV/Å"
    assert real.system.type_names == {1: "H", 8: "O"}
    np.testing.assert_allclose(real.system.masses[:2], [15.999, 1.008], rtol=1e-4)
    np.testing.assert_array_equal(real.arrays[keys.POSITIONS], metal.arrays[keys.POSITIONS])
    np.testing.assert_allclose(real.arrays[keys.VELOCITIES], 1000 * metal.arrays[keys.VELOCITIES], rtol=1e-6)
    ratio = 4184 / 96485.33212
    np.testing.assert_allclose(real.arrays[keys.FORCES], ratio * metal.arrays[keys.FORCES], rtol=1e-6)
    np.testing.assert_allclose(real.arrays[keys.TIME], metal.arrays[keys.TIME] / 1000)


# --- files written here: what is asked for, and what is refused -----------------------------------


def dump(
    path: Path, frames: int = 3, particles: int = 6, *, columns: str = "id type x y z", first: int = 0,
    every: int = 10, bounds: str = "pp pp pp", seed: int = 0, extra: str = "",
) -> Path:  # fmt: skip
    """Write a dump of random particles in a box of 10, each row in random order."""
    rng = np.random.default_rng(seed)
    text = []
    for frame in range(frames):
        step = first + frame * every
        state = np.random.default_rng(1000 + step + 10**6 * seed)
        rows = []
        for i in rng.permutation(particles):
            own = {
                "id": i + 1,
                "type": 1 + i % 2,
                "element": "OH"[i % 2],
                "mol": 1 + i // 2,
                "q": 0.5 - i % 2,
            }
            rows.append([str(own.get(c, "")) for c in columns.split()])
        values = state.uniform(0.5, 9.5, (particles, len(columns.split())))
        for row in rows:
            number = int(row[columns.split().index("id")]) - 1 if "id" in columns.split() else 0
            filled = [w or f"{values[number, k]:.8f}" for k, w in enumerate(row)]
            row[:] = [
                "0" if c in ("ix", "iy", "iz") else w for w, c in zip(filled, columns.split(), strict=True)
            ]
        text += [extra] if extra else []
        text += ["ITEM: TIMESTEP", str(step), "ITEM: NUMBER OF ATOMS", str(particles)]
        text += [f"ITEM: BOX BOUNDS {bounds}".strip(), "0 10", "0 10", "0 10", f"ITEM: ATOMS {columns}"]
        text += [" ".join(row) for row in rows]
    path.write_text("\n".join(text) + "\n")
    return path


def refused(what: str, *paths: Path, error: type[ZooError] = DataError, **settings) -> None:
    """Reading all frames must raise one clear line that says `what`."""
    with pytest.raises(error, match=what) as caught:
        read_all(formats.read(list(paths), **settings))
    assert "\n" not in str(caught.value)


def read_all(raw: RawData) -> dict[str, np.ndarray]:
    parts = [raw.arrays, *raw.more]
    return {name: np.concatenate([part[name] for part in parts]) for name in raw.arrays}


def test_units_are_asked_for(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.dump")
    refused("does not tell its units: say `--set units=STYLE`", path)
    refused("no unit style 'ase'", path, units="ase")
    told = dump(tmp_path / "b.dump", extra="ITEM: UNITS\nmetal")
    refused("is in units metal, but --set units=real", told, units="real", elements=["C", "H"])
    assert formats.read([told], elements=["C", "H"]).units == "ase"


def test_what_the_types_are_is_asked_for(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.dump")
    refused("element of type 1.*elements=", path, units="real")
    refused("elements names 1 types", path, units="real", elements=["C"], error=ConfigError)
    refused("'Xx' is no element", path, units="real", elements=["C", "Xx"])
    refused("nothing tells the masses", path, units="real", names=["W", "P"])
    raw = formats.read([path], units="real", elements=["C", "H"])
    assert raw.system.type_names == {6: "C", 1: "H"}
    assert formats.read([path], units="lj", names=["big", "small"]).system.type_names == {
        0: "big",
        1: "small",
    }
    everywhere_c = dump(tmp_path / "b.dump", columns="id type element x y z")
    everywhere_c.write_text(everywhere_c.read_text().replace(" H ", " C ").replace(" O ", " C "))
    refused("column element says C for every type", everywhere_c, units="real")


def test_rows_without_ids(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.dump", columns="type x y z")
    refused("has no column id.*sorted=true", path, units="lj")


def test_boundaries(tmp_path: Path) -> None:
    assert formats.read([dump(tmp_path / "a.dump", bounds="pp ff ss")], units="lj").system.pbc == (
        True,
        False,
        False,
    )
    open_space = formats.read([dump(tmp_path / "b.dump", bounds="ff mm fs")], units="lj")
    assert not open_space.system.periodic and keys.CELLS not in open_space.arrays
    assert open_space.provenance["coordinates"] == "open space"
    old = dump(tmp_path / "c.dump", bounds="")
    refused("does not tell the boundaries", old, units="lj")
    refused("expected three of p, f, s, m", old, units="lj", boundary="pp", error=ConfigError)
    assert formats.read([old], units="lj", boundary="p p p").system.pbc == (True, True, True)
    refused("other boundaries", dump(tmp_path / "d.dump"), units="lj", boundary="f f f")
    refused("boundary 'px'", dump(tmp_path / "e.dump", bounds="px pp pp"), units="lj")


def test_torn_molecules_are_refused(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.dump", columns="id mol type x y z")
    refused("molecules .mol. in wrapped positions", path, units="lj")
    assert formats.read([path], units="lj", unwrapped=False).system.chains.tolist() == [0, 0, 1, 1, 2, 2]
    refused("unwrapped positions are not told", path, units="lj", unwrapped=True)
    refused(
        "wrapped positions cannot be stored in open space", path, units="lj", unwrapped=False, periodic=False
    )
    images = dump(tmp_path / "b.dump", columns="id mol type x y z ix iy iz")
    raw = formats.read([images], units="lj", periodic=False)
    assert raw.provenance["coordinates"] == "open space" and not raw.system.periodic


def test_a_plane_is_declared(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.dump")
    flat = [" ".join([*w[:4], "0"]) if len(w := line.split()) == 5 and w[0].isdigit() else line
            for line in path.read_text().splitlines()]  # fmt: skip
    path.write_text("\n".join(flat).replace("0 10\nITEM: ATOMS", "-0.5 0.5\nITEM: ATOMS") + "\n")
    refused("dimensions=2", path, units="lj")
    raw = formats.read([path], units="lj", dimensions=2)
    assert raw.system.pbc == (True, True, False) and raw.system.parameters["dimensions"] == 2
    assert (raw.arrays[keys.POSITIONS][..., 2] == 0).all()
    deep = dump(tmp_path / "b.dump")
    refused("dimensions=2, but z", deep, units="lj", dimensions=2)


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("7 atoms|5 atoms, 6 in", "ATOMS\n6\n", None),
        ("NUMBER OF ATOMS says 7", "ATOMS\n6\n", "ATOMS\n7\n"),
        ("expected `ITEM: …`", "ATOMS\n6\n", "ATOMS\n5\n"),
        ("expected a whole number", "ATOMS\n6\n", "ATOMS\n-6\n"),
        ("NUMBER OF ATOMS says 999999999999", "ATOMS\n6\n", "ATOMS\n999999999999\n"),
        ("no volume", "0 10\n0 10\n", "10 0\n0 10\n"),
        ("the box's lines", "0 10\n0 10\n", "0 ten\n0 10\n"),
        ("no volume", "0 10\n0 10\n", "0 nan\n0 10\n"),
        ("has no positions", "x y z", "a b c"),
        ("two columns have one name", "x y z", "x x z"),
        ("unknown item", "ITEM: NUMBER OF ATOMS", "ITEM: NUMBERS OF ATOMS"),
        ("columns but", " 1 ", " 1 1 "),
        ("could not convert", " 1 ", " one "),
        ("ids must be positive and occur once", "\n3 1 ", "\n1 1 "),
        ("ids must be positive|not those of the first", "\n3 1 ", "\n0 1 "),
        ("type is not the same|counts types from 1", "\n3 1 ", "\n3 0 "),
    ],
)  # fmt: skip
def test_damage_is_named(what: str, old: str, new: str | None, tmp_path: Path) -> None:
    path = dump(tmp_path / "a.dump")
    text = path.read_text()
    assert old in text
    if new is None:  # one atom less in the last frame
        cut = text.rstrip().rsplit("\n", 1)[0]
        head, tail = cut.rsplit("ATOMS\n6\n", 1)
        path.write_text(f"{head}ATOMS\n5\n{tail}\n")
    else:
        path.write_text(text.replace(old, new, 1))
    refused(what, path, units="lj")


def test_positions_far_outside_of_the_box(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.dump")
    lines = path.read_text().splitlines()
    lines[9] = " ".join([*lines[9].split()[:4], "25.0"])
    path.write_text("\n".join(lines) + "\n")
    refused("far outside of the periodic box", path, units="lj")


def test_a_cut_file(melt: tuple[Path, Truth], tmp_path: Path) -> None:
    """A killed run leaves half a snapshot: refused, or left out when asked."""
    text = where(melt[0], "x").read_text()
    cut = tmp_path / "cut.dump"
    cut.write_text(text[: int(0.9 * len(text))])
    refused("is cut: it ends within or after line .*partial=true", cut, units="lj")
    raw = formats.read([cut], units="lj", partial=True)
    assert len(raw.arrays[keys.POSITIONS]) == 5


def test_several_files_of_one_run_overlap_after_a_restart(tmp_path: Path) -> None:
    first = dump(tmp_path / "dump.10", frames=6, first=0)  # steps 0 … 50
    second = dump(tmp_path / "dump.9", frames=4, first=30)  # restarted at 30: steps 30 … 60
    raw = formats.read([second, first], units="lj", timestep=1.0)
    assert raw.arrays[keys.TIME].tolist() == [0, 10, 20, 30, 40, 50, 60]
    assert [(f["file"], f["first_step"]) for f in raw.provenance["files"]] == [("dump.10", 0), ("dump.9", 30)]
    whole = dump(tmp_path / "whole.dump", frames=7)
    np.testing.assert_array_equal(
        raw.arrays[keys.POSITIONS], formats.read([whole], units="lj").arrays[keys.POSITIONS]
    )
    other = dump(tmp_path / "dump.11", frames=4, first=30, seed=5)
    refused("one step, two configurations", first, other, units="lj")
    refused("overlap but share no step", first, dump(tmp_path / "dump.12", first=25), units="lj")
    refused("both begin at step 0", first, dump(tmp_path / "dump.13", seed=3), units="lj")
    runs = formats.read([first, other], units="lj", runs="files")
    assert runs.arrays[keys.RUN].tolist() == [0] * 6 + [1] * 4


def test_time_told_by_some_files_only(tmp_path: Path) -> None:
    told = dump(tmp_path / "a.dump", frames=1, extra="ITEM: UNITS\nlj\nITEM: TIME\n0.0")
    plain = dump(tmp_path / "b.dump", first=10)
    refused("step 10: no time is told.*timestep=…", told, plain)
    late = dump(tmp_path / "c.dump", frames=1, first=40, extra="ITEM: UNITS\nlj\nITEM: TIME\n0.2")
    refused("step 40: a time is told.*timestep=…", plain, late, units="lj")
    counted = read_all(formats.read([told, plain, late], timestep=0.005))
    np.testing.assert_allclose(counted[keys.TIME], [0, 0.05, 0.1, 0.15, 0.2])
    refused("tells time 0.2, but step × timestep is 0.4", plain, late, units="lj", timestep=0.01)


def test_one_step_twice_in_one_file(tmp_path: Path) -> None:
    one, two = dump(tmp_path / "a.dump", frames=3), dump(tmp_path / "b.dump", frames=3, first=20)
    both = tmp_path / "both.dump"
    both.write_text(one.read_text() + two.read_text())  # appended after a restart at step 20
    raw = formats.read([both], units="lj", timestep=1.0)
    assert raw.arrays[keys.TIME].tolist() == [0, 10, 20, 30, 40]
    both.write_text(one.read_text() + dump(tmp_path / "c.dump", first=20, seed=4).read_text())
    refused("one step, two configurations", both, units="lj")
    both.write_text(one.read_text() + dump(tmp_path / "d.dump", first=10).read_text())
    refused("step 10 comes after 20.*runs=time", both, units="lj")
    runs = formats.read([both], units="lj", runs="time", timestep=1.0)
    assert runs.arrays[keys.RUN].tolist() == [0] * 3 + [1] * 3
    assert runs.arrays[keys.TIME].tolist() == [0, 10, 20, 10, 20, 30]


def test_selections(melt: tuple[Path, Truth]) -> None:
    folder, _ = melt
    settings = {"topology": folder / "start.data"}
    whole = formats.read([where(folder, "xu")], **settings)
    raw = formats.read([where(folder, "xu")], select="mol 2 to 3 and not type 2", stride=2, **settings)
    kept = np.flatnonzero(np.isin(polymer.MOLECULES, (2, 3)) & (polymer.TYPES == 1))
    for name in (keys.POSITIONS, keys.FORCES, keys.VELOCITIES):
        np.testing.assert_array_equal(raw.arrays[name], whole.arrays[name][::2, kept])
    assert raw.system.chains.tolist() == [0] * 9 + [1] * 9
    expected = [(i, i + 1) for i in range(17) if i != 8]
    assert raw.system.bonds.tolist() == [list(b) for b in expected]
    assert raw.provenance["forces"] == "of all particles on the selected ones"
    for text, number in (
        ("id 1 to 5 7", 6), ("all", 40), ("type 2 or id 1", 5), ("not (type 1 or mol 1)", 3),
        ("not type 1 and mol 1", 1),
    ):  # fmt: skip
        assert formats.read([where(folder, "xu")], select=text, **settings).system.num_particles == number
    for text in ("", "type", "typo 1", "type 9", "type x", "(type 1", "type 1 )", "(" * 5000, "type 1 to"):
        with pytest.raises(ConfigError, match="select="):
            formats.read([where(folder, "xu")], select=text, **settings)


def test_changes_from_frame_to_frame(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.dump", columns="id type x y z q")
    raw = formats.read([path], units="lj")
    assert raw.system.parameters["charges"] == [0.5, -0.5] * 3
    head, last = path.read_text().rsplit("ITEM: TIMESTEP", 1)
    path.write_text(head + "ITEM: TIMESTEP" + last.replace("-0.5", "-0.4"))
    refused("q is not the same.*charges=false", path, units="lj")
    assert "charges" not in formats.read([path], units="lj", charges=False).system.parameters
    refused("columns are not those", dump(tmp_path / "b.dump"),
            dump(tmp_path / "c.dump", first=100, columns="id type x y z vx vy vz"), units="lj")  # fmt: skip


def test_other_packings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.dump.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(50))
    refused("unpack it first .`zstd -d", path, format="lammps-dump", units="lj")


def test_a_line_without_end_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.dump.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"ITEM: TIMESTEP\n" + b"1" * 50_000_000)
    refused("longer than any of this format", path, format="lammps-dump", units="lj")


def test_the_phd_students_job(
    melt: tuple[Path, Truth], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`zoo data import …` of a trajectory with forces, then `zoo train schnet` on the folder."""
    from typer.testing import CliRunner

    from zoo.cli.app import app
    from zoo.data.dataset import Dataset

    monkeypatch.chdir(tmp_path)
    shutil.copy(where(melt[0], "xu"), "traj.lammpstrj")
    shutil.copy(melt[0] / "start.data", "poly.data")
    command = (
        "data import my-polymer traj.lammpstrj --set units=lj --set topology=poly.data --out data/my-polymer"
    )
    result = CliRunner().invoke(app, command.split())
    assert result.exit_code == 0, result.output
    dataset = Dataset(Path("data/my-polymer"), verify=True)
    np.testing.assert_allclose(dataset.array(keys.FORCES), melt[1].array("forces"), rtol=1e-6, atol=1e-6)
    assert dataset.manifest.provenance["lammps_units"] == "lj"
    result = CliRunner().invoke(
        app, "train schnet data/my-polymer --epochs 1 --out run --set model.hidden_channels=8".split()
    )
    assert result.exit_code == 0, result.output
    assert Path("run/weights.safetensors").is_file()
