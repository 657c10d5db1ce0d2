"""Memory and time of writing and reading back a long trajectory of alanine dipeptide's size.

python docs/large_datasets.py [FRAMES ...]     Linux; default 100000 1000000

Each step runs in a process of its own, whose memory is watched: what is printed is its largest,
less that of a process that only imports what the step needs. Frames are random numbers: positions,
forces, energies, run and time, 548 bytes a frame. Results are kept in docs/large_datasets.json.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ATOMS, RUNS = 22, 10


def chunks(frames: int, size: int = 5000) -> Iterator[dict]:
    """Give frames as an engine would: chunk by chunk."""
    import numpy as np

    rng = np.random.default_rng(0)
    for start in range(0, frames, size):
        n = min(size, frames - start)
        number = np.arange(start, start + n)
        yield {
            "positions": rng.standard_normal((n, ATOMS, 3), np.float32),
            "forces": rng.standard_normal((n, ATOMS, 3), np.float32),
            "energies": rng.standard_normal(n),
            "run": (number * RUNS // frames).astype(np.int32),
            "time": number.astype(np.float64),
        }


def write(folder: Path, frames: int) -> None:
    """Write the dataset."""
    from zoo.data.catalog import open_dataset
    from zoo.data.splits import split_runs
    from zoo.data.store import Manifest, dataset_writer

    system = open_dataset("alanine-dipeptide").system
    units = {"positions": "Å", "forces": "eV/Å", "energies": "eV", "run": "", "time": "ps"}
    if not frames:
        return
    with dataset_writer(folder, units) as writer:
        for chunk in chunks(frames):
            writer.append(chunk)
        splits = split_runs(writer.arrays()["run"])
        manifest = Manifest(
            name="large", version="1", units="ase", temperature=300.0, system=system.to_json(), splits=splits
        )
        writer.finish(manifest)


def read(folder: Path, frames: int) -> None:
    """Open it with its checksums and pass once over the positions of the training frames."""
    from zoo.data.catalog import open_dataset
    from zoo.data.dataset import Dataset

    open_dataset("alanine-dipeptide")
    if not frames:
        return
    dataset = Dataset(folder, verify=True)
    positions = dataset.array("positions")
    total = 0.0
    for start, stop in dataset.manifest.splits["train"]:
        for at in range(start, stop, 5000):
            total += float(positions[at : min(at + 5000, stop)].sum())
    assert len(dataset.split("train")) == sum(b - a for a, b in dataset.manifest.splits["train"])


def train(folder: Path, frames: int) -> None:
    """Cut 200 shuffled batches of 64 training frames, as `zoo train` does."""
    from itertools import islice

    from zoo.data.catalog import open_dataset
    from zoo.data.dataset import Dataset
    from zoo.data.loader import make_loader

    dataset = Dataset(folder) if frames else open_dataset("alanine-dipeptide")
    loader = make_loader(dataset.split("train"), 5.0, 64, shuffle=True)
    for batch in islice(loader, 200 if frames else 20):
        assert batch.pos.shape[1] == 3


def measure(step: str, folder: Path, frames: int) -> dict:
    """Run one step in a process of its own."""
    code = [sys.executable, str(Path(__file__).resolve()), "--step", step, str(folder), str(frames)]
    return json.loads(subprocess.run(code, check=True, stdout=subprocess.PIPE, text=True).stdout)


def step(name: str, folder: Path, frames: int) -> None:
    """What the child process does: the step, then its time and the largest memory of its own."""
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], own_memory())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    start = time.monotonic()
    {"write": write, "read": read, "train": train}[name](folder, frames)
    seconds = time.monotonic() - start
    done.set()
    watcher.join()
    print(json.dumps({"seconds": seconds, "own": peak[0]}))


def own_memory() -> int:
    """Bytes of memory of this process, without pages of files, which the system takes back (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) * 1024


def main(numbers: list[int]) -> None:
    """Measure, print a table, keep the numbers."""
    rows = []
    with tempfile.TemporaryDirectory(dir=".") as scratch:
        base = {s: measure(s, Path(scratch), 0) for s in ("write", "read", "train")}
        for frames in numbers:
            folder = Path(scratch) / str(frames)
            for name in ("write", "read", "train"):
                found = measure(name, folder, frames)
                rows.append(
                    {
                        "frames": frames,
                        "step": name,
                        "seconds": round(found["seconds"], 1),
                        "own_MB": round((found["own"] - base[name]["own"]) / 1e6, 1),
                    }
                )
                print(json.dumps(rows[-1]), flush=True)
            for path in folder.iterdir():
                path.unlink()
    (HERE / "large_datasets.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    if "--step" in sys.argv:
        _, _, name, folder, frames = sys.argv
        step(name, Path(folder), int(frames))
    else:
        main([int(n) for n in sys.argv[1:]] or [100_000, 1_000_000])
