"""Files that carry code: refused, and nothing of them runs."""

from __future__ import annotations

import builtins
import copyreg
import os
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest

from zoo.data import formats
from zoo.data.formats import safe_pickle
from zoo.data.formats.safe_pickle import load_pickle
from zoo.errors import DataError, ZooError


class Calls:
    """Pickles to a call of anything."""

    def __init__(self, function, *arguments) -> None:
        self.made = (function, arguments)

    def __reduce__(self):
        return self.made


class Plain:
    """An object of an ordinary class, with state."""

    def __init__(self) -> None:
        self.x = 1


def as_old_numpy(record: object, protocol: int = 3) -> bytes:
    return pickle.dumps(record, protocol=protocol).replace(b"numpy._core.", b"numpy.core.")


def mark(folder: Path) -> str:
    return f"touch {folder / 'it-ran'}"


PAYLOADS = {
    "os.system": lambda d: Calls(os.system, mark(d)),
    "eval": lambda d: Calls(builtins.eval, f"__import__('os').system({mark(d)!r})"),
    "exec": lambda d: Calls(builtins.exec, f"import os; os.system({mark(d)!r})"),
    "subprocess": lambda d: Calls(subprocess.check_output, ["touch", str(d / "it-ran")]),
    "getattr": lambda d: Calls(getattr, "x", "upper"),
    "copyreg": lambda d: Calls(copyreg._reconstructor, object, object, None),
    "a class": lambda d: Plain(),
    "numpy loads": lambda d: Calls(np.load, str(d / "other.npy"), None, True),
    "array of objects": lambda d: np.array([Calls(os.system, mark(d)), None], object),
    "array of plain objects": lambda d: np.array([{"a": 1}, None], object),
    "record array": lambda d: np.zeros(3, [("a", "f8"), ("b", "O")]),
    "text array": lambda d: np.array(["a", "b"]),
    "set": lambda d: {1, 2},
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("case", PAYLOADS)
@pytest.mark.parametrize("where", ["root", "positions", "metadata"])
def test_refused_and_never_run(case: str, where: str, protocol: int, tmp_path: Path) -> None:
    payload = PAYLOADS[case](tmp_path)
    record = payload if where == "root" else {where: payload, "types": np.zeros(3)}
    path = tmp_path / "evil.pickle"
    path.write_bytes(as_old_numpy(record, protocol))
    with pytest.raises(DataError):
        formats.read([path])
    assert not (tmp_path / "it-ran").exists()


def scalar_of_object() -> bytes:
    """`numpy.core.multiarray.scalar(dtype('O'), …)`: would hand any object through."""
    return as_old_numpy(Calls(np._core.multiarray.scalar, np.dtype("O"), b"12345678"))


#: Written by hand: what no honest pickler writes. c = global, R = call, b = set state.
SNEAKY = {
    "scalar of object dtype": scalar_of_object(),
    "state onto an admitted callable": (
        b"\x80\x03cnumpy\ndtype\n}X\x08\x00\x00\x00__call__X\x01\x00\x00\x00xsb."
    ),
    "class swapped by slot state": (b"\x80\x03cnumpy\ndtype\nN}X\x09\x00\x00\x00__class__K\x01s\x86b."),
    "dtype that turns into objects": (
        b"\x80\x03cnumpy\ndtype\nX\x02\x00\x00\x00f8K\x00K\x01\x87R"
        b"(K\x03X\x01\x00\x00\x00|X\x01\x00\x00\x00ONNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb."
    ),
    "an admitted callable as the result": b"\x80\x03cnumpy\ndtype\n.",
    "an array never filled": (
        b"\x80\x03cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R."
    ),
    "dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0bcore.os.sys\x93.",
    "extension registry": b"\x80\x03\x82\x01.",
    "persistent id": b"\x80\x03X\x01\x00\x00\x00aQ.",
    "huge array": as_old_numpy(np.zeros(3)).replace(b"K\x03\x85", b"J\xff\xff\xff\x7f\x85"),
    "instance opcode": b"\x80\x03(X\x02\x00\x00\x00idios\nsystem\n.",
    "memo that would take 30 GB": b"\x80\x03Nr\xff\xff\xff\xef.",
    "a billion laughs": (
        b"\x80\x03]q\x00" + b"".join(b"](" + b"h%c" % k * 10 + b"eq%c" % (k + 1) for k in range(9)) + b"."
    ),
    "string longer than the file": b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
    "stack underflow": b"\x80\x03R.",
    "text": b"\x80hello",
}


@pytest.mark.parametrize("case", SNEAKY)
def test_sneaky_pickles(case: str, tmp_path: Path) -> None:
    path = tmp_path / "evil.pickle"
    path.write_bytes(SNEAKY[case])
    before = {key: type(value) for key, value in safe_pickle._ADMITTED.items()}
    with pytest.raises(DataError):
        load_pickle(path)
    assert {key: type(value) for key, value in safe_pickle._ADMITTED.items()} == before


def test_the_error_names_the_call_and_says_it_did_not_run(tmp_path: Path) -> None:
    path = tmp_path / "evil.pickle"
    path.write_bytes(pickle.dumps(Calls(os.system, "true")))
    with pytest.raises(DataError, match=r"posix\.system.*Nothing of it was run"):
        load_pickle(path)


def test_objects_inside_an_npz(tmp_path: Path) -> None:
    path = tmp_path / "evil_tc01.npz"
    np.savez(
        path,
        types=np.zeros(2, int),
        initial_positions=np.zeros((2, 3)),
        positions=np.array([Calls(os.system, mark(tmp_path))], object),
    )
    with pytest.raises(DataError, match="Python objects"):
        formats.read([path])
    assert not (tmp_path / "it-ran").exists()


ARRAYS = {
    "float64": np.linspace(0, 1, 7).reshape(7, 1),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big endian": np.arange(4, dtype=">i4"),
    "bool": np.array([True, False]),
    "int8": np.arange(3, dtype=np.int8),
    "empty": np.zeros((0, 3)),
    "no axes": np.array(2.5),
    "sliced": np.arange(10.0)[::2],
}


@pytest.mark.parametrize("case", ARRAYS)
def test_honest_arrays_arrive_unchanged(case: str, tmp_path: Path) -> None:
    array = ARRAYS[case]
    path = tmp_path / "good.pickle"
    path.write_bytes(as_old_numpy({"a": array, "b": [1, 2.5, "x", None, True, b"y"]}))
    found = load_pickle(path)
    np.testing.assert_array_equal(found["a"], array)
    assert found["a"].dtype == array.dtype and found["a"].flags.writeable
    assert found["b"] == [1, 2.5, "x", None, True, b"y"]


def test_honest_numbers_of_numpy(tmp_path: Path) -> None:
    path = tmp_path / "good.pickle"
    path.write_bytes(as_old_numpy({"a": np.float64(0.44), "b": np.int32(7)}))
    assert load_pickle(path) == {"a": 0.44, "b": 7}


@pytest.mark.parametrize("format", ["deepmind", "botan"])
def test_damaged_bytes_never_raise_anything_else(format: str, tmp_path: Path) -> None:
    """Files with a few bytes overwritten are read or refused; only `ZooError` comes out."""
    start = np.random.default_rng(0).uniform(0, 3.7, (64, 3))
    types = np.repeat([0, 1], [51, 13])
    path = tmp_path / "isoconfig_N64T0.44_1_tc07.npz"
    if format == "botan":
        np.savez(path, types=types, initial_positions=start, positions=start[None])
    else:
        record = {"positions": start, "types": types, "box": np.full(3, 3.76), "time": [0.0, 1.0],
                  "time_indices": [1], "trajectory_target_positions": [[start]]}  # fmt: skip
        path.write_bytes(as_old_numpy(record))
    assert formats.read([path], format).arrays["positions"].shape == (1, 64, 3)
    data, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(150):
        damaged = bytearray(data)
        for position in rng.integers(len(data), size=8):
            damaged[position] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        try:
            formats.read([path], format)
        except ZooError:
            refused += 1
    assert refused > 10
