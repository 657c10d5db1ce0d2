"""Conformance suites that a plugin author inherits: `ModelSuite` and `DatasetSuite`.

    from zoo.testing import ModelSuite

    class TestMine(ModelSuite):
        name = "my-model"

Each check is a method `test_…`; one that cannot apply is skipped with the reason. Needs pytest.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    *(f"zoo.testing.{module}" for module in (
        "model_entry", "model_outputs", "model_density", "model_autoencoder", "model_symmetry",
        "model_gradient", "model_state", "dataset_sample", "dataset_making", "tolerance",
    ))
)  # fmt: skip

from zoo.testing.dataset_suite import DatasetSuite  # noqa: E402
from zoo.testing.model_suite import ModelSuite  # noqa: E402
from zoo.testing.tolerance import TOLERANCES, Tolerance  # noqa: E402

__all__ = ["TOLERANCES", "DatasetSuite", "ModelSuite", "Tolerance"]
