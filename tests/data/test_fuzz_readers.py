"""Damaged files of every format: one clear error, or a sound read; never a traceback, crash or hang.

`ZOO_FUZZ=1000 pytest tests/data/test_fuzz_readers.py` tries a thousand of each, `ZOO_FUZZ_FIRST=5000` with
other seeds; `python tests/data/fuzz_process.py 1000 [FORMAT…]` prints the numbers.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from fuzz_damage import Damage, everything, fault
from fuzz_process import fuzz
from fuzz_specimens import SPECIMENS

from zoo import keys
from zoo.data import formats
from zoo.errors import DataError

NUMBER = int(os.environ.get("ZOO_FUZZ", "60"))
FIRST = int(os.environ.get("ZOO_FUZZ_FIRST", "0"))


def test_every_format_is_tried() -> None:
    assert {name.partition(":")[0] for name in SPECIMENS} == set(formats.FORMATS)


@pytest.mark.timeout(60 + NUMBER)
@pytest.mark.parametrize("name", SPECIMENS)
def test_damaged_files(name: str, tmp_path: Path) -> None:
    if name == "openmm-state":
        pytest.importorskip("openmm")
    tally = fuzz(name, NUMBER, tmp_path, FIRST)
    assert not tally.failures, "\n".join(tally.failures[:20])
    assert sum(tally.outcomes.values()) == NUMBER
    assert tally.outcomes["refused"] > NUMBER // 5, tally  # else the damage was none


# --- the fuzzer itself, on readers that are wrong ---------------------------------------------------


def _misread(monkeypatch: pytest.MonkeyPatch, read) -> None:  # type: ignore[no-untyped-def]
    """Put another reader in place of that of LAMMPS dumps."""
    from zoo.data.formats import lammps_dump

    honest = lammps_dump.read
    monkeypatch.setattr(lammps_dump, "read", lambda paths, options: read(honest, paths, options))


def _is_honest(paths: list[Path]) -> bool:
    return paths[0].parent.name == "honest"


@pytest.mark.parametrize(
    ("outcome", "action"),
    [
        ("traceback", lambda: [][0]),
        ("traceback", lambda: np.ones(10**10)),
        ("crashed", lambda: os.abort()),
        ("unclear", lambda: (_ for _ in ()).throw(DataError("two\nlines"))),
    ],
)
def test_a_bad_reader_is_found(outcome: str, action, monkeypatch, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    def read(honest, paths, options):  # type: ignore[no-untyped-def]
        return honest(paths, options) if _is_honest(paths) else action()

    _misread(monkeypatch, read)
    tally = fuzz("lammps-dump", 3, tmp_path)
    assert tally.outcomes == {outcome: 3}, tally.failures


def test_a_reader_that_hangs_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import time

    import fuzz_process

    monkeypatch.setattr(fuzz_process, "PATIENCE", 1.0)
    _misread(
        monkeypatch,
        lambda honest, paths, options: honest(paths, options) if _is_honest(paths) else time.sleep(99),
    )
    assert fuzz("lammps-dump", 2, tmp_path).outcomes == {"hung": 2}


def test_a_reader_that_shifts_frames_is_found(tmp_path: Path) -> None:
    """What `fault` calls wrong: more frames changed than places, lost frames, NaN, a box without volume."""
    specimen = SPECIMENS["lammps-dump"](tmp_path)

    def read():  # type: ignore[no-untyped-def]
        raw = formats.read([specimen.file], **specimen.settings)
        return raw, everything(raw)

    honest = read()
    flip, cut = Damage("flip", b"", places=1), Damage("cut", b"", cut=True)
    for bad in (flip, cut):
        assert fault(bad, specimen, *read(), honest) is None

    def broken(change) -> str | None:  # type: ignore[no-untyped-def]
        raw, arrays = read()
        change(arrays)
        return fault(flip, specimen, raw, arrays, honest)

    def set_(name: str, value: float, *frames: int):  # type: ignore[no-untyped-def]
        return lambda arrays: arrays[name].__setitem__((list(frames), 0), value)

    assert broken(set_(keys.POSITIONS, 3.0, 1)) is None  # one damaged number
    assert "frames differ" in (broken(set_(keys.FORCES, 3.0, 1, 2)) or "")
    assert "NaN" in (broken(set_(keys.FORCES, np.nan, 1)) or "")
    assert "without volume" in (broken(set_(keys.CELLS, 0.0, 1)) or "")
    assert "lost" in (broken(lambda arrays: arrays.pop(keys.FORCES)) or "")
    assert "frames of 5" in (broken(lambda a: a.update({k: v[1:] for k, v in a.items()})) or "")
    raw, arrays = read()
    less = {name: array[1:] for name, array in arrays.items()}
    assert "differ" in (fault(cut, specimen, raw, less, honest) or "")  # not the first frames
    refuse = Damage("NaN", b"", refuse=True)
    assert fault(refuse, specimen, *read(), honest) == "NaN was not refused"
