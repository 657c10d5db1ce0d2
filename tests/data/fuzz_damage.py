"""Damage to files, by seed; and what may then come out of a reader."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from fuzz_specimens import Specimen

from zoo import keys
from zoo.data.entry import RawData
from zoo.data.system import System

#: Values that overflow counters and sizes.
HUGE = (2**31 - 1, -1, -(2**31), 2**24, 2**30 + 7)
WORDS = (
    "nan",
    "-nan",
    "inf",
    "-1",
    "0",
    "1e308",
    "99999999999999999999",
    "2147483648",
    "x",
    "1e-320",
    "-5",
    "٣",
)


@dataclass(frozen=True)
class Damage:
    """A damaged file.

    Args:
        name: of the kind of damage.
        content: the bytes.
        places: in how many places the content was changed.
        refuse: whether a reader must refuse it (NaN, a negative box, arrays that do not fit).
        cut: whether the end is missing.
    """

    name: str
    content: bytes
    places: int = 1
    refuse: bool = False
    cut: bool = False


def damage(specimen: Specimen, honest: bytes, seed: int) -> Damage:
    """Return one damaged version of a file."""
    rng = np.random.default_rng([seed, len(honest)])
    kinds = [_flip, _flip, _cut, _span, _swap, _repeat, _insert]
    if specimen.kind == "text":
        kinds += [_word, _word, _columns, _line, _negative, _huge_count, _byte_of_text, _byte_of_text]
    else:
        kinds += [_integer, _number, _head, _head]
    if specimen.remake is not None:
        kinds += [_arrays] * len(kinds)
    kind = kinds[rng.integers(len(kinds))]
    return kind(rng, specimen, honest)


def _flip(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    data, places = bytearray(honest), int(rng.integers(1, 9))
    for at in rng.integers(len(data), size=places):
        data[at] ^= 1 << int(rng.integers(8)) if rng.random() < 0.5 else int(rng.integers(1, 256))
    return Damage("bytes flipped", bytes(data), places)


def _head(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    """Binary formats keep counts and sizes at their beginning, containers at their end."""
    data = bytearray(honest)
    at = int(rng.integers(min(len(data), 512)))
    at = at if rng.random() < 0.7 else len(data) - 1 - at
    data[at] = int(rng.integers(256))
    return Damage("byte of the head changed", bytes(data))


def _byte_of_text(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    """A character becomes another that such files have."""
    data = bytearray(honest)
    data[int(rng.integers(len(data)))] = int(rng.choice(list(b"0123456789 .-+eE\nATIOM:#,=\"'<>")))
    return Damage("character changed", bytes(data))


def _cut(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    return Damage("cut", honest[: int(rng.integers(len(honest)))], cut=True)


def _span(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    start, length = int(rng.integers(len(honest))), int(rng.integers(1, 100))
    return Damage(
        "bytes taken out", honest[:start] + honest[start + length :], 2, cut=start + length >= len(honest)
    )


def _swap(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    length = int(rng.integers(1, 60))
    one, other = sorted(rng.integers(len(honest), size=2).tolist())
    other = max(other, one + length)
    parts = [honest[:one], honest[other : other + length], honest[one + length : other],
             honest[one : one + length], honest[other + length :]]  # fmt: skip
    return Damage("bytes swapped", b"".join(parts), 4)


def _repeat(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    start, length = int(rng.integers(len(honest))), int(rng.integers(1, 100))
    return Damage("bytes repeated", honest[: start + length] + honest[start:], 2)


def _insert(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    at = int(rng.integers(len(honest)))
    return Damage("bytes put in", honest[:at] + rng.bytes(int(rng.integers(1, 40))) + honest[at:], 2)


def _integer(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    data = bytearray(honest)
    at = 4 * int(rng.integers(max(1, min(len(data), 2048) // 4)))
    order = "<i4" if rng.random() < 0.5 else ">i4"
    data[at : at + 4] = np.array(HUGE[rng.integers(len(HUGE))], order).tobytes()
    return Damage("huge count", bytes(data[: len(honest)]))


def _number(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    data = bytearray(honest)
    kind = str(rng.choice(["<f4", ">f4", "<f8", ">f8"]))
    value = np.array(rng.choice([np.nan, np.inf, -1e30, 1e30]), kind).tobytes()
    at = 4 * int(rng.integers(max(1, len(data) // 4 - 1)))
    data[at : at + len(value)] = value
    return Damage("NaN or infinity", bytes(data[: len(honest)]), 2)


def _lines(honest: bytes) -> list[str]:
    return honest.decode().splitlines(keepends=True)


def _word(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    text = honest.decode()
    words = list(re.finditer(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", text))
    found = words[rng.integers(len(words))]
    new = WORDS[rng.integers(len(WORDS))]
    return Damage(f"a number became {new}", (text[: found.start()] + new + text[found.end() :]).encode())


def _huge_count(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    """Whole numbers that stand alone or lead a line: mostly counts."""
    text = honest.decode()
    found = list(re.finditer(r"^\d+(?=\s)", text, re.M)) or list(re.finditer(r"\d+", text))
    one = found[rng.integers(len(found))]
    new = str(10 ** int(rng.integers(3, 25)))
    return Damage("huge count", (text[: one.start()] + new + text[one.end() :]).encode())


def _columns(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    lines = _lines(honest)
    at = int(rng.integers(len(lines)))
    words = re.split(r"(\s+)", lines[at])
    if len(words) > 3:
        one, other = rng.choice(np.arange(0, len(words), 2), 2, replace=False)
        words[one], words[other] = words[other], words[one]
    lines[at] = "".join(words)
    return Damage("columns of a line swapped", "".join(lines).encode(), 2)


def _line(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    lines = _lines(honest)
    at = int(rng.integers(len(lines)))
    if rng.random() < 0.5:
        del lines[at]
        return Damage("a line taken out", "".join(lines).encode(), 2, cut=at == len(lines))
    lines.insert(int(rng.integers(len(lines))), lines[at])
    return Damage("a line repeated", "".join(lines).encode(), 2)


def _negative(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    """All numbers of one line change sign: a box among them."""
    lines = _lines(honest)
    at = int(rng.integers(len(lines)))
    lines[at] = re.sub(r"(?<![\w.+-])-?(\d)", r"-\1", lines[at])
    return Damage("a line's numbers negative", "".join(lines).encode())


def _arrays(rng: np.random.Generator, specimen: Specimen, honest: bytes) -> Damage:
    """Arrays by name, written anew: the container's checksums hold, its content does not."""
    arrays = dict(specimen.arrays)
    names = [name for name, value in arrays.items() if np.asarray(value).dtype.kind in "fiu"]
    name = names[rng.integers(len(names))]
    array = np.array(arrays[name])
    choice = rng.choice(
        ["nan", "cut", "axis", "kind", "negative", "missing", "text", "complex", "empty", "huge"]
    )
    refuse = True
    if choice in ("nan", "huge"):
        array = array.astype(np.float64)
        array.reshape(-1)[rng.integers(array.size)] = (np.nan, np.inf)[choice == "huge"]
    elif choice == "cut":
        array = array[:-1] if array.ndim else array[None].repeat(2)
        refuse = False  # fewer times or clones may still fit together
    elif choice == "axis":
        array = array[..., None, :] if array.ndim else array[None, None, None]
        refuse = False
    elif choice == "kind":
        array = array.astype(np.float16)
        refuse = False
    elif choice == "negative":
        array = -np.abs(array) - 1
        refuse = name in ("box", "types", "masses")
    elif choice == "missing":
        refuse = name in ("positions", "initial_positions", "types")
    elif choice == "text":
        array = array.astype(str)
    elif choice == "complex":
        array = array.astype(complex)
    elif choice == "empty":
        array = array.reshape(-1)[:0]
        refuse = False
    arrays[name] = array
    if choice == "missing":
        del arrays[name]
    assert specimen.remake is not None
    return Damage(f"{name}: {choice}", specimen.remake(arrays), places=10**9, refuse=refuse)


