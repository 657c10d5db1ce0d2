"""Options of `zoo data make alanine-dipeptide` and of its variants."""

from __future__ import annotations

from zoo.engines.exchange_options import ExchangeOptions
from zoo.engines.langevin import LangevinOptions


class Options(ExchangeOptions, LangevinOptions):
    """Langevin dynamics; of the independent runs every other one starts at φ > 0.

    The variant `replica-exchange` has options of its own (`highest` and below), and no `platform`; a run
    is one ensemble of replicas there and `temperature` the lowest of its ladder.
    """


#: Options that replica exchange alone has, and that it has not.
OF_EXCHANGE = ("highest", "levels", "exchange", "batch", "device", "compile")
OF_OPENMM = ("platform",)
