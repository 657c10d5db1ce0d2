"""Every density leads a conformation back to its base, and forth again."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import kstest

from zoo.errors import ConfigError
from zoo.models.density import DensityModel
from zoo.registry import REGISTRY
from zoo.testing.subject import Subject

OPTIONS = {"equivariant-flow": {"hidden_channels": 8, "num_gaussians": 4, "solver": "rk4", "steps": 8}}


def densities() -> list[str]:
    names = [e.name for e in REGISTRY.entries("models") if e.builtin]
    return [n for n in names if "density" in REGISTRY.get("models", n).tasks]


def build(name: str) -> DensityModel:
    model = Subject(name, "density", OPTIONS.get(name, {})).build()
    assert isinstance(model, DensityModel)
    return model


@pytest.mark.parametrize("name", densities())
def test_there_and_back(name: str) -> None:
    model = build(name)
    with torch.no_grad():
        q = model.draw(6, torch.Generator().manual_seed(1))[0]
        u = model.to_base(q)
        back = model.from_base(u)
    assert u.shape == q.shape
    # the solver's steps are not reversible: 8 steps of fourth order; else round-off through the splines
    tolerance = 1e-3 if name == "equivariant-flow" else 1e-8
    assert (back - q).abs().max() < tolerance
    assert (u - q).abs().max() > 1e-3


@pytest.mark.parametrize("name", [n for n in densities() if n not in OPTIONS])
def test_draws_lead_back_to_what_the_base_is(name: str) -> None:
    """Columns of a draw's origin are uniform angles and standard normal, one by one (Kolmogorov-Smirnov)."""
    model = build(name)
    if name == "mixture-flow":
        pytest.skip("its base is a mixture that is learned")
    with torch.no_grad():
        u = model.to_base(model.draw(1000, torch.Generator().manual_seed(2))[0])
    circular = 0 if name == "realnvp" else model.coordinates.circular
    for column in range(u.shape[1]):
        x = u[:, column].numpy()
        if column < circular:
            half = float(model.coordinates.periods[column]) / 2 if name == "hierarchical-flow" else 3.1415927
            found = kstest(x, "uniform", (-half, 2 * half))
        else:
            found = kstest(x, "norm")
        assert found.pvalue > 1e-4, column


def test_what_has_no_base_says_so() -> None:
    class Plain(DensityModel):
        draw = log_density = lambda self, *_: None  # type: ignore[assignment]

    with pytest.raises(ConfigError, match="no base"):
        Plain.to_base(object.__new__(Plain), torch.zeros(1, 2))
