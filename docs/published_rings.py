"""How many beads the published recipe uses as it trains, on any dataset: what docs/coarse-graining.md quotes.

python docs/published_rings.py DATASET BEADS STEPS
"""

from __future__ import annotations

import sys

import torch

import zoo
from zoo import keys
from zoo.bench.coarse_graining.plain import PlainAutoencoder, Recipe, train_plain

#: Lines that are printed.
LINES = 10


def main(name: str, beads: int, steps: int) -> None:
    """Train with seed 0 and print steps, beads used, and the square error of the test split."""
    data = zoo.load_dataset(name)
    train, test = (torch.from_numpy(data.split(s).array(keys.POSITIONS)) for s in ("train", "test"))
    printed = 0

    def watch(done: int, model: PlainAutoencoder) -> None:
        nonlocal printed
        if done * LINES >= (printed + 1) * steps:
            printed += 1
            used = len(torch.unique(model.hard()))
            print(f"{done} steps: {used} of {beads} beads used, {model.error(test):.4f}", flush=True)

    train_plain(train, None, beads, steps, 0, Recipe(), watch)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
