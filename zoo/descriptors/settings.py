"""Which descriptors a model starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import BeforeValidator, Field, model_validator

from zoo.config import Strict

#: Thermal: as the configuration is. Inherent: the energy minimum reached from it. Cage: its mean
#: positions while no particle rearranges. Averaged: its mean positions and local energies over short runs.
Positions = Literal["thermal", "inherent", "cage", "averaged"]


class DescriptorSettings(Strict):
    """Families of descriptors; lengths in the dataset's unit, σ of a glass.

    Each of `radial`, `orders` and `energy` can be averaged over neighbours; `diffused` reaches far.
    """

    positions: list[Positions] | None = Field(
        None, description="descriptors of each of these, side by side; by default those of task.positions"
    )
    radial: bool = Field(True, description="radial densities of each species")
    start: float = Field(0.75, ge=0, lt=1e6, description="first shell of the radial densities")
    stop: float = Field(3.0, gt=0, lt=1e6, description="last shell")
    step: float = Field(0.1, gt=0, description="distance between shells")
    width: float = Field(0.14, gt=0, description="δ of exp(−(r−μ)²/δ²)")
    orders: int = Field(
        0,
        ge=0,
        le=20,
        description="bond-orientational order of degree l = 1 … orders; 12 as in Boattini et al.",
    )
    order_shells: list[float] = Field(
        [1.0, 1.25, 1.5, 1.75, 2.0], description="distances at which it is measured"
    )
    order_width: float = Field(0.15, gt=0, description="δ of its weights exp(−(r−μ)²/(2δ²))")
    energy: bool | None = Field(
        None, description="local potential energy; by default where the dataset names its potential"
    )
    centered: bool = Field(
        False,
        description="less their mean over each species of the configuration: what is left of its mean "
        "state does not disturb, and pooled correlations lose a little",
    )
    offset: bool = Field(
        True,
        description="how far a particle is in the configuration from where the positions have it; "
        "0 of thermal ones",
    )
    voronoi: bool = Field(False, description="volume, surface, faces and asphericity of the Voronoi cell")
    voronoi_range: float = Field(
        2.5, gt=0, description="neighbours that make the cell; exact where its corners are nearer than half"
    )
    averages: int = Field(2, ge=0, le=8, description="times that all of these are averaged over neighbours")
    average_range: float = Field(2.0, gt=0, description="r_c of the weights exp(−r/r_c), r < r_c")
    diffused: list[int] = Field(
        [1, 2, 4, 8, 16, 24],
        description="steps of diffusion, weights I + exp(−r/diffusion_decay) below diffusion_range, after "
        "which the indicator and the energy of each species are read; none: []",
    )
    diffusion_decay: float = Field(0.5, gt=0, description="length over which weights of one step decay")
    diffusion_range: float = Field(2.5, gt=0, description="r beyond which nothing diffuses in one step")
    scales: list[float] = Field(
        [],
        description="lengths L: density, mean and variance of energy and Voronoi surface of each species, "
        "weights exp(−r/L) that fade out at scale_range",
    )
    scale_range: float = Field(4.0, gt=0, description="r beyond which nothing counts at any scale")

    @model_validator(mode="after")
    def _shells_make_sense(self) -> DescriptorSettings:
        if self.stop < self.start:
            raise ValueError(f"stop = {self.stop} is below start = {self.start}")
        if (self.stop - self.start) / self.step > 10_000:
            raise ValueError(f"step = {self.step} makes more than 10,000 shells")
        if min(self.diffused, default=1) < 1 or max(self.diffused, default=1) > 1000:
            raise ValueError("diffused takes numbers of steps from 1 to 1000")
        if min(self.scales, default=1.0) <= 0 or min(self.order_shells, default=1.0) <= 0:
            raise ValueError("scales and order_shells must be positive lengths")
        if self.orders and not self.order_shells:
            raise ValueError("orders need order_shells to be measured at; orders = 0 asks for none")
        if self.positions is not None and len(set(self.positions)) != len(self.positions):
            raise ValueError("positions names one kind twice")
        return self

    def centers(self) -> list[float]:
        """Distance of each shell."""
        return [self.start + k * self.step for k in range(round((self.stop - self.start) / self.step) + 1)]


def over(default: Callable[[], DescriptorSettings]) -> BeforeValidator:
    """Return a validator by which what is set goes over an entry's own default, not over the common one.

    For `Annotated[DescriptorSettings, over(default)]`.
    """
    return BeforeValidator(lambda v: {**default().model_dump(), **v} if isinstance(v, Mapping) else v)
