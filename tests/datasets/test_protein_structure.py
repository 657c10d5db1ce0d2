"""From structure files to all-atom models: what is read, chosen, added and refused."""

from __future__ import annotations

import http.server
import threading
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.datasets.protein import source
from zoo.datasets.protein.chains import select_chains
from zoo.datasets.protein.records import read_records
from zoo.errors import DataError

pytest.importorskip("openmm")
pytest.importorskip("pdbfixer")

from zoo.datasets.protein.structure import (
    disulfides,
    prepare,
    read_all_atom,
    write_all_atom,
)

CHIGNOLIN = Path(str(files("zoo.datasets.protein") / "chignolin.pdb"))
INSULIN = Path(str(files("zoo.datasets.insulin") / "start.pdb"))
LINES = CHIGNOLIN.read_text().splitlines()
ATOMS = [line for line in LINES if line.startswith("ATOM")]


def write(folder: Path, lines: list[str], name: str = "mine.pdb") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def atom(
    name: str, residue: str, number: int, x: float, y: float, z: float, *, kind: str = "ATOM  ",
    chain: str = "A", alternate: str = " ", occupancy: float = 1.0, element: str = "C",
) -> str:  # fmt: skip
    return (
        f"{kind}    1  {name:<3s}{alternate}{residue:3s} {chain}{number:4d}    "
        f"{x:8.3f}{y:8.3f}{z:8.3f}{occupancy:6.2f}  0.00          {element:>2s}"
    )


def heavy(structure) -> tuple[list[tuple[str, str]], np.ndarray]:
    chosen = [a for a in structure.topology.atoms() if a.element.symbol != "H"]
    return [(a.residue.id, a.name) for a in chosen], structure.positions[[a.index for a in chosen]]


# --- what is read ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chignolin():
    return prepare(CHIGNOLIN)


def test_crystal_is_kept_and_hydrogens_are_added(chignolin):
    names, positions = heavy(chignolin)
    crystal = np.array([[float(line[c : c + 8]) for c in (30, 38, 46)] for line in ATOMS])
    order = {(line[22:26].strip(), line[12:16].strip()): i for i, line in enumerate(ATOMS)}
    moved = positions - crystal[[order[n] for n in names]]
    assert np.abs(moved - moved.mean(0)).max() < 1e-3  # shifted to the middle, else as in the file
    # CLN025 at pH 7: charged ends, Asp and Glu charged: 93 heavy atoms and 73 hydrogens
    assert len(chignolin.positions) == 166 and chignolin.notes == []


def test_same_file_gives_the_same_model(chignolin):
    assert np.array_equal(prepare(CHIGNOLIN).positions, chignolin.positions)


def test_acid_protonates_side_chains(chignolin):
    def hydrogens(structure):
        return {a.name for a in structure.topology.atoms() if a.residue.name in ("ASP", "GLU")}

    assert not {"HD2", "HE2"} & hydrogens(chignolin)
    assert {"HD2", "HE2"} <= hydrogens(prepare(CHIGNOLIN, ph=2.0))


def test_mmcif_equals_pdb(tmp_path, chignolin):
    from openmm.app import PDBFile, PDBxFile

    pdb = PDBFile(str(CHIGNOLIN))
    path = tmp_path / "mine.cif"
    with path.open("w") as file:
        PDBxFile.writeFile(pdb.topology, pdb.positions, file, keepIds=True)
    found = prepare(path)
    assert [a.name for a in found.topology.atoms()] == [a.name for a in chignolin.topology.atoms()]
    assert np.abs(heavy(found)[1] - heavy(chignolin)[1]).max() < 2e-3


