"""Checks of derivatives: forces, training through forces, every parameter, no jump at the cutoff."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from zoo import keys
from zoo.config import validated
from zoo.models.autoencoder import AutoencoderModel
from zoo.models.base import ZooModel
from zoo.models.density import DensityModel
from zoo.registry import REGISTRY
from zoo.testing.autoencoder_cases import loss_of, molecule_frames
from zoo.testing.subject import Subject, batch_of
from zoo.testing.systems import System
from zoo.testing.tolerance import DIFFERENCE, EDGE, JUMP, STEP

#: Frames that an autoencoder learns from.
ROWS = 16


class GradientChecks:
    """Derivatives are right, reach everything, and are continuous."""

    def test_forces_are_the_gradient(self, subject: Subject) -> None:
        """Forces are −∂U/∂x, by central differences along random directions, in float64."""
        if subject.interface != "potential":
            pytest.skip("no energies")
        model = subject.build()
        noise = torch.Generator().manual_seed(6)
        for system in subject.systems():
            forces = subject.outputs_of(model, system)[keys.FORCES]
            for _ in range(3):
                way = torch.randn(system.pos.shape, generator=noise, dtype=torch.float64)
                way /= way.norm()
                up, down = (
                    subject.outputs_of(model, system.moved(sign * STEP * way))[keys.ENERGY]
                    for sign in (1, -1)
                )
                slope = float((up - down) / (2 * STEP))
                off = abs(slope + float((forces * way).sum())) / max(float(forces.norm()), 1e-9)
                assert off <= DIFFERENCE, f"forces are not −∂U/∂x: off by {off:.2g} of their norm"

    def test_gradient_reaches_each_parameter(self, subject: Subject) -> None:
        """Every parameter that asks for a gradient changes some output."""
        _trained_only(subject)
        model = subject.build()
        _scalar(subject, model, create_graph=True).backward()
        dead = [
            name
            for name, p in model.named_parameters()
            if p.requires_grad and p.numel() and (p.grad is None or not bool(p.grad.any()))
        ]
        assert not dead, f"no gradient reaches {', '.join(dead)}"
        wrong = [
            name
            for name, p in model.named_parameters()
            if p.grad is not None and not bool(torch.isfinite(p.grad).all())
        ]
        assert not wrong, f"the gradient of {', '.join(wrong)} is not finite"

    def test_gradient_of_training(self, subject: Subject) -> None:
        """Gradients by parameters, through forces where there are any, by central differences."""
        _trained_only(subject)
        model = subject.build()
        parameters = [p for p in model.parameters() if p.requires_grad]
        _scalar(subject, model, create_graph=True).backward()
        noise = torch.Generator().manual_seed(7)
        way = [torch.randn(p.shape, generator=noise, dtype=p.dtype) for p in parameters]
        size = sum(float(w.square().sum()) for w in way) ** 0.5
        grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        slope = sum(float((w * g).sum()) for w, g in zip(way, grads, strict=True)) / size
        # along a random direction in n dimensions the slope is about the gradient's norm over √n
        typical = sum(float(g.square().sum()) for g in grads) ** 0.5 / size
        off = float("inf")
        # of length 1 in all weights together, so that each moves by far less; a shorter step where the
        # first may have crossed a kink of ReLU
        for step in (10 * STEP, 0.1 * STEP):
            if off > 10 * DIFFERENCE:
                up, down = (_moved(subject, model, way, sign * step / size) for sign in (1, -1))
                off = abs((up - down) / (2 * step) - slope) / max(typical, 1e-12)
        assert off <= 10 * DIFFERENCE, f"gradients by parameters are off by {off:.2g}"

    def test_continuous_at_the_cutoff(self, subject: Subject) -> None:
        """Nothing jumps when a particle comes within the cutoff: energies, forces, targets."""
        _trained_only(subject)
        model = subject.build()
        if not model.cutoff or not subject.any_system:
            pytest.skip("the model has no cutoff that particles could cross")
        for system in subject.open_systems():
            near, inside, outside = (
                subject.outputs_of(model, _with_probe(system, d * model.cutoff))
                for d in (0.7, 1 - EDGE, 1 + EDGE)
            )
            for key, value in inside.items():
                change = float((near[key] - outside[key]).abs().max())
                rounding = 1e-9 * float(value.abs().max())
                jump = float((value - outside[key]).abs().max())
                assert jump <= JUMP * change + rounding, (
                    f"{key} jumps by {jump:.2g} at the cutoff; to 0.7 of it, it changes by {change:.2g}"
                )

    def test_learns(self, subject: Subject) -> None:
        """Thirty steps of the task's own loss on one batch lower it."""
        _trained_only(subject)
        torch.manual_seed(8)
        model = subject.build(torch.float32).train()
        if isinstance(model, DensityModel):
            q = model.coordinates.from_cartesian(subject.training_positions().float())[0]
            _assert_learns(model, lambda: model.matching_loss(q))
        elif isinstance(model, AutoencoderModel):
            x, forces = (t.float() for t in molecule_frames(ROWS))
            _assert_learns(model, lambda: loss_of(model, x, forces)[0])
        else:
            spec = REGISTRY.get("tasks", subject.task)
            task = REGISTRY.load_target(spec)(model, validated(REGISTRY.load_config(spec), {}, "task"))
            task.train()
            batch = subject.training_batches(model.cutoff)[0]
            _assert_learns(model, lambda: task.loss(batch)[0])


def _trained_only(subject: Subject) -> None:
    if subject.spec.fitted:
        pytest.skip("fitted in closed form")


def _scalar(subject: Subject, model: ZooModel, *, create_graph: bool = False) -> Tensor:
    """One number that depends on all outputs, for all systems, with fixed random weights."""
    if isinstance(model, DensityModel):  # what it is trained by, with the same noise each time
        positions = subject.training_positions()
        with torch.random.fork_rng():
            torch.manual_seed(9)
            return model.matching_loss(model.coordinates.from_cartesian(positions)[0])
    if isinstance(model, AutoencoderModel):
        return loss_of(model.train(), *molecule_frames(ROWS))[0]
    noise = torch.Generator().manual_seed(9)
    total = torch.zeros((), dtype=torch.float64)
    for group in subject.system_groups():
        batch = batch_of([system.graph(model.cutoff) for system in group])
        for value in subject.outputs(model, batch, create_graph=create_graph).values():
            total = total + (value * torch.randn(value.shape, generator=noise, dtype=value.dtype)).sum()
    return total


def _assert_learns(model: ZooModel, loss_now: Callable[[], Tensor]) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(30):
        torch.manual_seed(8)  # the same noise in each step, where the loss has noise
        optimizer.zero_grad()
        loss = loss_now()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0], f"the loss went from {losses[0]:.4g} to {losses[-1]:.4g} in 30 steps"


def _moved(subject: Subject, model: ZooModel, way: list[Tensor], step: float) -> float:
    """The number of `_scalar` with all parameters moved along `way`."""
    other = copy.deepcopy(model)
    with torch.no_grad():
        for p, w in zip([p for p in other.parameters() if p.requires_grad], way, strict=True):
            p.add_(step * w)
    return float(_scalar(subject, other).detach())


def _with_probe(system: System, distance: float) -> System:
    """Add a particle at `distance` from the outermost one, farther away from all others."""
    outermost = system.pos[int(system.pos[:, 0].argmax())]
    probe = outermost + torch.tensor([distance, 0.0, 0.0], dtype=torch.float64)
    return System(torch.cat([system.pos, probe[None]]), torch.cat([system.z, system.z[:1]]))
