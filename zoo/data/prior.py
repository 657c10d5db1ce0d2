"""The terms of a prior as plain numbers, so that they are kept in a model's card."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

#: What a prior may be made of.
PriorTerm: TypeAlias = Literal["bonds", "angles", "torsions", "couplings", "repulsion"]


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Wells(_Plain):
    """½ k (q − q₀)² of bonds (q a length) or of angles (q in radian).

    Args:
        atoms: `[terms][2 or 3]`.
        center: `[terms]` q₀.
        stiffness: `[terms]` k, energy over q².
    """

    atoms: list[list[int]]
    center: list[float]
    stiffness: list[float]


class Series(_Plain):
    """Σ_n a_n cos nφ + b_n sin nφ of torsions.

    Args:
        atoms: `[terms][4]`.
        coefficients: `[terms][2 · orders]`, energies: a₁ a₂ …, then b₁ b₂ …
    """

    atoms: list[list[int]]
    coefficients: list[list[float]]


class Couplings(_Plain):
    """Σ_mn K_mn b_m(φ) b_n(ψ) of two torsions, b being 1, cos φ, cos 2φ, …, sin φ, sin 2φ, …

    Args:
        first, second: `[terms][4]` atoms of φ and of ψ.
        coefficients: `[terms][1 + 2 · orders][1 + 2 · orders]` K, energies.
    """

    first: list[list[int]]
    second: list[list[int]]
    coefficients: list[list[list[float]]]


class Walls(_Plain):
    """ε (σ/r)ⁿ between pairs.

    Args:
        atoms: `[pairs][2]`.
        sigma: `[pairs]` σ, lengths.
        epsilon: ε, energy.
        power: n.
    """

    atoms: list[list[int]]
    sigma: list[float]
    epsilon: float
    power: int


class PriorTerms(_Plain):
    """A simple potential that a model learns the difference to; terms that are None or empty are absent."""

    bonds: Wells | None = None
    angles: Wells | None = None
    torsions: Series | None = None
    couplings: Couplings | None = None
    repulsion: Walls | None = None