def test_mmcif_as_the_rcsb_writes_it(tmp_path):
    names = (
        "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_entity_id "
        "label_seq_id pdbx_PDB_ins_code Cartn_x Cartn_y Cartn_z occupancy B_iso_or_equiv "
        "pdbx_formal_charge auth_seq_id auth_comp_id auth_asym_id auth_atom_id pdbx_PDB_model_num"
    ).split()
    rows = []
    for i, a in enumerate(ATOMS, 1):
        name, residue, number = a[12:16].strip(), a[17:20], int(a[22:26])
        xyz = f"{a[30:38]} {a[38:46]} {a[46:54]}"
        rows.append(
            f"ATOM {i} {a[77]} {name} . {residue} X 1 {number} ? {xyz} 1.00 9.0 ? {number + 100} "
            f"{residue} A {name} 1 "
        )
    rows.append('HETATM 94 O O . HOH Y 2 . ? 0.0 0.0 0.0 1.00 9.0 ? 201 HOH A "O" 1 ')
    head = ["data_5AWL", "# ", "_entry.id 5AWL ", "# ", "loop_"]
    path = write(tmp_path, [*head, *(f"_atom_site.{n} " for n in names), *rows, "# "], "mine.cif")
    selected = select_chains(read_records(path), path)
    assert selected.notes == ["left out: 1 HOH"]
    assert [r.place for r in selected.chains[0]] == [f"A {101 + i}" for i in range(10)]  # authors' numbers
    assert sum(len(r.atoms) for r in selected.chains[0]) == 93
    assert selected.chains[0][0].atoms["N"].position == (25.824, 21.671, 10.238)


def test_missing_side_chain_is_added_and_said(tmp_path, chignolin):
    lost = {("2", "OH"), ("5", "CG"), ("5", "CD"), ("5", "OE1"), ("5", "OE2"), ("10", "OXT")}
    lines = [a for a in ATOMS if (a[22:26].strip(), a[12:16].strip()) not in lost]
    found = prepare(write(tmp_path, [*lines, "TER", "END"]))
    assert len(found.positions) == 166
    said = "; ".join(found.notes)
    assert "TYR A 2: OH" in said and "GLU A 5" in said and "the end TYR A 10: OXT" in said
    names, positions = heavy(found)
    place = dict(zip(names, positions, strict=True))
    assert np.linalg.norm(place["2", "OH"] - place["2", "CZ"]) == pytest.approx(1.36, abs=0.15)
    kept = [n for n in heavy(chignolin)[0] if n not in lost]
    before = dict(zip(*heavy(chignolin), strict=True))
    moved = np.array([place[n] - before[n] for n in kept])
    assert np.abs(moved - moved.mean(0)).max() < 1e-3  # nothing else moves


def test_alternate_location_of_highest_occupancy(tmp_path):
    def at(line, label, occupancy, shift):
        z = float(line[46:54]) + shift
        return f"{line[:16]}{label}{line[17:46]}{z:8.3f}{occupancy:6.2f}{line[60:]}"

    side = {"CB", "OG1", "CG2"}
    lines = []
    for line in ATOMS:
        if line[22:26].strip() == "8" and line[12:16].strip() in side:
            lines += [at(line, "A", 0.3, 0.0), at(line, "B", 0.7, 0.25)]
        else:
            lines.append(line)
    path = write(tmp_path, lines)
    selected = select_chains(read_records(path), path)
    assert selected.notes == ["alternate locations of 1 residues: the one of highest occupancy"]
    residue = selected.chains[0][7]
    original = {a[12:16].strip(): float(a[46:54]) for a in ATOMS if a[22:26].strip() == "8"}
    shift = {name: r.position[2] - original[name] for name, r in residue.atoms.items()}
    assert {n for n, s in shift.items() if s == pytest.approx(0.25)} == side
    assert {n for n, s in shift.items() if s == 0} == original.keys() - side


def test_waters_ions_and_hydrogens_are_left_out_with_a_note(tmp_path):
    more = [
        atom("O", "HOH", 101, 0, 0, 0, kind="HETATM", element="O"),
        atom("ZN", "ZN", 102, 5, 0, 0, kind="HETATM", element="ZN"),
    ]
    extra = atom("HA", "TYR", 1, 24.9, 19.7, 10.8, element="H")
    path = write(tmp_path, [*ATOMS[:12], extra, *ATOMS[12:], "TER", *more])
    notes = select_chains(read_records(path), path).notes
    assert notes == ["left out: 1 HOH, 1 ZN", "1 hydrogens of the file replaced by rebuilt ones"]
    with pytest.raises(DataError, match="other molecules.*others=drop"):
        select_chains(read_records(path), path, others="refuse")


