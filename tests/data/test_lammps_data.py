"""LAMMPS data files: written by LAMMPS, read by us and by ASE; every atom style; damage."""

from __future__ import annotations

from pathlib import Path

import lammps_polymer as polymer
import numpy as np
import pytest
from lammps_polymer import Melt

from zoo import keys
from zoo.data import formats
from zoo.data.formats.lammps_topology import ATOM_STYLES, read_data_file
from zoo.errors import ConfigError, DataError, ZooError

WATER = """water, by hand

6 atoms
4 bonds
2 angles
2 atom types
1 bond types
1 angle types
2 extra bond per atom

-1 9 xlo xhi
0 10.0 ylo yhi
0 1e1 zlo zhi

Masses

1 15.9994 # O
2 1.008   # H

Bond Coeffs # harmonic

1 450 0.9572

Atoms # full

4 2 1 -0.8 9.0 5.0 5.0 0 0 0
5 2 2 0.4 9.9 5.0 5.0 0 0 0
6 2 2 0.4 -0.5 5.0 5.0 1 0 0
1 1 1 -0.8 1.0 1.0 1.0 0 0 0   # a comment
2 1 2 0.4 1.9 1.0 1.0 0 0 0
3 1 2 0.4 1.0 1.9 1.0 0 0 0

Velocities

1 1 2 3
2 0 0 0
3 0 0 0
6 0 0 0
5 0 0 0
4 0 0 0

Bonds

1 1 1 2
2 1 1 3
3 1 4 5
4 1 6 4

Angles

1 1 2 1 3
2 1 5 4 6
"""
ASKED = {"units": "real", "boundary": "p p p"}


def refused(what: str, path: Path, error: type[ZooError] = DataError, **settings) -> None:
    with pytest.raises(error, match=what) as caught:
        formats.read([path], "lammps-data", **(ASKED | settings))
    assert "\n" not in str(caught.value)


@pytest.fixture
def water(tmp_path: Path) -> Path:
    path = tmp_path / "water.data"
    path.write_text(WATER)
    return path


@pytest.mark.parametrize("tilt", [None, (1.2, -0.7, 0.9)])
def test_what_lammps_writes(tilt: tuple[float, float, float] | None, tmp_path: Path) -> None:
    pytest.importorskip("lammps")
    from ase.io import read

    melt = Melt(tmp_path, tilt)
    truth = melt.advance(4)
    melt.do(f"write_data {tmp_path / 'end.data'}")
    melt.close()
    path = tmp_path / "end.data"
    raw = formats.read([path], boundary="p p p")  # LAMMPS notes the units in the first line
    assert raw.units == "lj" and raw.provenance["format"] == "lammps-data"
    assert raw.provenance["coordinates"] == "unwrapped"
    np.testing.assert_allclose(raw.arrays[keys.POSITIONS][0], truth.unwrapped[-1], atol=1e-6)
    np.testing.assert_allclose(raw.arrays[keys.VELOCITIES][0], truth.velocities[-1], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(raw.arrays[keys.CELLS][0], truth.cells[-1], atol=1e-12)
    np.testing.assert_array_equal(raw.system.bonds, polymer.BONDS)
    np.testing.assert_array_equal(raw.system.chains, polymer.MOLECULES - 1)
    np.testing.assert_array_equal(raw.system.masses, [polymer.MASSES[t] for t in polymer.TYPES])

    other = read(path, format="lammps-data", atom_style="molecular", units="metal", sort_by_id=True)
    np.testing.assert_allclose(raw.arrays[keys.CELLS][0], other.cell, atol=1e-9)
    shift = other.positions - raw.arrays[keys.POSITIONS][0]  # ASE: wrapped, and LAMMPS's origin
    steps = (shift - shift[0]) @ np.linalg.inv(other.cell)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)


def test_water_by_hand(water: Path) -> None:
    raw = formats.read([water], **ASKED)
    assert raw.system.types.tolist() == [8, 1, 1, 8, 1, 1]
    np.testing.assert_allclose(raw.system.masses, [15.9994, 1.008, 1.008] * 2)
    assert raw.system.bonds.tolist() == [[0, 1], [0, 2], [3, 4], [3, 5]]
    assert raw.system.chains.tolist() == [0, 0, 0, 1, 1, 1]
    assert raw.system.parameters["charges"] == [-0.8, 0.4, 0.4] * 2
    positions = raw.arrays[keys.POSITIONS][0]
    np.testing.assert_allclose(positions[0], [2, 1, 1])  # origin −1 moved to 0
    np.testing.assert_allclose(positions[5], [10.5, 5, 5])  # image flag 1: beside its oxygen
    np.testing.assert_allclose(raw.arrays[keys.VELOCITIES][0, 0], [1000, 2000, 3000])  # Å/fs
    hydrogens = formats.read([water], select="element H", **ASKED)
    np.testing.assert_array_equal(hydrogens.arrays[keys.POSITIONS][0], positions[[1, 2, 4, 5]])


