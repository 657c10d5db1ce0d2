"""Checks of autoencoders: there and back, beads, latents, draws, and what they are trained by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from e3nn import o3
from torch import Tensor

from zoo.models.autoencoder import AutoencoderModel, BeadAutoencoder, SplitAutoencoder
from zoo.physics.superpose import superposed
from zoo.testing.autoencoder_cases import PROGRESS, molecule_frames
from zoo.testing.subject import Subject
from zoo.testing.tolerance import DIFFERENCE, STEP, TOLERANCES, assert_close
from zoo.weights import load_weights, save_weights

#: Frames that are compared row by row.
ROWS = 8
#: Least spread of draws beside the molecule's size: noise that rounding does not make.
SPREAD = 1e-4


class AutoencoderChecks:
    """What `encode`, `decode`, `reconstruct`, `draw`, `objective` and `coarse_map` promise."""

    def test_there_and_back(self, subject: Subject, dtype: torch.dtype) -> None:
        """z is `[batch, beads, 3]` or `[batch, latents]`, as the bottleneck says; decoded x is like x."""
        model, x = _model(subject, dtype)
        z = model.encode(x)
        assert z.ndim == 2 or (z.ndim == 3 and z.shape[2] == 3), f"z of shape {list(z.shape)}"
        latents = model.bottleneck.get("latent", z.shape[1])
        assert list(z.shape)[:2] == [ROWS, latents] or z.ndim == 3, f"{z.shape[1]} latents, not {latents}"
        for name, y in {"decoded": model.decode(z), "reconstructed": model.reconstruct(x)}.items():
            assert y.shape == x.shape, f"{name} x of shape {list(y.shape)}, not {list(x.shape)}"
        for name, y in {"z": z, "decoded x": model.decode(z), "reconstruction": model.reconstruct(x)}.items():
            assert y.dtype == dtype, f"{name} is {y.dtype}, x is {dtype}"
            assert torch.isfinite(y).all(), f"{name} holds NaN or infinity"

    def test_forward_reconstructs(self, subject: Subject) -> None:
        """`model(graph)` is `reconstruct` of its positions, and that decodes what was encoded."""
        model, x = _model(subject)
        allowed = TOLERANCES[torch.float64].value
        rebuilt = model.reconstruct(x)
        for row, system in enumerate(subject.open_systems()):
            given = model(system.graph(model.cutoff))
            assert_close(given, model.reconstruct(system.pos[None])[0], allowed, f"forward of frame {row}")
        if type(model).reconstruct is AutoencoderModel.reconstruct:
            assert_close(rebuilt, model.decode(model.encode(x)), allowed, "reconstruct")

    def test_rows_are_independent(self, subject: Subject, dtype: torch.dtype) -> None:
        """A frame has the same z, and z the same structure, alone and among others."""
        model, x = _model(subject, dtype)
        z, allowed = model.encode(x), TOLERANCES[dtype].value
        alone = torch.cat([model.encode(row[None]) for row in x])
        assert_close(z, alone, allowed, "z in a batch and alone")
        decoded = torch.cat([model.decode(row[None]) for row in z])
        assert_close(model.decode(z), decoded, allowed, "decoded x in a batch and alone")

    def test_inputs_are_not_changed(self, subject: Subject) -> None:
        """Positions, forces and z are the same numbers afterwards."""
        model, x = _model(subject)
        forces = molecule_frames(ROWS)[1]
        z = model.encode(x).detach()
        before = [t.clone() for t in (x, forces, z)]
        model.decode(z)
        model.draw(z, _seed(1))
        model.reconstruct(x)
        model.objective(x, forces, PROGRESS)
        for name, now, then in zip(("positions", "forces", "z"), (x, forces, z), before, strict=True):
            assert torch.equal(now, then), f"{name} are changed in place"
            assert not now.requires_grad, f"{name} are left with a gradient"

    def test_moved_and_turned(self, subject: Subject, dtype: torch.dtype) -> None:
        """Moved or turned: beads and reconstructions go along, latents stay."""
        promised = [s for s in ("translation", "rotation") if subject.promises(s)]
        if not promised:
            pytest.skip("the spec promises neither translation nor rotation")
        model, x = _model(subject, dtype)
        torch.manual_seed(3)
        turn, step = o3.rand_matrix(dtype=torch.float64).to(dtype), x.new_tensor([1.7, -2.9, 0.6])
        motions: dict[str, Callable[[Tensor], Tensor]] = {
            "translation": lambda y: y + step, "rotation": lambda y: y @ turn.T
        }  # fmt: skip
        allowed = TOLERANCES[dtype].value
        for name in promised:
            move = motions[name]
            z, moved = model.encode(x), model.encode(move(x))
            if z.ndim == 2 or isinstance(
                model, BeadAutoencoder
            ):  # or else vectors of any sort, such as principal components
                assert_close(moved, z if z.ndim == 2 else move(z), allowed, f"z under {name}")
            expected, y = move(model.reconstruct(x)), model.reconstruct(move(x))
            # a latent does not know where the molecule is, so that only the shape can be compared
            y = superposed(y, expected) if model.superposed else y
            assert_close(y, expected, allowed, f"reconstructions under {name}")

    def test_draws_of_structures(self, subject: Subject, dtype: torch.dtype) -> None:
        """Draws are like decoded structures, or are those; the generator alone decides on them."""
        model, x = _model(subject, dtype)
        z = model.encode(x)
        torch.manual_seed(1)
        drawn = model.draw(z, _seed(1))
        assert drawn.shape == x.shape, f"draws of shape {list(drawn.shape)}, not {list(x.shape)}"
        assert drawn.dtype == dtype and torch.isfinite(drawn).all(), (
            "draws are not finite, or of another dtype"
        )
        torch.manual_seed(2)
        assert torch.equal(drawn, model.draw(z, _seed(1))), "draws of one seed differ: is the generator used?"
        if type(model).draw is AutoencoderModel.draw:
            assert torch.equal(drawn, model.decode(z))
            return
        size = float((x - x.mean(1, keepdim=True)).square().mean().sqrt())
        away = (drawn - model.draw(z, _seed(2))).square().mean((1, 2)).sqrt()
        assert bool((away > SPREAD * size).all()), "another seed gives the same draw"

    def test_objective(self, subject: Subject) -> None:
        """A loss and scalars to log, all finite, whatever is done of the training."""
        model, x = _model(subject)
        forces = molecule_frames(ROWS)[1]
        trained = [p for p in model.parameters() if p.requires_grad]
        for training in (True, False):
            model.train(training)
            for progress in (0.0, PROGRESS, 1.0):
                if training and isinstance(model, SplitAutoencoder):
                    loss, logs = model.split_objective(progress)
                else:
                    loss, logs = model.objective(x, forces, progress)
                assert loss.shape == () and torch.isfinite(loss), f"the loss is {loss} at progress {progress}"
                assert not (training and trained) or loss.requires_grad, "the loss has no gradient"
                for name, value in logs.items():
                    assert value.numel() == 1 and torch.isfinite(value).all(), f"{name} = {value}"

    def test_derivatives(self, subject: Subject) -> None:
        """`encode` and `decode` are differentiable, by central differences."""
        model, x = _model(subject)
        _assert_differentiable(model.encode, x, "encode")
        _assert_differentiable(model.decode, model.encode(x).detach(), "decode")

    def test_map(self, subject: Subject) -> None:
        """Rows of C add up to one, B Cᵀ = 1, and the beads of `encode` are those of the map."""
        model, x = _model(subject)
        if not isinstance(model, BeadAutoencoder):
            pytest.skip("no map onto beads")
        coarse = model.coarse_map()
        c, b = np.asarray(coarse.positions), np.asarray(coarse.forces)
        assert c.shape == b.shape == (coarse.num_beads, subject.info.num_particles), f"a map of {c.shape}"
        assert np.allclose(c.sum(1), 1, atol=1e-6), "a row of C does not add up to one"
        assert np.allclose(b @ c.T, np.eye(len(c)), atol=1e-6), "B Cᵀ is not the unit matrix"
        z = model.encode(x).detach()
        beads = torch.from_numpy(coarse.to_beads(x.numpy()))
        assert z.shape[1] >= coarse.num_beads, f"{z.shape[1]} beads in z, {coarse.num_beads} in the map"
        # a bead that no particle belongs to may be in z alone
        away = torch.cdist(beads.transpose(0, 1).flatten(1), z.transpose(0, 1).flatten(1)).amin(1)
        assert float(away.max()) <= 1e-6 * float(x.norm()), "beads of the map are not those of `encode`"

    def test_state_of_an_autoencoder(self, subject: Subject, tmp_path: Path) -> None:
        """Saved and loaded: the same z, structures, draws and map."""
        model, x = _model(subject, torch.float32)
        save_weights(model, tmp_path, subject.name)
        torch.manual_seed(10)
        loaded = cast(AutoencoderModel, load_weights(tmp_path))
        allowed, z = TOLERANCES[torch.float32].stored, model.encode(x)
        assert_close(loaded.encode(x), z, allowed, "z after save and load")
        assert_close(loaded.decode(z), model.decode(z), allowed, "decoded x after save and load")
        assert_close(loaded.draw(z, _seed(4)), model.draw(z, _seed(4)), allowed, "draws after save and load")
        if isinstance(model, BeadAutoencoder) and isinstance(loaded, BeadAutoencoder):
            found, expected = (torch.from_numpy(m.coarse_map().positions) for m in (loaded, model))
            # what the map goes by, such as masses, may be in double precision again
            assert_close(found, expected, TOLERANCES[torch.float32].value, "the map after save and load")


def _model(subject: Subject, dtype: torch.dtype = torch.float64) -> tuple[AutoencoderModel, Tensor]:
    """The model, and frames `[ROWS, particles, 3]`."""
    if subject.interface != "autoencoder":
        pytest.skip("no autoencoder")
    model = cast(AutoencoderModel, subject.build(dtype))
    return model, molecule_frames(ROWS)[0].to(dtype)


def _seed(number: int) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def _assert_differentiable(function: Callable[[Tensor], Tensor], at: Tensor, what: str) -> None:
    point = at.clone().requires_grad_()
    value = function(point)
    assert value.requires_grad, f"{what} has no gradient"
    weights = torch.randn(value.shape, generator=_seed(5), dtype=value.dtype)
    (gradient,) = torch.autograd.grad((value * weights).sum(), point)
    way = torch.randn(at.shape, generator=_seed(6), dtype=at.dtype)
    with torch.no_grad():
        up, down = (function(at + sign * STEP * way) for sign in (1, -1))
    slope = ((up - down) / (2 * STEP) * weights).flatten(1).sum(1)
    off = (slope - (gradient * way).flatten(1).sum(1)).abs() / float(slope.abs().max())
    # an encoder may jump somewhere, as on a circle: one frame in eight may be there
    assert float(off.sort().values[-2]) <= 10 * DIFFERENCE, (
        f"the gradient of {what} is off by {off.max():.2g}"
    )
