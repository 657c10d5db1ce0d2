"""Checks of a model's state: saved, loaded, moved to a device, built twice."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from zoo import keys
from zoo.models.autoencoder import AutoencoderModel
from zoo.models.density import DensityModel
from zoo.physics.superpose import centered, superposed
from zoo.registry import REGISTRY
from zoo.testing.autoencoder_cases import molecule_frames
from zoo.testing.subject import FRAMES, Subject
from zoo.testing.tolerance import TOLERANCES, assert_close
from zoo.weights import load_weights, save_weights


class StateChecks:
    """Config, info and weights are all there is to a model."""

    def test_save_and_load(self, subject: Subject, tmp_path: Path) -> None:
        """A model that was saved and loaded gives the same numbers and has the same settings."""
        model = subject.build(torch.float32)
        save_weights(model, tmp_path, subject.name)
        torch.manual_seed(10)  # what was not saved must not come back by the same random numbers
        loaded = load_weights(tmp_path)
        assert type(loaded) is type(model)
        assert loaded.config == model.config, f"settings {model.config!r} came back as {loaded.config!r}"
        assert loaded.info == model.info
        assert not loaded.training, "a loaded model is in evaluation mode"
        assert loaded.cutoff == model.cutoff
        for system in subject.systems():
            expected = subject.outputs_of(model, system, torch.float32)
            for key, value in subject.outputs_of(loaded, system, torch.float32).items():
                allowed = TOLERANCES[torch.float32].stored
                assert_close(value, expected[key], allowed, f"{key} after save and load")

    def test_same_seed_same_model(self, subject: Subject) -> None:
        """Built twice from one seed (and fitted to the same frames), the weights are equal."""
        first, second = subject.build().state_dict(), subject.build().state_dict()
        assert first.keys() == second.keys()
        for name, value in first.items():
            assert torch.equal(value, second[name]), f"{name} differs between two models of one seed"

    def test_single_precision(self, subject: Subject) -> None:
        """Single and double precision agree within what single precision can do."""
        double, single = subject.build(torch.float64), subject.build(torch.float32)
        row = TOLERANCES[torch.float32]
        for system in subject.systems():
            expected = subject.outputs_of(double, system)
            for key, value in subject.outputs_of(single, system, torch.float32).items():
                allowed = row.gradient if key == keys.FORCES else row.value
                slack = getattr(double, "accuracy", 0.0)
                assert_close(value.double(), expected[key], allowed, f"{key} in single precision", slack)

    def test_on_the_gpu(self, subject: Subject) -> None:
        """On a GPU the model gives what it gives on the CPU."""
        if not torch.cuda.is_available():
            pytest.skip("no GPU")
        model = subject.build()
        for system in subject.systems():
            expected = subject.outputs_of(model, system)
            graph = system.graph(model.cutoff).to("cuda")
            for key, value in subject.outputs(model.to("cuda"), graph).items():
                row = TOLERANCES[torch.float64]
                allowed = row.gradient if key == keys.FORCES else row.value
                assert_close(value.cpu(), expected[key], allowed, f"{key} on the GPU")
            model.to("cpu")

    def test_fit_changes_predictions(self, subject: Subject) -> None:
        """A fitted model has no parameters, and what it learnt shows in its predictions."""
        if not subject.spec.fitted:
            pytest.skip("trained by gradient descent")
        model = subject.build()
        assert not list(model.parameters()), "what is fitted is kept in buffers, not in parameters"
        if isinstance(model, DensityModel):
            guess_at = REGISTRY.load_target(subject.spec)(model.config, subject.info)
            x = subject.training_positions()
            gain = float(model.log_prob(x).mean() - guess_at.log_prob(x).mean())
            assert gain >= 0, f"fitted, the data's log-density is lower than before, by {-gain:.2g}"
            return
        if isinstance(model, AutoencoderModel):
            x = molecule_frames(FRAMES)[0]
            off, out = model.reconstruct(x), centered(x)
            off = (superposed(off, x) if model.superposed else off) - x
            worth = float(off.square().mean() / out.square().mean())
            assert worth <= 1.01, f"fitted reconstructions are worse than the centre alone, by {worth:.3g}"
            return
        batch = subject.training_batches(model.cutoff)[0].apply(
            lambda t: t.double() if t.is_floating_point() else t
        )
        key = keys.FORCES if subject.interface == "potential" else keys.TARGETS
        guess, truth = subject.outputs(model, batch)[key], batch[key]
        # Any fit does at least as well on its own training data as its best constant.
        error, spread = (guess - truth).square().mean(), truth.square().mean()
        assert float(error) <= 1.01 * float(spread), f"fitted {key} are worse than none at all"
