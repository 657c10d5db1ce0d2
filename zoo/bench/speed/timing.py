"""Timing of several ways to do one thing, in turn, so that a slow moment of the machine hits all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from zoo.progress import Bar


@dataclass(frozen=True)
class Timing:
    """Seconds of each repeat."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median over repeats."""
        return float(np.median(self.seconds))

    @property
    def spread(self) -> tuple[float, float]:
        """Quickest and slowest repeat."""
        return min(self.seconds), max(self.seconds)

    def record(self, amount: float) -> dict[str, Any]:
        """Seconds, and `amount` of work per second, as plain JSON."""
        low, high = self.spread
        return {
            "seconds_median": self.median,
            "seconds": list(self.seconds),
            "rate_median": amount / self.median,
            "rate_low": amount / high,
            "rate_high": amount / low,
        }


def interleave(
    ways: Mapping[str, Callable[[], object]], repeats: int, bar: Bar, device: str = "cpu"
) -> dict[str, Timing]:
    """Time each way `repeats` times, one after the other in each round, after one untimed round."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(-1, repeats):
        for name, work in ways.items():
            synchronize(device)
            start = time.perf_counter()
            work()
            synchronize(device)
            if repeat >= 0:
                seconds[name].append(time.perf_counter() - start)
            bar.advance(1, note=name)
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def synchronize(device: str) -> None:
    """Wait for the device's queue; nothing on a CPU."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
