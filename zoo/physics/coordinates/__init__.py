"""Coordinates that densities live on, each with its log-determinant."""

from zoo.physics.coordinates.base import Coordinates
from zoo.physics.coordinates.cartesian import CenteredCartesian
from zoo.physics.coordinates.internal import InternalCoordinates
from zoo.physics.coordinates.mixed import MixedCoordinates
from zoo.physics.coordinates.zmatrix import ZMatrix

__all__ = ["CenteredCartesian", "Coordinates", "InternalCoordinates", "MixedCoordinates", "ZMatrix"]