def test_names_of_protonation_states_are_kept(tmp_path):
    text = INSULIN.read_text().replace("HIS B   5", "HIE B   5").replace("HIS B  10", "HIP B  10")
    path = tmp_path / "mine.pdb"
    path.write_text(text)
    found = prepare(path)
    names = {
        r.id: {a.name for a in r.atoms()} & {"HD1", "HE2"}
        for r in found.topology.residues()
        if r.name == "HIS"
    }
    assert names == {"5": {"HE2"}, "10": {"HD1", "HE2"}}


def test_disulfides_by_distance_and_chains_by_name():
    pairs = {
        tuple(sorted(f"{a.residue.chain.id}{a.residue.id}" for a in pair))
        for pair in disulfides(prepare(INSULIN).topology)
    }
    assert pairs == {("A11", "A6"), ("A7", "B7"), ("A20", "B19")}
    alone = prepare(INSULIN, chains=["A"])
    assert len(disulfides(alone.topology)) == 1
    thiols = [a.residue.id for a in alone.topology.atoms() if a.name == "HG" and a.residue.name == "CYS"]
    assert thiols == ["7", "20"]


def test_all_atom_file_round_trip(tmp_path, chignolin):
    write_all_atom(tmp_path / "a.pdb", chignolin, ["A REMARK"])
    found = read_all_atom(tmp_path / "a.pdb")
    assert np.abs(found.positions - chignolin.positions).max() < 6e-4  # three decimals
    assert [a.name for a in found.topology.atoms()] == [a.name for a in chignolin.topology.atoms()]
    assert found.topology.getNumBonds() == chignolin.topology.getNumBonds()


# --- what is refused -------------------------------------------------------------------------

