"""Numbers of steps in the place of batches, for tasks that make their own."""

from __future__ import annotations

import torch
from torch.utils.data import DataLoader


class Steps(torch.utils.data.Dataset[int]):
    """Numbers from 0."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> int:
        if step >= self.steps:
            raise IndexError(step)
        return step


def step_loader(steps: int) -> DataLoader:
    """Return a loader of `steps` numbers; it draws nothing from torch's generator, so that resume is
    exact.
    """
    return DataLoader(Steps(steps), batch_size=None, generator=torch.Generator())