def everything(raw: RawData) -> dict[str, np.ndarray]:
    """All frames of what a reader gave."""
    parts = [raw.arrays, *raw.more]
    return {name: np.concatenate([part[name] for part in parts]) for name in raw.arrays}


def fault(
    damage: Damage, specimen: Specimen, raw: RawData, arrays: dict[str, np.ndarray], honest: tuple[Any, ...]
) -> str | None:
    """Say what is wrong with a read that succeeded; None: it is sound.

    Sound: sizes fit together, numbers are finite, boxes have a volume, and the damage stayed where it was:
    no more frames differ from the honest ones than there are damaged places; a file that was cut gives some
    of the honest frames, or none; a file whose bytes a checksum guards gives the honest ones or none.
    """
    if damage.refuse:
        return f"{damage.name} was not refused"
    system, frames = raw.system, len(arrays[keys.POSITIONS])
    System.from_json(system.to_json())
    if arrays[keys.POSITIONS].shape != (frames, system.num_particles, 3) or not frames:
        return f"positions of shape {arrays[keys.POSITIONS].shape} for {system.num_particles} particles"
    for name, array in arrays.items():
        if len(array) != frames:
            return f"{len(array)} {name} for {frames} frames"
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return f"{name} holds NaN or infinity"
        if array.dtype.kind not in "fiu":
            return f"{name} is {array.dtype}"
    if not (np.isfinite(system.masses) & (system.masses > 0)).all():
        return "masses that are not positive"
    if system.periodic and not (np.linalg.det(arrays[keys.CELLS]) > 1e-12).all():
        return "a periodic cell without volume"
    told, expected = honest
    if damage.places < 10**9:
        if missing := told.arrays.keys() - arrays.keys():
            return f"{', '.join(missing)} were lost"
        if system.num_particles != told.system.num_particles:
            return f"{system.num_particles} particles of {told.system.num_particles}"
        return _frames(damage, specimen, arrays, expected)
    return None


def _frames(
    damage: Damage, specimen: Specimen, arrays: dict[str, np.ndarray], expected: dict[str, np.ndarray]
) -> str | None:
    names = [n for n in (keys.POSITIONS, keys.FORCES, keys.VELOCITIES, keys.CELLS) if n in expected]
    found, honest = len(arrays[keys.POSITIONS]), len(expected[keys.POSITIONS])
    if found > honest or (found < honest and (specimen.kind == "sealed" or not damage.cut)):
        return f"{found} frames of {honest}"
    differ = np.zeros(found, bool)
    for name in names:
        if arrays[name].shape[1:] != expected[name].shape[1:]:
            return f"{name} of shape {arrays[name].shape}"
        changed = arrays[name] != expected[name][:found]
        differ |= changed.reshape(found, -1).any(1)
    allowed = 0 if specimen.kind == "sealed" or damage.cut else damage.places
    if differ.sum() > allowed:
        return f"{differ.sum()} frames differ after damage in {damage.places} places ({damage.name})"
    return None
