"""Checks of densities: draws and their densities belong together, and both are what they say."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor

from zoo.errors import ConfigError
from zoo.models.density import DensityModel
from zoo.testing.density_cases import Proposal, chain_info, pair_info, particles_info, system_of
from zoo.testing.subject import Subject
from zoo.testing.systems import jittered
from zoo.testing.tolerance import DIFFERENCE, STEP, TOLERANCES, assert_close
from zoo.weights import load_weights, save_weights

#: Draws that are compared row by row; draws that integrals are estimated from, and how many at a time.
ROWS, MANY, CHUNK = 16, 10_240, 1024


class DensityChecks:
    """What `draw`, `log_density`, `sample` and `log_prob` promise."""

    def test_draws(self, subject: Subject, dtype: torch.dtype) -> None:
        """q `[n, d]` and log q `[n]`, finite, of the model's dtype; the generator alone decides on them."""
        model = _model(subject, dtype)
        torch.manual_seed(1)
        q, log_q = model.draw(ROWS, _seed(1))
        assert q.shape == (ROWS, model.coordinates.dimension), f"draws of shape {list(q.shape)}"
        assert log_q.shape == (ROWS,), f"log-densities of shape {list(log_q.shape)}"
        assert q.dtype == log_q.dtype == dtype, f"draws are {q.dtype}, their densities {log_q.dtype}"
        assert torch.isfinite(q).all() and torch.isfinite(log_q).all(), "a draw is not finite"
        torch.manual_seed(2)
        again, _ = model.draw(ROWS, _seed(1))
        assert torch.equal(q, again), "draws of one seed differ: is the generator handed on?"
        other, _ = model.draw(ROWS, _seed(2))
        assert not (q == other).all(0).any(), "another seed gives the same draws"

    def test_density_of_draws(self, subject: Subject, dtype: torch.dtype) -> None:
        """`log_density` of a draw is the log-density that it was drawn with."""
        model = _model(subject, dtype)
        with torch.no_grad():
            q, log_q = model.draw(ROWS, _seed(3))
            allowed = TOLERANCES[dtype].value
            assert_close(model.log_density(q), log_q, allowed, "log_density of draws", model.accuracy)

    def test_sample(self, subject: Subject) -> None:
        """Positions `[n, particles, 3]`, whose `log_prob` is what `sample` says."""
        model = _model(subject)
        x, log_q = model.sample(ROWS, _seed(4))
        assert x.shape == (ROWS, subject.info.num_particles, 3), f"positions of shape {list(x.shape)}"
        inside = torch.isfinite(model.log_prob(x))
        assert inside.float().mean() > 0.5, "most draws are outside of the domain"
        allowed = TOLERANCES[torch.float64].value
        assert_close(model.log_prob(x)[inside], log_q[inside], allowed, "log_prob of samples", model.accuracy)

    def test_integrates_to_one(self, subject: Subject) -> None:
        """In few dimensions: ∫ q = 1 from draws of a wider density, and draws cover a narrower one evenly."""
        model = _model(_small(subject))
        seed = _seed(5)
        with torch.no_grad():
            drawn = [model.draw(CHUNK, seed) for _ in range(MANY // CHUNK)]
            q, log_q = (torch.cat(parts) for parts in zip(*drawn, strict=True))
            wide, narrow = Proposal(q, model, 1.5), Proposal(q, model, 0.6)
            there = wide.draw(MANY, _seed(6))
            density = torch.cat([model.log_density(part) for part in there.split(CHUNK)])
            _assert_mean_one(density - wide.log_density(there), "the density integrates to")
            _assert_mean_one(narrow.log_density(q) - log_q, "draws are not of their density: they give")

    def test_gradient_of_draws(self, subject: Subject) -> None:
        """Draws and their log-densities carry the gradient of the weights, by central differences."""
        model = _model(subject)
        parameters = [p for p in model.parameters() if p.requires_grad]
        if not parameters:
            pytest.skip("nothing is trained")
        with torch.no_grad():
            unit = model.draw(ROWS, _seed(14))[0].std(0)
        value = _of_draws(model, unit)
        if not value.requires_grad:
            pytest.skip("draws carry no gradient: trained by matching alone")
        grads = torch.autograd.grad(value, parameters, allow_unused=True)
        noise = torch.Generator().manual_seed(7)
        way = [torch.randn(p.shape, generator=noise, dtype=p.dtype) for p in parameters]
        size = sum(float(w.square().sum()) for w in way) ** 0.5
        slope = sum(float((w * g).sum()) for w, g in zip(way, grads, strict=True) if g is not None) / size
        step = 10 * STEP
        up, down = (
            float(_of_draws(_moved(model, way, sign * step / size), unit).detach()) for sign in (1, -1)
        )
        typical = sum(float(g.square().sum()) for g in grads if g is not None) ** 0.5 / size
        off = abs((up - down) / (2 * step) - slope) / max(typical, 1e-12)
        assert off <= 10 * DIFFERENCE, f"gradients of draws by parameters are off by {off:.2g}"

    def test_gradient_by_coordinates(self, subject: Subject) -> None:
        """∇ log q by autograd, which path gradients need, by central differences."""
        model = _model(subject)
        q = model.draw(ROWS, _seed(8))[0].detach()
        way = q.std(0) * torch.randn(q.shape, generator=_seed(9), dtype=q.dtype)
        point = q.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(model.log_density(point).sum(), point)
        slope = (gradient * way).sum(1)
        with torch.no_grad():
            up, down = (model.log_density(q + sign * STEP * way) for sign in (1, -1))
        # a spline's second derivative jumps at its knots: most rows must agree closely, none may be far off
        off = ((up - down) / (2 * STEP) - slope).abs() / slope.abs().max()
        assert float(off.median()) <= DIFFERENCE, f"∇ log q is off by {float(off.median()):.2g}"
        assert float(off.max()) <= 1e3 * DIFFERENCE, f"∇ log q is off by {float(off.max()):.2g} somewhere"

    def test_rescale(self, subject: Subject) -> None:
        """At another temperature draws and densities still belong together; back again, all is as before."""
        model = _model(subject)
        with torch.no_grad():
            q, before = model.draw(ROWS, _seed(10))
            model.rescale(4.0)
            hot, log_hot = model.draw(ROWS, _seed(10))
            allowed = TOLERANCES[torch.float64].value
            assert_close(
                model.log_density(hot), log_hot, allowed, "log_density when rescaled", model.accuracy
            )
            model.rescale(1.0)
            assert_close(model.log_density(q), before, allowed, "log_density scaled back", model.accuracy)

    def test_draws_of_a_saved_model(self, subject: Subject, tmp_path: Path) -> None:
        """Saved and loaded, one seed gives the same draws."""
        model = _model(subject, torch.float32)
        save_weights(model, tmp_path, subject.name)
        torch.manual_seed(11)
        loaded = cast(DensityModel, load_weights(tmp_path)).to(next(model.parameters(), torch.zeros(1)).dtype)
        with torch.no_grad():
            q, other = model.draw(ROWS, _seed(12))[0], loaded.draw(ROWS, _seed(12))[0]
        assert_close(other.to(q), q, TOLERANCES[torch.float32].value, "draws after save and load")

    def test_exchange(self, subject: Subject) -> None:
        """Like particles, exchanged, turned and moved: the same density, where the spec promises it."""
        promised = [s for s in ("permutation", "rotation", "translation") if subject.promises(s)]
        if not promised:
            pytest.skip("the spec promises no symmetry")
        info = particles_info()
        small = _with(subject, info)
        if small is None:
            pytest.skip("made for molecules")
        model = _model(small)
        x = torch.stack([s.pos for s in jittered(system_of(info), 8)])
        changed = x
        if "permutation" in promised:
            changed = changed[:, [2, 0, 3, 1]]
        if "rotation" in promised:
            turn = torch.linalg.qr(torch.randn(3, 3, generator=_seed(13), dtype=x.dtype)).Q
            changed = changed @ (turn * torch.linalg.det(turn)).T
        if "translation" in promised:
            changed = changed + torch.tensor([1.7, -2.9, 0.6], dtype=x.dtype)
        allowed = TOLERANCES[torch.float64].value
        what = f"log_prob under {', '.join(promised)}"
        assert_close(model.log_prob(changed), model.log_prob(x), allowed, what, model.accuracy)

    def test_repr(self, subject: Subject) -> None:
        """A model can be printed, and says what it is."""
        model = _model(subject)
        assert type(model).__name__ in repr(model)


def _model(subject: Subject, dtype: torch.dtype = torch.float64) -> DensityModel:
    if subject.interface != "density":
        pytest.skip("no density")
    return cast(DensityModel, subject.build(dtype)).to(dtype)


def _seed(number: int) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def _with(subject: Subject, info: object) -> Subject | None:
    """The same model for another system; None if it cannot be built for it."""
    if subject.interface != "density":
        pytest.skip("no density")
    other = Subject(subject.name, subject.task, subject.options, info=info)  # type: ignore[arg-type]
    try:
        other.build()
    except ConfigError:
        return None
    return other


def _small(subject: Subject) -> Subject:
    """Two particles in the plane; for models of molecules alone, four atoms: two or six dimensions."""
    small = _with(subject, pair_info()) or _with(subject, chain_info(4))
    assert small is not None, "the model can be built neither for two particles nor for four atoms"
    return small


def _assert_mean_one(log_weights: Tensor, what: str) -> None:
    weights = log_weights.exp()
    mean, error = float(weights.mean()), float(weights.std()) / math.sqrt(len(weights))
    assert error < 0.05, f"the weights scatter too much to tell ({mean:.3g} ± {error:.2g})"
    assert abs(mean - 1) <= 5 * error + 1e-3, f"{what} {mean:.4f} ± {error:.4f}, not 1"


def _of_draws(model: DensityModel, unit: Tensor) -> Tensor:
    """One number that depends on draws, in some unit, and on their log-densities; smooth on the circle."""
    q, log_q = model.draw(ROWS, _seed(14))
    circular, noise = model.coordinates.circular, _seed(15)
    turn = 2 * math.pi / torch.tensor(model.coordinates.periods, dtype=q.dtype)
    local = (q / unit)[:, circular:]
    smooth = torch.cat([(q[:, :circular] * turn).sin(), local], 1)
    weights = torch.randn(smooth.shape, generator=noise, dtype=q.dtype)
    return (smooth * weights).sum() + (log_q * torch.randn(ROWS, generator=noise, dtype=q.dtype)).sum()


def _moved(model: DensityModel, way: list[Tensor], step: float) -> DensityModel:
    other = copy.deepcopy(model)
    with torch.no_grad():
        for p, w in zip([p for p in other.parameters() if p.requires_grad], way, strict=True):
            p.add_(step * w)
    return other