CA = [a for a in ATOMS if a[12:16] == " CA "]
REFUSED = {
    "empty": ([""], "is empty"),
    "no structure": (["Dear reader,", "this is a letter."], "no PDB or mmCIF file"),
    "cut line": ([*ATOMS[:20], ATOMS[20][:40]], "line 21 is cut off"),
    "not a number": ([ATOMS[0].replace("  25.824", "  2x.824")], "line 1: .* no coordinates"),
    "NaN": ([ATOMS[0].replace("  25.824", "     nan")], "NaN or infinite"),
    "bad residue number": ([ATOMS[0].replace("A   1", "A  1x")], "no whole number"),
    "other molecules only": ([atom("O", "HOH", 1, 0, 0, 0, kind="HETATM")], "holds no protein"),
    "alpha carbons only": (CA, "no backbone atom N, C.*get a complete file"),
    "truncated": (ATOMS[:26], "ASP A 3 has no backbone atom C"),
    "gap": ([a for a in ATOMS if a[22:26].strip() != "7"], "missing between THR A 6 and THR A 8"),
    "modified": ([a.replace("TYR A   2", "MSE A   2") for a in ATOMS], "residue MSE at A 2.*model it as MET"),
    "unknown": ([a.replace("GLU A   5", "UNK A   5") for a in ATOMS], "residue UNK at A 5"),
    "DNA": ([atom("P", "DA", 1, 0, 0, 0)], "residue DA at A 1"),
    "twice": ([ATOMS[0], *ATOMS], "atom N of TYR A 1 is there twice"),
    "two names": ([ATOMS[0], *(a.replace("TYR A   1", "ALA A   1") for a in ATOMS[1:])], "has two names"),
    "one place": ([a[:30] + ATOMS[0][30:54] + a[54:] for a in ATOMS], "in the same place"),
    "far away": ([a.replace("  28.648", "  38.648") for a in ATOMS], "OH of TYR A 1 is .* Å from all others"),
    "two models": (["MODEL        1", *ATOMS, "ENDMDL", "MODEL        2", *ATOMS, "ENDMDL"], "--set model=1"),
    "cif without atoms": (
        ["data_x", "loop_", "_atom_site.id", "_atom_site.x", "1"],
        "not valid mmCIF|cut off",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_one_line(tmp_path, case):
    lines, message = REFUSED[case]
    with pytest.raises(DataError, match=message) as caught:
        prepare(write(tmp_path, lines))
    assert len(str(caught.value).splitlines()) == 1


def test_wrong_atoms_are_refused_by_the_force_field(tmp_path):
    strange = ATOMS[30].replace(" OD1", " XX1")  # beside the atom that it hides, which is added
    with pytest.raises(DataError, match="force field does not know"):
        prepare(write(tmp_path, [*ATOMS[:30], strange, *ATOMS[31:]]))


def test_what_was_chosen_must_exist(tmp_path):
    with pytest.raises(DataError, match="no chain 'Z', only 'A'"):
        prepare(CHIGNOLIN, chains=["Z"])
    with pytest.raises(DataError, match="no model 3"):
        prepare(CHIGNOLIN, model=3)
    with pytest.raises(DataError, match="no structure file"):
        source.structure_path(str(tmp_path / "none.pdb"))
    (tmp_path / "binary.pdb").write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match="cannot be read as text"):
        read_records(tmp_path / "binary.pdb")
    with pytest.raises(DataError, match="cannot be read as text"):
        read_records(tmp_path)


def test_model_and_ter_are_heeded(tmp_path):
    moved = [f"{a[:30]}{float(a[30:38]) + 1:8.3f}{a[38:]}" for a in ATOMS]
    path = write(tmp_path, ["MODEL        1", *ATOMS, "ENDMDL", "MODEL        2", *moved, "ENDMDL"])
    second = select_chains(read_records(path), path, model=2)
    assert second.chains[0][0].atoms["N"].position[0] == pytest.approx(26.824)
    apart = [a for a in ATOMS if a[22:26].strip() != "7"]
    cut = next(i for i, a in enumerate(apart) if a[22:26].strip() == "8")
    path = write(tmp_path, [*apart[:cut], "TER", *apart[cut:]])
    assert [len(c) for c in select_chains(read_records(path), path).chains] == [6, 3]


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> dict[str, bytes]:
    """The same molecule in both formats."""
    from openmm.app import PDBFile, PDBxFile

    pdb = PDBFile(str(CHIGNOLIN))
    path = tmp_path_factory.mktemp("sound") / "mine.cif"
    with path.open("w") as file:
        PDBxFile.writeFile(pdb.topology, pdb.positions, file, keepIds=True)
    return {"pdb": "\n".join([*ATOMS, "TER", "END", ""]).encode(), "cif": path.read_bytes()}


@pytest.mark.parametrize("kind", ["pdb", "cif"])
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_give_an_error_or_a_sound_reading(tmp_path, sound, kind, data):
    text = bytearray(sound[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(text) - 1))
        how = data.draw(st.sampled_from(["flip", "cut", "lose", "swap"]))
        if how == "flip":
            text[place] = data.draw(st.integers(9, 126))
        elif how == "cut":
            del text[max(place, 1) :]
        elif how == "lose":
            del text[max(place, 1) : place + data.draw(st.integers(2, 200))]
        else:
            other = data.draw(st.integers(0, len(text) - 1))
            text[place], text[other] = text[other], text[place]
    path = tmp_path / f"damaged.{kind}"
    path.write_bytes(bytes(text))
    try:
        chains = select_chains(read_records(path), path).chains
    except DataError as error:
        assert len(str(error).splitlines()) == 1
        return
    atoms = [r for chain in chains for residue in chain for r in residue.atoms.values()]
    assert 0 < len(atoms) <= len(ATOMS) and np.isfinite([r.position for r in atoms]).all()
    for chain in chains:
        assert all({"N", "CA", "C"} <= residue.atoms.keys() for residue in chain)


# --- codes -----------------------------------------------------------------------------------


def test_pdb_code_is_fetched_once(tmp_path, monkeypatch, chignolin):
    from openmm.app import PDBFile, PDBxFile

    pdb = PDBFile(str(CHIGNOLIN))
    served = tmp_path / "served"
    served.mkdir()
    with (served / "5AWL.cif").open("w") as file:
        PDBxFile.writeFile(pdb.topology, pdb.positions, file, keepIds=True)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, directory=str(served), **kwargs)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(source, "RCSB", f"http://127.0.0.1:{server.server_port}")
    try:
        path = source.structure_path("5awl")
        assert len(prepare(path).positions) == len(chignolin.positions)
        with pytest.raises(DataError):
            source.structure_path("9zzz")
    finally:
        server.shutdown()
        server.server_close()
    assert source.structure_path("5awl") == path  # from the cache: nobody serves any more
