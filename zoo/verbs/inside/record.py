"""What a look inside finds: numbers, arrays and words, in two files from which every picture is drawn."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zoo.analysis.flags import Flag
from zoo.errors import RunError
from zoo.files import write_bytes, write_json
from zoo.tasks.metrics import Metric

#: Folder of records in a run directory.
FOLDER = "inside"


@dataclass
class Inside:
    """One look into one subject.

    Args:
        kind: "conformations", "latent" or "layers".
        label: the subject, as pictures name it.
        numbers: by name, `{"value", "unit"}` and where it is known `"error"`.
        arrays: what pictures are drawn from; no objects.
        flags: what is wrong, in words.
        facts: plain JSON: options, names of rows and columns of arrays, and where all comes from.
    """

    kind: str
    label: str
    numbers: dict[str, Metric] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write `KIND.npz` and, last, `KIND.json`, in place of older ones."""
        folder.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **self.arrays)
        write_bytes(folder / f"{self.kind}.npz", buffer.getvalue())
        record = asdict(self)
        del record["arrays"]
        write_json(folder / f"{self.kind}.json", {"format": 1, **record})

    @classmethod
    def load(cls, folder: Path, kind: str) -> Inside:
        """Read what `save` wrote. Raises `RunError` where it is missing or damaged."""
        path = folder / f"{kind}.json"
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            record.pop("format")
            flags = [Flag(**flag) for flag in record.pop("flags")]
            with np.load(folder / f"{kind}.npz", allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            return cls(**record, flags=flags, arrays=arrays)
        except FileNotFoundError as error:
            raise RunError(f"{folder} holds no look at {kind}: run `zoo analyze` first") from error
        except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise RunError(f"{path} is damaged; remove it and run `zoo analyze` again: {error}") from error
