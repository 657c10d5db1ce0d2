"""The dataset on disk: one folder with `manifest.json` and one `.npy` per array, never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from zoo.data.consistency import check_consistency
from zoo.data.growing import GrowingArray
from zoo.data.system import System
from zoo.errors import DataError

MANIFEST = "manifest.json"
FORMAT = 1


class ArrayRecord(BaseModel):
    """What the manifest says of one array."""

    model_config = ConfigDict(extra="forbid")
    file: str
    shape: list[int]
    dtype: str
    unit: str
    sha256: str


class Manifest(BaseModel):
    """Everything about a dataset but its numbers.

    `splits` maps a split's name to half-open ranges of frames. `provenance` tells how the frames
    were made: engine, version, seeds, command, parameters. `temperature` is in the unit system's
    unit, None where it has no meaning.
    """

    model_config = ConfigDict(extra="forbid")
    format: Literal[1] = 1
    name: str
    version: str
    units: Literal["ase", "lj"]
    temperature: float | None
    system: dict[str, Any]
    splits: dict[str, list[tuple[int, int]]]
    arrays: dict[str, ArrayRecord] = {}
    target_names: list[str] = []
    target_times: list[float] = []
    provenance: dict[str, Any] = {}


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def new_folder(out: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside `out` that becomes `out` when the body ends without error.

    Two processes that write the same dataset do not harm each other: the first one's stays (the
    last one's with `overwrite`), and at no time is `out` half-written. Raises `DataError` if `out`
    exists and is not to be replaced.
    """
    out = Path(out)
    if out.exists() and not overwrite:
        raise DataError(f"{out} exists already; choose another --out or remove it first")
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if overwrite and out.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent))
            os.replace(out, old / out.name)
            os.replace(temporary, out)
            shutil.rmtree(old)
        else:
            os.replace(temporary, out)
    except OSError as error:
        if out.exists() and not overwrite:
            raise DataError(f"{out} was made by another process meanwhile; that one stays") from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


class DatasetWriter:
    """A dataset in the writing, chunk by chunk; see `dataset_writer`.

    Args:
        folder: temporary folder.
        out: where it will stand, for messages.
        units: name to unit, one for each array.
    """

    def __init__(self, folder: Path, out: Path, units: Mapping[str, str]) -> None:
        self.folder, self.out, self.units = folder, out, units
        self.growing: dict[str, GrowingArray] = {}
        self.manifest: Manifest | None = None

    def append(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Add frames: name to array, first axis = frames; the same names in every chunk.

        Raises `DataError` where names, shapes or kinds differ from the first chunk's, or on NaN.
        """
        if not self.growing:
            self.growing = {n: GrowingArray(self.folder / f"{n}.npy", a) for n, a in arrays.items()}
        if arrays.keys() != self.growing.keys():
            differ = sorted(arrays.keys() ^ self.growing.keys())
            raise DataError(f"{self.out}: some frames have {', '.join(differ)} and some have not")
        for name, array in arrays.items():
            self.growing[name].append(np.asarray(array))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what was written, memory-mapped; nothing can be added after."""
        for array in self.growing.values():
            array.close()
        return {n: np.load(a.path, mmap_mode="r", allow_pickle=False) for n, a in self.growing.items()}

    def finish(self, manifest: Manifest) -> None:
        """Check that all fits together and add the manifest, whose `arrays` is filled in here.

        Raises `DataError` where sizes, splits, cell or targets do not fit.
        """
        arrays = self.arrays()
        check_consistency(
            self.out, System.from_json(manifest.system), arrays, manifest.splits,
            manifest.target_names, manifest.target_times,
        )  # fmt: skip
        for name, array in arrays.items():
            path = self.growing[name].path
            manifest.arrays[name] = ArrayRecord(
                file=path.name,
                shape=list(array.shape),
                dtype=array.dtype.str,
                unit=self.units[name],
                sha256=sha256(path),
            )
        text = json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=1)
        (self.folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
        self.manifest = manifest


@contextmanager
def dataset_writer(
    out: Path, units: Mapping[str, str], *, overwrite: bool = False
) -> Iterator[DatasetWriter]:
    """Give a writer whose dataset appears at `out`, whole, when the body ends without error.

    Memory does not grow with the number of frames: `append` writes them, `finish` adds the
    manifest. Raises `DataError` as `new_folder` does.
    """
    with new_folder(Path(out), overwrite=overwrite) as folder:
        writer = DatasetWriter(folder, Path(out), units)
        try:
            yield writer
        finally:
            for array in writer.growing.values():
                array.close()
        assert writer.manifest is not None, "DatasetWriter.finish was not called"


def write_dataset(
    out: Path,
    manifest: Manifest,
    arrays: Mapping[str, np.ndarray] | Iterable[Mapping[str, np.ndarray]],
    units: Mapping[str, str],
    *,
    overwrite: bool = False,
) -> Path:
    """Write a whole dataset.

    Args:
        out: folder to make.
        manifest: everything but `arrays`, which is filled in here.
        arrays: name to array, first axis = frames; or chunks of such, read while they are written.
        units: name to unit, one for each array.
        overwrite: replace a dataset that is there.

    Raises:
        DataError: an array holds NaN or infinity, or parts do not fit together.
    """
    with dataset_writer(out, units, overwrite=overwrite) as writer:
        for chunk in [arrays] if isinstance(arrays, Mapping) else arrays:
            writer.append(chunk)
        writer.finish(manifest)
    return Path(out)


def read_manifest(folder: Path) -> Manifest:
    """Read a dataset's manifest. Raises `DataError` where it is missing or not valid."""
    folder = Path(folder)
    path = folder / MANIFEST
    if not folder.exists():
        raise DataError(f"no dataset at {folder}: there is no such folder")
    if not path.is_file():
        raise DataError(
            f"{folder} is no dataset: it has no {MANIFEST}. "
            "`zoo data import NAME PATH...` turns files of a public format into one"
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(f"{path} is not valid JSON: {error}") from error
    found = record.get("format") if isinstance(record, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise DataError(f"{path} has format {found}, newer than this zoo reads: upgrade molzoo")
    try:
        return Manifest.model_validate(record)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{path} is not a valid manifest: {where}: {first['msg']}") from error


def open_array(folder: Path, name: str, record: ArrayRecord, *, verify: bool) -> np.ndarray:
    """Memory-map one array and compare it with its record.

    Raises `DataError` where the file is missing, truncated, of another shape, would need
    unpickling or, with `verify`, has another SHA-256.
    """
    path = Path(folder) / record.file
    if Path(record.file).name != record.file:
        raise DataError(f"{folder}: array {name} names a file outside the folder: {record.file}")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing, though the manifest names it") from error
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read, it may be truncated: {error}") from error
    if list(array.shape) != record.shape or array.dtype.str != record.dtype:
        raise DataError(
            f"{path} is {array.dtype.str}{list(array.shape)}, the manifest says {record.dtype}{record.shape}"
        )
    if verify and sha256(path) != record.sha256:
        raise DataError(f"{path} was changed: its sha256 is not the manifest's. Make it again")
    return array
