"""The suite's checks of autoencoders: sound ones pass all, and each check catches what it is for."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch

from zoo.registry import REGISTRY, ModelSpec
from zoo.testing import ModelSuite
from zoo.testing.model_autoencoder import AutoencoderChecks
from zoo.testing.subject import Subject

SOUND = ("Sound", "Whole", "Latent", "Fitted")


def check(target: str, test: str, tmp_path: Path) -> None:
    """Run one check of the suite on one specimen, in double precision."""
    name = f"specimen-autoencoder-{target}".lower()
    spec = ModelSpec(
        name=name, summary="A specimen.", target=f"autoencoder_specimens:{target}",
        config="autoencoder_specimens:Config", tasks=("reconstruction",),
        symmetries=("translation", "rotation"), fitted=target.startswith("Fitted"),
    )  # fmt: skip
    REGISTRY.register(spec, replace=True)
    method = getattr(type("Suite", (ModelSuite,), {"name": name})(), test)
    offered = {
        "dtype": torch.float64, "tmp_path": tmp_path, "subject": Subject(name, "reconstruction", {})
    }  # fmt: skip
    method(**{key: value for key, value in offered.items() if key in inspect.signature(method).parameters})


#: Check, what it must catch, and what it says then.
BROKEN = [
    ("test_there_and_back", "WrongShapeOfLatents", "z of shape"),
    ("test_there_and_back", "MoreLatentsThanSaid", "latents, not"),
    ("test_forward_reconstructs", "ForwardForgets", "forward of frame"),
    ("test_rows_are_independent", "LooksAtTheBatch", "in a batch and alone"),
    ("test_inputs_are_not_changed", "CentresInPlace", "positions are changed"),
    ("test_moved_and_turned", "StaysBehind", "reconstructions under translation"),
    ("test_moved_and_turned", "StretchesAnAxis", "z under rotation"),
    ("test_moved_and_turned", "TurnsWithTheFrame", "z under rotation"),
    ("test_draws_of_structures", "OwnRandomNumbers", "of one seed differ"),
    ("test_draws_of_structures", "DrawsOneStructure", "same draw"),
    ("test_objective", "LossOfEachFrame", "the loss is"),
    ("test_objective", "LossOfNothing", "no gradient"),
    ("test_derivatives", "EncodesWithoutGradient", "gradient of encode"),
    ("test_map", "MapOfAnother", "not those of `encode`"),
    ("test_state_of_an_autoencoder", "BeadsNotSaved", "after save and load"),
    ("test_gradient_reaches_each_parameter", "Unused", "idle"),
    ("test_gradient_of_training", "StopsGradients", "off by"),
    ("test_learns", "Climbs", "the loss went"),
    ("test_fit_changes_predictions", "FittedToNothing", "worse than the centre"),
]


@pytest.mark.parametrize(("test", "target", "says"), BROKEN)
def test_broken_autoencoder_is_caught(test: str, target: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=says):
        check(target, test, tmp_path)


@pytest.mark.parametrize("target", SOUND)
@pytest.mark.parametrize("test", sorted(n for n in dir(ModelSuite) if n.startswith("test_")))
def test_sound_autoencoder_passes(test: str, target: str, tmp_path: Path) -> None:
    check(target, test, tmp_path)


def test_every_check_has_a_broken_case() -> None:
    checks = {n for n in dir(AutoencoderChecks) if n.startswith("test_")}
    assert checks <= {case[0] for case in BROKEN}
