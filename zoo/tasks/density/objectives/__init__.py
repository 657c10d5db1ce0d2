"""Terms of the loss, each in a file; `OBJECTIVES` names them."""

from zoo.tasks.density.objectives.base import Loss, Objective, Setting
from zoo.tasks.density.objectives.buffer import BufferKL
from zoo.tasks.density.objectives.data import DataKL
from zoo.tasks.density.objectives.fab import AnnealedBootstrap
from zoo.tasks.density.objectives.reverse import ReverseKL

OBJECTIVES: dict[str, type[Objective]] = {
    "data": DataKL,
    "reverse-kl": ReverseKL,
    "buffer": BufferKL,
    "fab": AnnealedBootstrap,
}

__all__ = ["OBJECTIVES", "Loss", "Objective", "Setting"]
