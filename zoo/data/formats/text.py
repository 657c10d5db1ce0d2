"""Lines of a text file, gzipped or not; damage comes out as one clear error."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from types import TracebackType

from zoo.errors import DataError

#: No honest line is longer; what follows may be a packed bomb.
LONGEST = 1 << 16
GZIP = b"\x1f\x8b"
#: First bytes of packings that are not undone here, and the command that undoes them.
OTHER_PACKINGS = {b"\x28\xb5\x2f\xfd": "zstd -d", b"BZh": "bunzip2", b"\xfd7zXZ": "unxz", b"PK": "unzip"}


class Cut(DataError):
    """The file ends too early."""


class Lines:
    """Lines one after the other, with their number. Used in a `with` statement.

    Args:
        path: text, or gzipped text.

    Raises:
        DataError: packed in another way, empty, or it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.number = path, 0
        self._held: str | None = None
        try:
            raw = path.open("rb")
        except OSError as error:
            raise DataError(f"{path} cannot be opened: {error.strerror}") from error
        start = raw.read(6)
        raw.seek(0)
        for magic, command in OTHER_PACKINGS.items():
            if start.startswith(magic):
                raw.close()
                raise DataError(f"{path} is packed: unpack it first (`{command} {path.name}`)")
        stream = gzip.GzipFile(fileobj=raw) if start.startswith(GZIP) else raw
        # Bytes that are no text become a character that no number and no keyword has.
        self._file = io.TextIOWrapper(stream, encoding="utf-8", errors="replace")  # type: ignore[arg-type]
        self._raw = raw

    def next(self) -> str | None:
        """Return the next line without its end, None at the end of the file."""
        line = self._read()
        return line.rstrip("\n") if line else None

    def _read(self) -> str:
        if self._held is not None:
            line, self._held = self._held, None
            return line
        try:
            line = self._file.readline(LONGEST)
        except EOFError as error:
            raise self.cut() from error
        except (OSError, zlib.error) as error:
            raise DataError(f"{self.path} is damaged: {error}") from error
        if line and not line.endswith("\n") and len(line) < LONGEST:
            raise self.cut()
        self.number += bool(line)
        if len(line) == LONGEST:
            raise self.wrong("the line is longer than any of this format")
        return line

    def block(self, number: int, stop: str) -> list[str]:
        """Return the next `number` lines, fewer where the file ends or a line begins with `stop`.

        Their ends are left on. Lines are counted as they come: a wrong number takes no memory.
        """
        rows: list[str] = []
        while len(rows) < number and (line := self._read()):
            if line.startswith(stop):
                self.back(line)
                break
            rows.append(line)
        return rows

    def back(self, line: str) -> None:
        """Give the last line back: it comes once more."""
        self._held = line

    def filled(self) -> str | None:
        """Return the next line that is not blank, None at the end of the file."""
        while (line := self.next()) is not None:
            if line.strip():
                return line
        return None

    def wrong(self, what: str) -> DataError:
        """An error that names the file and the line."""
        return DataError(f"{self.path}, line {self.number}: {what}")

    def cut(self) -> Cut:
        """An error for a file that ends after the last line read, or within the next."""
        return Cut(f"{self.path} is cut: it ends within or after line {self.number}")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._raw.close()

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
