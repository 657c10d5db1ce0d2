"""Read damaged files in a child process with little memory; crashes and hangs are noticed, not suffered."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from fuzz_damage import damage, everything, fault
from fuzz_specimens import SPECIMENS

from zoo.data import formats
from zoo.data.formats import compiled, compiled_child
from zoo.errors import ZooError

#: A read may take so much more address space than the process had before, bytes.
MEMORY = 1 << 30
#: Seconds without an answer that count as a hang, even where the machine is busy.
PATIENCE = 60.0
#: Seconds of work that are too many for one small file.
SLOW = 5.0


@dataclass
class Tally:
    """What came of the damaged files: numbers by outcome, and each failure in words."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return ", ".join(f"{number} {name}" for name, number in sorted(self.outcomes.items()))


def fuzz(name: str, number: int, folder: Path, first: int = 0) -> Tally:
    """Read `number` damaged files of one format, seeds `first`, `first + 1`, …"""
    tally, seed = Tally(), first
    while seed < first + number:
        seed = _in_child(name, seed, first + number, folder, tally)
    return tally


def _in_child(name: str, seed: int, end: int, folder: Path, tally: Tally) -> int:
    """Work in a forked child until it is done or dies; return the next seed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            _limit()
            _work(name, seed, end, folder, os.fdopen(writing, "w"))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as answers:  # `select` does not see what a buffer holds
        if answers.readline() != b"ready\n":
            os.waitpid(child, 0)
            raise AssertionError(f"{name}: the honest file could not be read")
        hangs = False
        while seed < end:
            ready, _, _ = select.select([answers], [], [], PATIENCE)
            line = answers.readline() if ready else b""
            if not line:
                hangs = not ready
                break
            outcome, detail = json.loads(line)
            tally.outcomes[outcome] += 1
            if outcome not in ("refused", "read"):
                tally.failures.append(f"{name}, seed {seed}: {outcome}: {detail}")
            seed += 1
    if seed < end:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        outcome = "hung" if hangs else "crashed"
        tally.outcomes[outcome] += 1
        tally.failures.append(f"{name}, seed {seed}: {outcome}")
        return seed + 1
    os.waitpid(child, 0)
    return seed


def _limit() -> None:
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _work(name: str, seed: int, end: int, folder: Path, answers: IO[str]) -> None:
    compiled.subprocess = Forks()  # type: ignore[assignment]
    compiled_child._limit_memory = lambda: None  # the limit of this process holds for its forks
    format = name.partition(":")[0]
    (folder / "honest").mkdir(exist_ok=True)
    specimen = SPECIMENS[name](folder / "honest")
    content = specimen.file.read_bytes()
    raw = formats.read([specimen.file], format, **specimen.settings)
    honest = (raw, everything(raw))
    path = folder / specimen.file.name
    answers.write("ready\n")
    answers.flush()
    for number in range(seed, end):
        bad = damage(specimen, content, number)
        path.write_bytes(bad.content)
        answers.write(json.dumps(_outcome(path, format, bad, specimen, honest, content)) + "\n")
        answers.flush()


def _outcome(
    path: Path, format: str, bad: Any, specimen: Any, honest: Any, content: bytes
) -> tuple[str, str]:
    began = time.process_time()
    try:
        raw = formats.read([path], format, **specimen.settings)
        arrays = everything(raw)
    except ZooError as error:
        if "\n" in str(error) or not str(error) or len(str(error)) > 600:
            return "unclear", f"after {bad.name}: {str(error)[:300]!r}"
        if bad.content == content:
            return "wrong", f"the honest file was refused: {error}"
        return "refused", str(error)
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return "traceback", f"after {bad.name}: {error!r:.200} at {where.filename}:{where.lineno}"
    wrong = fault(bad, specimen, raw, arrays, honest)
    if wrong is not None:
        return "wrong", f"after {bad.name}: {wrong}"
    if time.process_time() - began > SLOW:
        return "slow", f"after {bad.name}: {time.process_time() - began:.0f} s"
    return "read", bad.name


class Forks:
    """Stands in for `subprocess` where compiled readers start a process: a fork, which imports nothing anew.

    What runs in it is the same function that `python -m zoo.data.formats.compiled_child` runs.
    """

    PIPE = DEVNULL = None

    class Popen:
        """A forked process whose standard output is a pipe."""

        def __init__(self, command: list[str], **_: Any) -> None:
            reading, writing = os.pipe()
            self.pid = os.fork()
            if self.pid == 0:
                try:
                    os.dup2(writing, 1)
                    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                    compiled_child.main(*command[command.index(compiled.CHILD) + 1 :])
                finally:
                    os._exit(0)
            os.close(writing)
            self.stdout = os.fdopen(reading, "rb")

        def kill(self) -> None:
            """Kill it."""
            os.kill(self.pid, signal.SIGKILL)

        def wait(self) -> None:
            """Reap it."""
            os.waitpid(self.pid, 0)


if __name__ == "__main__":  # python tests/data/fuzz_process.py NUMBER FOLDER FORMAT…
    import tempfile

    for each in sys.argv[2:] or SPECIMENS:
        with tempfile.TemporaryDirectory() as scratch:
            start = time.monotonic()
            result = fuzz(each, int(sys.argv[1]), Path(scratch))
            print(f"{each}: {result} in {time.monotonic() - start:.0f} s", flush=True)
            for failure in result.failures:
                print("   ", failure, flush=True)