def test_whole_where_image_flags_are_missing(water: Path) -> None:
    head, atoms = WATER.split("Velocities")[0].split("# full")
    tail = WATER[WATER.index("Velocities") :]
    for flags in (" 0 0 0\n", " 0 0 0   # a comment\n", " 1 0 0\n"):
        atoms = atoms.replace(flags, "\n")
    water.write_text(f"{head}# full{atoms}{tail}")
    raw = formats.read([water], **ASKED)
    assert raw.provenance["coordinates"] == "whole"
    np.testing.assert_allclose(raw.arrays[keys.POSITIONS][0, 5], [10.5, 5, 5], rtol=1e-6)


@pytest.mark.parametrize("style", ATOM_STYLES)
@pytest.mark.parametrize("images", [False, True])
def test_every_atom_style(style: str, images: bool, tmp_path: Path) -> None:
    """The hint, or the option where the hint is missing; columns by their names."""
    rng = np.random.default_rng(0)
    columns = ATOM_STYLES[style].split() + (["ix", "iy", "iz"] if images else [])
    rows, expected = [], []
    for i in range(4):
        values = {c: rng.uniform(1, 9) for c in columns}
        values |= {"id": i + 1, "type": 1 + i % 2, "mol": 1 + i // 2, "ix": i, "iy": 0, "iz": -1}
        rows.append(" ".join(str(values[c]) for c in columns))
        expected.append([values[c] for c in "xyz"])
    head = "t\n\n4 atoms\n2 atom types\n0 10 xlo xhi\n0 10 ylo yhi\n0 10 zlo zhi\n\n"
    path = tmp_path / "a.data"
    path.write_text(head + "Atoms\n\n" + "\n".join(rows) + "\n")
    with pytest.raises(DataError, match="atom_style="):
        read_data_file(path)
    for hint, told in (("", style), (f"  # {style}", None)):
        path.write_text(head + f"Atoms{hint}\n\n" + "\n".join(rows) + "\n")
        found = read_data_file(path, told)
        np.testing.assert_allclose(np.stack([found.columns[c] for c in "xyz"], axis=1), expected)
        assert found.columns["type"].tolist() == [1, 2, 1, 2]
        assert ("mol" in found.columns, "q" in found.columns) == ("mol" in columns, "q" in columns)
        assert ("ix" in found.columns) == images
    with pytest.raises(DataError, match="was given"):
        read_data_file(path, "charge" if style == "full" else "full")


def test_type_labels(water: Path) -> None:
    """Names in place of numbers; they are elements where the masses say so too."""
    text = WATER.replace("\nMasses", "\nAtom Type Labels\n\n1 O\n2 H\n\nMasses")
    for number, label in ((1, "O"), (2, "H")):
        text = text.replace(f" {number} -0.8", f" {label} -0.8").replace(f" {number} 0.4", f" {label} 0.4")
    water.write_text(text.replace("1 15.9994 # O", "O 15.9994").replace("2 1.008   # H", "H 1.008"))
    assert formats.read([water], **ASKED).system.types.tolist() == [8, 1, 1, 8, 1, 1]
    lj = formats.read([water], units="lj", boundary="p p p").system
    assert lj.type_names == {0: "O", 1: "H"} and lj.types.tolist() == [0, 1, 1, 0, 1, 1]
    water.write_text(water.read_text().replace("O 15.9994", "O 72.0"))  # a bead that is called O
    refused("nothing tells the element of type 1", water)
    raw = formats.read([water], **ASKED, names=["W", "P"])
    assert raw.system.type_names == {0: "W", 1: "P"} and raw.system.masses[0] == 72.0


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("is no line of a data file's header", "0 10.0 ylo yhi", "0 10.0 ylo yhj"),
        ("lacks the line 'ylo yhi'", "0 10.0 ylo yhi\n", ""),
        ("no volume", "0 10.0 ylo yhi", "10 0.0 ylo yhi"),
        ("no volume", "0 10.0 ylo yhi", "0 1e999 ylo yhi"),
        ("is no line of a data file's header", "6 atoms", "-6 atomz"),
        ("the header has no `N atoms`|has 6 lines", "6 atoms", "-6 atoms"),
        ("section Atoms has 6 lines, the header says 99999999999999", "6 atoms", "99999999999999 atoms"),
        ("is no section of a data file", "Bonds\n", "Bondz\n"),
        ("is no section|columns", "Velocities\n", "Velocitees\n"),
        ("4 bonds, there is no section Bonds", WATER[WATER.index("Bonds\n"):WATER.index("Angles\n")], ""),
        ("a bond names an atom", "4 1 6 4", "4 1 6 7"),
        ("a bond names an atom", "4 1 6 4", "4 1 6 6"),
        ("Velocities and Atoms name different ids", "\n6 0 0 0\n", "\n7 0 0 0\n"),
        ("occur once each", "\n6 0 0 0\n", "\n5 0 0 0\n"),
        ("a type is not in 1..2", "6 2 2 0.4", "6 2 3 0.4"),
        ("x holds NaN", "9.9 5.0", "nan 5.0"),
        ("could not convert", "9.9 5.0", "9.g 5.0"),
        ("columns", "9.9 5.0", "9.9 5.0 5.0"),
        ("one positive mass", "1.008", "-1.008"),
        ("one positive mass", "\n2 1.008", "\n1 1.008"),
        ("a second section Bonds", "Angles\n", "Bonds\n"),
        ("atom style 'hybrid' cannot be read", "# full", "# hybrid"),
        ("has no section Atoms", WATER[WATER.index("Atoms #"):], ""),
    ],
)  # fmt: skip
def test_damage_is_named(what: str, old: str, new: str, water: Path) -> None:
    assert old in WATER
    water.write_text(WATER.replace(old, new, 1))
    refused(what, water)


