"""Read a pickle of plain values and numpy arrays; nothing that it names is ever called.

Python's unpickler calls whatever a file names. Here the four names by which numpy writes arrays and
numbers lead to stand-ins of ours, which only note what the file says; any other name is refused
before anything happens. The arrays are built afterwards from raw bytes and a checked dtype, so not
even numpy's own `__setstate__` sees the file.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.formats.files import brief
from zoo.errors import DataError

#: Booleans, integers and floats of a definite size. No objects, no records, no strings.
_DTYPE = re.compile(r"^(b1|i[1248]|u[1248]|f[248])$")


class _Refused(Exception):
    """The pickle names something that is not admitted."""


class _Dtype:
    """Stand-in of `numpy.dtype`: a checked name, and the byte order from its state."""

    __slots__ = ("name", "order")

    def __init__(self, name: str) -> None:
        self.name, self.order = name, "="

    def __setstate__(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) >= 2 and state[1] in ("<", ">", "|", "=")):
            raise _Refused("an unusual numpy dtype")
        self.order = state[1]

    def dtype(self) -> np.dtype:
        return np.dtype(("" if self.order in "|=" else self.order) + self.name)


class _Array:
    """Stand-in of `numpy.ndarray`: the state is noted and checked, the array built by `value`."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state: tuple[Any, ...] | None = None

    def __setstate__(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) == 5):
            raise _Refused("an unusual numpy array")
        self.state = state

    def value(self) -> np.ndarray:
        if self.state is None:
            raise _Refused("a numpy array without data")
        _, shape, dtype, fortran, data = self.state
        plain = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
        if not (plain and isinstance(dtype, _Dtype) and isinstance(data, bytes)):
            raise _Refused("a numpy array of Python objects")
        if len(data) != math.prod(shape) * dtype.dtype().itemsize:
            raise ValueError(f"{len(data)} bytes for an array of shape {shape}")
        flat = np.frombuffer(data, dtype.dtype())
        return flat.reshape(shape, order="F" if fortran else "C").copy()


class _Call:
    """Something the unpickler may call. No attributes: a file cannot alter it."""

    __slots__ = ()


class _MakeDtype(_Call):
    __slots__ = ()

    def __call__(self, name: Any, *_: Any) -> _Dtype:
        if not (isinstance(name, str) and _DTYPE.match(name)):
            raise _Refused(f"a numpy dtype {name!r}")
        return _Dtype(name)


class _MakeArray(_Call):
    __slots__ = ()

    def __call__(self, *_: Any) -> _Array:
        return _Array()


class _MakeNumber(_Call):
    __slots__ = ()

    def __call__(self, dtype: Any, data: Any = b"") -> Any:
        if not (isinstance(dtype, _Dtype) and isinstance(data, bytes)):
            raise _Refused("a numpy scalar of a Python object")
        return np.frombuffer(data, dtype.dtype(), count=1)[0].item()


_ADMITTED: dict[tuple[str, str], Any] = {("numpy", "ndarray"): "ndarray", ("numpy", "dtype"): _MakeDtype()}
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    _ADMITTED[_module, "_reconstruct"] = _MakeArray()
    _ADMITTED[_module, "scalar"] = _MakeNumber()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ADMITTED[module, name]
        except KeyError:
            raise _Refused(f"{module}.{name}") from None

    def persistent_load(self, key: Any) -> Any:
        raise _Refused("a persistent id")


def load_pickle(path: Path) -> Any:
    """Read a pickle that holds dicts, lists, tuples, numbers, strings and numpy arrays.

    Raises:
        DataError: anything else in it (nothing of it was run), or a truncated file.
    """
    try:
        data = Path(path).read_bytes()
        _check_sizes(data)
        return _Resolver().resolve(_Unpickler(io.BytesIO(data)).load())
    except _Refused as error:
        raise DataError(
            f"{path} was refused: this pickle asks for {error}, and only numbers, text and numpy "
            "arrays are read. Nothing of it was run"
        ) from error
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DataError(f"{path} is a truncated or damaged pickle: {brief(error)}") from error


def _check_sizes(data: bytes) -> None:
    """Walk through the opcodes, without running them, so that none makes Python reserve memory.

    A damaged file may number a value 4,000,000,000: the unpickler would make a table of that size.
    """
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data), start=1):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and (argument or 0) > count:
            raise ValueError(f"value number {argument} after {count} steps")


class _Resolver:
    """Put arrays in place of their stand-ins; tuples become lists."""

    def __init__(self) -> None:
        self.left = 100_000  # values: a file that refers to itself ten times over ends here

    def resolve(self, value: Any, depth: int = 0) -> Any:
        self.left -= 1
        if depth > 20 or self.left < 0:
            raise ValueError("nested too deeply, or too many values")
        if isinstance(value, _Array):
            return value.value()
        if isinstance(value, dict):
            return {_key(k): self.resolve(v, depth + 1) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolve(v, depth + 1) for v in value]
        if value is None or type(value) in (bool, int, float, str, bytes):
            return value
        raise _Refused(f"a {type(value).__name__}")


def _key(value: Any) -> str:
    if type(value) is not str:
        raise _Refused("a key that is no text")
    return value
