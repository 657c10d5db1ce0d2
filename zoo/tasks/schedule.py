"""Learning-rate schedules by step, with linear warm-up."""

from __future__ import annotations

import math
from typing import Any

import torch

from zoo.config import Optim


def build_schedule(optimizer: torch.optim.Optimizer, optim: Optim, total_steps: int) -> Any:
    """Return what `LightningModule.configure_optimizers` should: the optimiser and its schedule.

    `cosine` and `exponential` end at `optim.final_lr × optim.lr` after `total_steps`; `plateau`
    halves the rate when the validation loss has not fallen for `optim.patience` epochs.
    """
    if optim.schedule == "plateau":
        scheduler: Any = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=0.5, patience=optim.patience, min_lr=optim.lr * optim.final_lr
        )
        plateau = {"scheduler": scheduler, "interval": "epoch", "monitor": "val_loss"}
        return {"optimizer": optimizer, "lr_scheduler": plateau}

    def factor(step: int) -> float:
        if step < optim.warmup_steps:
            return (step + 1) / (optim.warmup_steps + 1)
        span = max(total_steps - optim.warmup_steps, 1)
        done = min((step - optim.warmup_steps) / span, 1.0)
        if optim.schedule == "cosine":
            return optim.final_lr + (1 - optim.final_lr) * 0.5 * (1 + math.cos(math.pi * done))
        if optim.schedule == "exponential":
            return optim.final_lr**done
        return 1.0

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    by_step = {"scheduler": scheduler, "interval": "step"}
    return {"optimizer": optimizer, "lr_scheduler": by_step}