def test_what_must_be_told(water: Path) -> None:
    refused("does not tell its units", water, units=None)
    refused("boundary=", water, boundary=None)
    refused("leave out `topology`", water, topology=water)
    refused("picks no particle", water, select="mol 9", error=ConfigError)


def test_a_dump_and_a_data_file_that_do_not_fit(water: Path, tmp_path: Path) -> None:
    dump = tmp_path / "a.dump"

    def write(rows: list[str]) -> None:
        dump.write_text(
            f"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n{len(rows)}\nITEM: BOX BOUNDS pp pp pp\n"
            "-1 9\n0 10\n0 10\nITEM: ATOMS id type mol x y z\n" + "\n".join(rows) + "\n"
        )

    rows = ["4 1 2 9.0 5 5", "5 2 2 -0.1 5 5", "6 2 2 8.1 5 6"]
    write(rows)
    settings = {"units": "real", "topology": water}
    raw = formats.read([dump], **settings)  # a dump of one molecule: the bonds within it
    assert raw.system.bonds.tolist() == [[0, 1], [0, 2]] and raw.system.types.tolist() == [8, 1, 1]
    np.testing.assert_allclose(raw.arrays[keys.POSITIONS][0, 1], [10.9, 5, 5], rtol=1e-6)
    for what, change in (
        ("has no atom 7", ("6 2 2", "7 2 2")),
        ("atom 6 has type 1 in .*a.dump, 2 in", ("6 2 2", "6 1 2")),
        ("atom 6 has mol 1 in .*a.dump, 2 in", ("6 2 2", "6 2 1")),
    ):
        write([row.replace(*change) for row in rows])
        with pytest.raises(DataError, match=what):
            formats.read([dump], **settings)


def test_a_molecule_without_end_is_refused(tmp_path: Path) -> None:
    """A chain bonded to its own image: no whole molecule exists; wrapped positions can be kept."""
    path = tmp_path / "ring.data"
    atoms = "\n".join(f"{i + 1} 1 1 {i} 0.5 0.5" for i in range(4))
    bonds = "\n".join(f"{i + 1} 1 {i + 1} {(i + 1) % 4 + 1}" for i in range(4))
    path.write_text(
        "t\n\n4 atoms\n4 bonds\n1 atom types\n1 bond types\n0 4 xlo xhi\n0 4 ylo yhi\n0 4 zlo zhi\n\n"
        f"Atoms # molecular\n\n{atoms}\n\nBonds\n\n{bonds}\n"
    )
    settings = {"units": "lj", "boundary": "p p p", "dimensions": 3}
    with pytest.raises(DataError, match="bonded to its own periodic image"):
        formats.read([path], **settings)
    raw = formats.read([path], unwrapped=False, **settings)
    np.testing.assert_allclose(raw.arrays[keys.POSITIONS][0, :, 0], range(4))
