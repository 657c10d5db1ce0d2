"""The suite for datasets: a sound one passes all of it, and each check catches what it is for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zoo.config import validated
from zoo.data.catalog import dataset_entry
from zoo.data.dataset import Dataset
from zoo.registry import REGISTRY, DatasetSpec
from zoo.testing import DatasetSuite

pytest_plugins = ["pytester"]


def register(target: str = "Sound", config: str = "Options", **fields) -> str:
    """Register a specimen; return its name."""
    name = f"specimen-{target}-{config}".lower()
    given = {"summary": "A specimen.", "tasks": ("forces",), **fields}
    spec = DatasetSpec(name=name, target=f"specimen_data:{target}", config=f"specimen_data:{config}", **given)
    REGISTRY.register(spec, replace=True)
    return name


def opened(name: str, tmp_path: Path) -> Dataset:
    """Make the sample of a specimen."""
    entry = dataset_entry(name)
    options = validated(REGISTRY.load_config(entry.spec), {})
    return Dataset(entry.make(tmp_path / "sample", frames=None, seed=0, options=options))


def check(name: str, test: str, tmp_path: Path, spoil: Callable[[Dataset], None] | None = None) -> None:
    """Run one check of the suite on one dataset, whose sample `spoil` changes before."""
    suite = type("Suite", (DatasetSuite,), {"name": name})()
    method = getattr(suite, test)
    wanted = inspect.signature(method).parameters
    offered = {}
    if "tmp_path" in wanted:
        offered["tmp_path"] = tmp_path / "work"
        offered["tmp_path"].mkdir()
    if "entry" in wanted:
        offered["entry"] = dataset_entry(name)
    if "dataset" in wanted:
        offered["dataset"] = opened(name, tmp_path)
        if spoil is not None:
            spoil(offered["dataset"])
    method(**offered)


ALL = sorted(n for n in dir(DatasetSuite) if n.startswith("test_"))


@pytest.mark.parametrize("test", ALL)
def test_sound_dataset_passes(test: str, tmp_path: Path) -> None:
    """What the broken ones are broken from is caught by nothing; otherwise the cases show nothing."""
    check(register(), test, tmp_path)


#: Check and entry that it must catch.
BROKEN = [
    ("test_checks_hold", "FailsItsChecks", {}),
    ("test_checks_hold", "NoChecks", {}),
    ("test_make_is_reproducible", "OtherEachTime", {}),
    ("test_make_is_reproducible", "DeafToSeeds", {}),
    ("test_make_is_reproducible", "LeavesLitter", {}),
    ("test_spec", "NoEntry", {}),
    ("test_spec", "Sound", {"summary": "two\nlines"}),
    ("test_options_round_trip", "Sound", {"config": "Forgetful"}),
    ("test_manifest", "Sound", {"units": "lj"}),
    ("test_serves_its_tasks", "Sound", {"tasks": ()}),
]


@pytest.mark.parametrize(("test", "target", "fields"), BROKEN)
def test_broken_entry_is_caught(test: str, target: str, fields: dict, tmp_path: Path) -> None:
    name = register(target, **fields)
    with pytest.raises(AssertionError):
        check(name, test, tmp_path)


def test_overwriting_is_caught(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check(register("Overwrites"), "test_make_replaces_nothing", tmp_path)


def test_lenient_options_are_caught(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check(register(config="Lenient"), "test_unknown_option_is_refused", tmp_path)


def test_task_without_its_data_is_caught(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="has no targets"):
        check(register(tasks=("propensity",)), "test_serves_its_tasks", tmp_path)


def replaced(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Dataset], None]:
    """A spoiler that changes one array."""

    def spoil(dataset: Dataset) -> None:
        dataset.arrays[name] = change(np.array(dataset.arrays[name]))

    return spoil


def one_nan(array: np.ndarray) -> np.ndarray:
    array.flat[7] = np.nan
    return array


def manifest(**fields) -> Callable[[Dataset], None]:
    """A spoiler that changes the manifest."""

    def spoil(dataset: Dataset) -> None:
        for field, value in fields.items():
            setattr(dataset.manifest, field, value)

    return spoil


def unit(dataset: Dataset) -> None:
    dataset.manifest.arrays["forces"].unit = "kJ/mol/nm"


def massless(dataset: Dataset) -> None:
    dataset.system.masses[0] = 0.0


def unsorted(dataset: Dataset) -> None:
    honest = type(dataset).graph

    def graph(frame: int, cutoff: float):
        found = honest(dataset, frame, cutoff)
        found.edge_index = found.edge_index.flip(1)
        return found

    dataset.graph = graph  # type: ignore[method-assign]


def out_of_order(dataset: Dataset) -> None:
    """Frames that say they are others."""
    honest = type(dataset).graph

    def graph(frame: int, cutoff: float):
        found = honest(dataset, frame, cutoff)
        found.frame = found.frame + 1
        return found

    dataset.graph = graph  # type: ignore[method-assign]


SPOILED = {
    "overlap": ("test_splits", manifest(splits={"train": [(0, 9)], "val": [(8, 16)], "test": [(16, 24)]})),
    "empty split": ("test_splits", manifest(splits={"train": [(0, 9)], "val": [], "test": [(16, 24)]})),
    "no val": ("test_splits", manifest(splits={"train": [(0, 9)], "test": [(16, 24)]})),
    "frame by frame": (
        "test_splits",
        manifest(splits={s: [(i, i + 1) for i in range(k, 24, 3)]
                         for k, s in enumerate(("train", "val", "test"))}),
    ),
    "nan": ("test_arrays", replaced("forces", one_nan)),
    "infinite": ("test_arrays", replaced("energies", lambda a: a / 0.0)),
    "flat forces": ("test_arrays", replaced("forces", lambda a: a.reshape(len(a), -1))),
    "float runs": ("test_arrays", replaced("run", lambda a: a.astype(float))),
    "other entry": ("test_manifest", manifest(name="other")),
    "no provenance": ("test_manifest", manifest(provenance={})),
    "unit": ("test_manifest", unit),
    "mass": ("test_system", massless),
    "unsorted edges": ("test_graph", unsorted),
    "frame numbers": ("test_batches", out_of_order),
    "nm": ("test_units_are_plausible", replaced("positions", lambda a: a / 10)),
    "kJ/mol/nm": ("test_units_are_plausible", replaced("forces", lambda a: a * 964.85)),
    "nm/ps": ("test_units_are_plausible", replaced("velocities", lambda a: a / 10)),
    "cell in nm": ("test_units_are_plausible", replaced("cell", lambda a: a / 10)),
    "left-handed cell": ("test_units_are_plausible", replaced("cell", lambda a: -a)),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILED)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_spoiled_sample_is_caught(case: str, tmp_path: Path) -> None:
    test, spoil = SPOILED[case]
    with pytest.raises(AssertionError):
        check(register(), test, tmp_path, spoil)


def test_every_check_has_a_broken_case() -> None:
    shown = {case[0] for case in BROKEN} | {case[0] for case in SPOILED.values()}
    elsewhere = {
        "test_make_replaces_nothing",
        "test_unknown_option_is_refused",
        "test_spec_is_light",  # the same function as for models, shown there
    }
    assert set(ALL) == shown | elsewhere


PLUGIN_TEST = """
from zoo.registry import REGISTRY, DatasetSpec
from zoo.testing import DatasetSuite

for target in ("Sound", "NoChecks"):
    REGISTRY.register(DatasetSpec(
        name=target.lower(), summary="A specimen.", target=f"specimen_data:{target}",
        config="specimen_data:Options", tasks=("forces",),
    ))

class TestSound(DatasetSuite):
    name = "sound"

class TestUnchecked(DatasetSuite):
    name = "nochecks"
"""


def test_inherited_under_pytest(pytester: pytest.Pytester) -> None:
    """As a plugin author has it: inherited and collected."""
    pytester.makepyfile(PLUGIN_TEST)
    pytester.makeini("[pytest]\npythonpath = " + str(Path(__file__).parent))
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-q", "-k", "checks or splits")
    done.assert_outcomes(passed=3, failed=1)
    done.stdout.fnmatch_lines(["*TestUnchecked::test_checks_hold*"])
