"""The suite's checks of densities: a sound one passes all, and each check catches what it is for."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch

from zoo.registry import REGISTRY, ModelSpec
from zoo.testing import ModelSuite
from zoo.testing.model_density import DensityChecks
from zoo.testing.subject import Subject


def check(target: str, test: str, tmp_path: Path, symmetries: tuple[str, ...] = ("translation",)) -> None:
    """Run one check of the suite on one specimen, in double precision."""
    name = f"specimen-density-{target}".lower()
    spec = ModelSpec(
        name=name, summary="A specimen.", target=f"density_specimens:{target}",
        config="density_specimens:Config", tasks=("density",), symmetries=symmetries,
    )  # fmt: skip
    REGISTRY.register(spec, replace=True)
    method = getattr(type("Suite", (ModelSuite,), {"name": name})(), test)
    offered = {"dtype": torch.float64, "tmp_path": tmp_path, "subject": Subject(name, "density", {})}
    method(**{key: value for key, value in offered.items() if key in inspect.signature(method).parameters})


#: Check, and what it must catch.
BROKEN = [
    ("test_draws", "OwnRandomNumbers"),
    ("test_draws", "WrongShapeOfDraws"),
    ("test_density_of_draws", "ForgetsVolume"),
    ("test_integrates_to_one", "NotNormalised"),
    ("test_integrates_to_one", "DrawsTooNarrow"),
    ("test_sample", "ForgetsExchange"),
    ("test_gradient_of_draws", "HalfGradient"),
    ("test_gradient_by_coordinates", "NoGradientByCoordinates"),
    ("test_rescale", "RescalesDrawsAlone"),
    ("test_draws_of_a_saved_model", "DrawsNotSaved"),
    ("test_repr", "Unprintable"),
]


@pytest.mark.parametrize(("test", "target"), BROKEN)
def test_broken_density_is_caught(test: str, target: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        check(target, test, tmp_path)


@pytest.mark.parametrize("promise", ["permutation", "rotation"])
def test_empty_promise_is_caught(promise: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=promise):
        check("Sound", "test_exchange", tmp_path, (promise,))


@pytest.mark.parametrize("test", sorted(n for n in dir(ModelSuite) if n.startswith("test_")))
def test_sound_density_passes(test: str, tmp_path: Path) -> None:
    check("Sound", test, tmp_path)


def test_every_check_has_a_broken_case() -> None:
    checks = {n for n in dir(DensityChecks) if n.startswith("test_")}
    assert checks == {case[0] for case in BROKEN} | {"test_exchange"}
