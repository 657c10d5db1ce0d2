"""`ModelSuite`: what every model of the zoo has to pass. Inherit it, name your model, run pytest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import pytest
import torch

from zoo.errors import ZooError
from zoo.registry import REGISTRY
from zoo.registry.spec import ModelSpec
from zoo.testing.model_autoencoder import AutoencoderChecks
from zoo.testing.model_density import DensityChecks
from zoo.testing.model_entry import EntryChecks
from zoo.testing.model_gradient import GradientChecks
from zoo.testing.model_outputs import OutputChecks
from zoo.testing.model_state import StateChecks
from zoo.testing.model_symmetry import SymmetryChecks
from zoo.testing.subject import INTERFACES, Subject


class ModelSuite(
    EntryChecks, OutputChecks, SymmetryChecks, GradientChecks, StateChecks, DensityChecks, AutoencoderChecks
):
    """Conformance tests of one model, for each of its tasks, in single and double precision.

        class TestMine(ModelSuite):
            name = "my-model"
            options = {"channels": 16}      # small, so that the tests are quick

    Systems are made up here: clusters, and liquids in skewed periodic cells; for autoencoders, frames of
    alanine dipeptide, which has what maps go by.
    """

    name: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test for each task and dtype that it asks for."""
        if "task" in metafunc.fixturenames:
            metafunc.parametrize("task", testable_tasks(self.name))
        if "dtype" in metafunc.fixturenames:
            metafunc.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])

    @pytest.fixture
    def subject(self, task: str) -> Subject:
        """The model under test, for one task."""
        return Subject(self.name, task, self.options)


def testable_tasks(name: str) -> list[str]:
    """Return the tasks of a model whose interface the suite knows.

    An entry that cannot be loaded has none here: `test_spec` fails then, and says why.
    """
    try:
        tasks = cast(ModelSpec, REGISTRY.get("models", name)).tasks
        targets = {task: REGISTRY.load_target(REGISTRY.get("tasks", task)) for task in tasks}
    except ZooError:
        return []
    return [task for task, target in targets.items() if getattr(target, "interface", None) in INTERFACES]


testable_tasks.__test__ = False  # type: ignore[attr-defined]  # pytest: a function of ours, no test
