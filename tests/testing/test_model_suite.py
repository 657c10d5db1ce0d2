"""The suite for models: a sound model passes all of it, and each check catches what it is for."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import specimens
import torch

from zoo.registry import REGISTRY, ModelSpec
from zoo.testing import ModelSuite
from zoo.testing.model_autoencoder import AutoencoderChecks
from zoo.testing.model_density import DensityChecks
from zoo.testing.subject import Subject

pytest_plugins = ["pytester"]


def register(target: str, config: str = "Config", **fields) -> str:
    """Register a specimen; return its name."""
    name = f"specimen-{target}-{config}".lower()
    given = {"tasks": ("forces", "propensity"), **fields}
    spec = ModelSpec(
        name=name, summary="A specimen.", target=f"specimens:{target}", config=f"specimens:{config}", **given
    )
    REGISTRY.register(spec, replace=True)
    return name


def check(name: str, test: str, tmp_path: Path, task: str = "forces") -> None:
    """Run one check of the suite on one model, in double precision."""
    suite = type("Suite", (ModelSuite,), {"name": name})()
    method = getattr(suite, test)
    offered = {"dtype": torch.float64, "tmp_path": tmp_path}
    wanted = inspect.signature(method).parameters
    if "subject" in wanted:
        offered["subject"] = Subject(name, task, {})
    method(**{key: value for key, value in offered.items() if key in wanted})


ALL = sorted(n for n in dir(ModelSuite) if n.startswith("test_"))

#: Check, what it must catch, the task at which it shows, and fields of the spec.
BROKEN = [
    ("test_shapes", "WrongShape", "propensity", {}),
    ("test_shapes", "NotFinite", "forces", {}),
    ("test_batch_equals_single", "MixesGraphs", "forces", {}),
    ("test_batch_equals_single", "MixesGraphs", "propensity", {}),
    ("test_input_is_not_changed", "ChangesInput", "propensity", {}),
    ("test_input_is_not_changed", "ChangesNumbers", "propensity", {}),
    ("test_same_twice", "RandomInEval", "forces", {}),
    ("test_without_pair_numbers", "NeedsPairs", "forces", {}),
    ("test_edges_beyond_the_cutoff", "LooksBeyond", "forces", {}),
    ("test_lonely_particles", "NoLonely", "propensity", {}),
    ("test_rotation", "LooksAtX", "forces", {}),
    ("test_rotation", "LooksAtX", "propensity", {}),
    ("test_translation", "LooksAtOrigin", "forces", {}),
    ("test_permutation", "LooksAtNumber", "propensity", {}),
    ("test_periodic_shift", "ForgetsShifts", "propensity", {}),
    ("test_wrapped", "ForgetsShifts", "forces", {}),
    ("test_gradient_reaches_each_parameter", "DeadParameter", "forces", {}),
    ("test_gradient_reaches_each_parameter", "Stubborn", "propensity", {}),
    ("test_forces_are_the_gradient", "Detached", "forces", {}),
    ("test_gradient_of_training", "WrongSecondDerivative", "forces", {}),
    ("test_continuous_at_the_cutoff", "HardCutoff", "forces", {}),
    ("test_continuous_at_the_cutoff", "HardCutoff", "propensity", {}),
    ("test_continuous_at_the_cutoff", "Kink", "forces", {}),
    ("test_learns", "Stubborn", "propensity", {}),
    ("test_save_and_load", "NotSaved", "propensity", {}),
    ("test_save_and_load", "FittedInList", "propensity", {"fitted": True}),
    ("test_same_seed_same_model", "OtherRandomNumbers", "forces", {}),
    ("test_single_precision", "LosesPrecision", "forces", {}),
    ("test_fit_changes_predictions", "FittedBadly", "propensity", {"fitted": True}),
    ("test_target", "NoModel", "forces", {}),
    ("test_target", "Sound", "forces", {"fitted": True}),
    ("test_spec", "Sound", "forces", {"symmetries": ("reflexion",)}),
    ("test_recipes", "Sound", "forces", {"recipes": {"density": {}}}),
]


@pytest.mark.parametrize(("test", "target", "task", "fields"), BROKEN)
def test_broken_model_is_caught(test: str, target: str, task: str, fields: dict, tmp_path: Path) -> None:
    name = register(target, **fields)
    with pytest.raises(AssertionError):
        check(name, test, tmp_path, task)


def test_lost_setting_is_caught(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="gain"):
        check(register("Sound", "Forgetful"), "test_config_round_trip", tmp_path)


def test_lenient_settings_are_caught(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check(register("Sound", "Lenient"), "test_unknown_setting_is_refused", tmp_path)


def test_wrong_recipe_is_caught(tmp_path: Path) -> None:
    name = register("Sound", recipes={"forces": {"optim.learning": 1e-3}})
    with pytest.raises(Exception, match="learning"):
        check(name, "test_recipes", tmp_path)


def test_heavy_spec_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed entry whose spec module imports torch."""
    from importlib import invalidate_caches

    from fabricate import model, plugin

    plugin(tmp_path, "heavy-plugin", "heavy", "import torch\n" + model("heavy", "heavy_plugin"))
    monkeypatch.syspath_prepend(tmp_path)
    invalidate_caches()
    REGISTRY.refresh()
    try:
        with pytest.raises(AssertionError, match="imports torch"):
            check("heavy", "test_spec_is_light", tmp_path)
    finally:
        monkeypatch.undo()
        REGISTRY.refresh()


@pytest.mark.parametrize("test", ALL)
@pytest.mark.parametrize("task", ["forces", "propensity"])
def test_sound_model_passes(test: str, task: str, tmp_path: Path) -> None:
    """What the broken ones are broken from is caught by nothing; otherwise the cases show nothing."""
    check(register("Sound"), test, tmp_path, task)


@pytest.mark.parametrize("test", ALL)
def test_sound_fitted_model_passes(test: str, tmp_path: Path) -> None:
    check(register("Fitted", fitted=True, tasks=("propensity",)), test, tmp_path, "propensity")


def test_every_check_has_a_broken_case() -> None:
    shown = {case[0] for case in BROKEN}
    elsewhere = {"test_config_round_trip", "test_unknown_setting_is_refused", "test_spec_is_light"}
    on_a_gpu = {"test_on_the_gpu"}
    # test_density_suite.py, test_autoencoder_suite.py
    of_others = {n for kind in (DensityChecks, AutoencoderChecks) for n in dir(kind) if n.startswith("test_")}
    assert set(ALL) == shown | elsewhere | on_a_gpu | of_others


PLUGIN_TEST = """
import specimens
from zoo.registry import REGISTRY, ModelSpec
from zoo.testing import ModelSuite

for target in ("Sound", "LooksAtX"):
    REGISTRY.register(ModelSpec(
        name=target.lower(), summary="A specimen.", target=f"specimens:{target}",
        config="specimens:Config", tasks=("propensity",),
    ))

class TestSound(ModelSuite):
    name = "sound"

class TestCrooked(ModelSuite):
    name = "looksatx"
"""


def test_inherited_under_pytest(pytester: pytest.Pytester) -> None:
    """As a plugin author has it: inherited, collected, run for each task and dtype."""
    pytester.makepyfile(PLUGIN_TEST)
    pytester.makeini("[pytest]\npythonpath = " + str(Path(specimens.__file__).parent))
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-q", "-k", "rotation or batch")
    done.assert_outcomes(passed=6, failed=2)
    done.stdout.fnmatch_lines(["*TestCrooked::test_rotation[[]propensity-float64[]]*"])
