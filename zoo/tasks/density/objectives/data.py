"""Forward KL on data: maximum likelihood, or whatever the model matches with."""

from __future__ import annotations

import torch

from zoo.tasks.density.objectives.base import Loss, Objective, part_loss


class DataKL(Objective):
    """KL(data ‖ model) on random rows of the training split."""

    def loss(self, step: int) -> Loss:
        """See `Objective`."""
        rows = self.setting.data()
        pick = torch.randint(len(rows), (self.batch_size,), device=rows.device)
        value = part_loss(self.setting.model, rows[pick], None, self.options.part)
        return value, {"data": value.detach()}
