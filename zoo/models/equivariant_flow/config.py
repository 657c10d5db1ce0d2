"""Settings of the equivariant flow."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from zoo.models.density import DensityConfig


class EquivariantFlowConfig(DensityConfig):
    """The field, what it starts from, how it is trained and how it is integrated."""

    coordinates: Literal["auto", "internal", "mixed", "cartesian"] = Field(
        "cartesian", description="Cartesian about the centre; nothing else is possible here"
    )
    field: Literal["egnn", "gat"] = Field(
        "egnn", description="egnn: pairs that know their surroundings; gat: graph attention on differences"
    )
    hidden_channels: int = Field(32, ge=2, le=1024, description="features of particles and pairs")
    num_gaussians: int = Field(24, ge=2, le=512, description="radial basis functions")
    cutoff: float | None = Field(
        None,
        gt=0,
        lt=1e6,
        description="unit of length, beyond which pairs see nothing of each other; None: all see",
    )
    labels: Literal["auto", "types", "particles"] = Field(
        "auto", description="what tells particles apart: types, or each has its own; auto: own in molecules"
    )
    chiral: bool | None = Field(
        None, description="whether the field may tell left from right; None: in molecules in space"
    )
    layers: int = Field(2, ge=1, le=16, description="attention layers of field gat")
    heads: int = Field(4, ge=1, le=64, description="attention heads of field gat; divides hidden_channels")
    prior: Literal["auto", "isotropic", "chain"] = Field(
        "auto",
        description="Gaussian that the flow starts from: one width, or the data's correlations between "
        "particles; auto: chain where there are bonds",
    )
    transport: Literal["none", "batch", "equivariant"] = Field(
        "equivariant", description="how noise and data are paired in training"
    )
    solver: Literal["dopri5", "rk4"] = Field("dopri5", description="adaptive or fixed steps")
    tolerance: float = Field(1e-3, gt=0, lt=1, description="of dopri5, in one step")
    steps: int = Field(20, ge=1, le=10_000, description="of rk4")
    divergence: Literal["exact", "hutchinson"] = Field(
        "exact", description="exact: one pass with egnn, d passes with gat; hutchinson: unbiased estimate"
    )
    probes: int = Field(1, ge=1, le=1000, description="random vectors of hutchinson")

    @model_validator(mode="after")
    def _possible(self) -> EquivariantFlowConfig:
        if self.coordinates not in ("auto", "cartesian"):
            raise ValueError("equivariant-flow lives on Cartesian coordinates: leave model.coordinates out")
        if self.field == "gat" and self.hidden_channels % self.heads:
            raise ValueError(f"heads = {self.heads} must divide hidden_channels = {self.hidden_channels}")
        return self
