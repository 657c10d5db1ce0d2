"""Descriptors: numbers that tell a particle's surroundings, invariant under rotations and order."""

from __future__ import annotations

from zoo.descriptors.describer import Describer
from zoo.descriptors.operators import Operator, Operators
from zoo.descriptors.settings import DescriptorSettings

__all__ = ["Describer", "DescriptorSettings", "Operator", "Operators"]
