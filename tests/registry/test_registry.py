from __future__ import annotations

import re
import sys
from importlib.metadata import distributions

import pytest
from fabricate import DIAGNOSES, IMPORTS, distribution, model, plugin, zoological_horrors

from zoo.errors import EntryError, UnknownName
from zoo.registry import ModelSpec, Registry, TaskSpec
from zoo.registry.discovery import DISTRIBUTION, discover
from zoo.registry.loading import Fault

DATASET = (
    IMPORTS + "SPEC = DatasetSpec(name='rings', summary='', target='rings_module:Data', tasks=('forces',),"
    " variants={'cut': 'cut open', 'long': 'long ones'})\n"
)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A function that returns a registry of what was put into `tmp_path`; cleans up after it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield lambda: Registry(discover(distributions(path=[str(tmp_path)])))
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_asking_for_one_entry_imports_that_one(tmp_path, shelf):
    plugin(tmp_path, "one", "first")
    plugin(tmp_path, "two", "second")
    registry = shelf()
    assert registry.names("models") == ["first", "second"]
    assert "one_plugin" not in sys.modules
    spec = registry.get("models", "first")
    assert isinstance(spec, ModelSpec) and spec.name == "first"
    assert registry.get("models", "one:first") is spec
    assert registry.owner(spec).distribution == "one"
    assert "two_plugin" not in sys.modules
    assert registry.load_target(spec) is sys.modules["one_plugin"].Model
    assert registry.load_config(spec) is None


BREAKING = sorted(
    set(DIAGNOSES)
    # These end or hang this very process (the doctor's tests have them), or load and are sound.
    - {"quitting", "crashing", "hanging", "sleeping", "good", "loud", "schnet", "twin", "extra"}
)


@pytest.mark.parametrize("name", BREAKING)
def test_only_asking_for_a_broken_entry_raises_and_names_the_distribution(tmp_path, shelf, name):
    zoological_horrors(tmp_path)
    registry = shelf()
    assert registry.get("models", "good").name == "good"
    entry = registry.find("models", name)
    with pytest.raises(Fault) as caught:
        registry.load_target(registry.get("models", name))
    assert caught.value.status == DIAGNOSES[name]
    assert entry.distribution in str(caught.value)
    assert "pip " in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 2
    assert registry.get("models", "good").name == "good"


def test_the_message_says_what_failed_and_where(tmp_path, shelf):
    plugin(tmp_path, "raises", "raising", "x = 1\nraise ValueError('boom')\n")
    with pytest.raises(EntryError, match=r"ValueError: boom .*raises_plugin\.py:2"):
        shelf().get("models", "raising")


def test_prints_of_a_plugin_go_to_standard_error(tmp_path, shelf, capsys):
    plugin(tmp_path, "loud", "loud", "print('LOUD')\n" + model("loud", "loud_plugin"))
    shelf().get("models", "loud")
    captured = capsys.readouterr()
    assert captured.out == "" and "LOUD" in captured.err


def test_ctrl_c_passes_the_guard(tmp_path, shelf):
    plugin(tmp_path, "stopped", "stopped", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        shelf().get("models", "stopped")


def test_a_builtin_keeps_its_bare_name(tmp_path, shelf):
    plugin(tmp_path, DISTRIBUTION, "schnet")
    plugin(tmp_path, "usurper", "schnet")
    registry = shelf()
    assert registry.names("models") == ["schnet", "usurper:schnet"]
    assert registry.owner(registry.get("models", "schnet")).distribution == DISTRIBUTION
    assert registry.owner(registry.get("models", "usurper:schnet")).distribution == "usurper"
    assert registry.find("models", f"{DISTRIBUTION}:schnet").builtin


def test_two_plugins_with_one_name_must_be_told_apart(tmp_path, shelf):
    plugin(tmp_path, "twin-a", "twin")
    plugin(tmp_path, "twin-b", "twin")
    registry = shelf()
    assert registry.names("models") == ["twin-a:twin", "twin-b:twin"]
    with pytest.raises(EntryError, match=r"'twin-a:twin' or 'twin-b:twin'"):
        registry.get("models", "twin")
    assert registry.owner(registry.get("models", "Twin_B:twin")).distribution == "twin-b"


def test_unknown_names_get_a_suggestion(tmp_path, shelf, monkeypatch):
    plugin(tmp_path, DISTRIBUTION, "schnet")
    plugin(tmp_path, "plug", "other")
    distribution(tmp_path, "data", "[zoo.datasets]\nrings = rings_module:SPEC\n")
    registry = shelf()
    with pytest.raises(UnknownName, match="Did you mean 'schnet'"):
        registry.get("models", "shcnet")
    with pytest.raises(UnknownName, match="There is a dataset of that name"):
        registry.get("models", "rings")
    with pytest.raises(UnknownName, match="Did you mean 'plug:other'"):
        registry.get("models", "plug:othr")
    with pytest.raises(UnknownName, match="Did you mean 'models'"):
        registry.get("model", "schnet")
    monkeypatch.setenv("ZOO_PLUGINS", "none")
    with pytest.raises(UnknownName, match=r"plug 1\.0, which ZOO_PLUGINS leaves out"):
        shelf().get("models", "other")


def test_variants_are_split_off_and_checked(tmp_path, shelf):
    points = "[zoo.datasets]\nrings = rings_module:SPEC\n"
    distribution(tmp_path, "data", points, {"rings_module.py": DATASET})
    registry = shelf()
    spec = registry.get("datasets", "rings")
    assert registry.split_variant("rings") == (spec, None)
    assert registry.split_variant("rings/cut") == (spec, "cut")
    assert registry.split_variant("data:rings/long") == (spec, "long")
    with pytest.raises(UnknownName, match="Did you mean 'cut'"):
        registry.split_variant("rings/cutt")


def test_a_missing_extra_is_named_by_the_command_that_installs_it(tmp_path, shelf):
    source = model("m", "plug_model", target="X", extras=("simulate", "gpu"), requires=("no_such_engine",))
    files = {"plug_spec.py": source, "plug_model.py": "import no_such_engine\n"}
    distribution(tmp_path, "plug", "[zoo.models]\nm = plug_spec:SPEC\n", files)
    registry = shelf()
    spec = registry.get("models", "m")
    for ask in (registry.load_target, registry.require):
        with pytest.raises(EntryError, match=re.escape("pip install 'plug[simulate,gpu]'")):
            ask(spec)


def test_a_broken_config_is_the_fault_of_its_distribution(tmp_path, shelf):
    plugin(tmp_path, "plug", "m", model("m", "plug_plugin", config="plug_plugin:Modell"))
    registry = shelf()
    with pytest.raises(EntryError, match=r"of plug 1\.0 .*Did you mean 'Model'"):
        registry.load_config(registry.get("models", "m"))


@pytest.mark.parametrize(
    "fields", [{"tasks": "forces"}, {"requires": "torch"}, {"extras": (1,)}, {"symmetries": "all"}]
)
def test_a_string_in_place_of_a_tuple_is_caught(tmp_path, shelf, fields):
    plugin(tmp_path, "plug", "m", model("m", "plug_plugin", **fields))
    with pytest.raises(Fault, match=next(iter(fields))):
        shelf().get("models", "m")


class NotebookModel:
    pass


def notebook(name: str = "mine", summary: str = "") -> ModelSpec:
    target = f"{__name__}:NotebookModel"
    return ModelSpec(name=name, summary=summary, target=target, tasks=("forces",))


def test_register_adds_for_this_process_and_never_overwrites_silently(tmp_path, shelf):
    plugin(tmp_path, "plug", "installed")
    registry = shelf()
    first = registry.register(notebook())
    assert registry.get("models", "mine") is first
    assert registry.load_target(first) is NotebookModel
    with pytest.raises(EntryError, match="replace=True"):
        registry.register(notebook(summary="again"))
    assert registry.get("models", "mine") is first
    second = registry.register(notebook(summary="again"), replace=True)
    assert registry.get("models", "mine") is second
    for replace in (False, True):
        with pytest.raises(EntryError, match=r"installed already, by plug 1\.0"):
            registry.register(notebook("installed"), replace=replace)
    assert registry.names("models") == ["installed", "mine"]


def test_register_refuses_what_is_no_spec(shelf):
    with pytest.raises(EntryError, match="none of ModelSpec"):
        shelf().register({"name": "mine"})
    with pytest.raises(EntryError, match="no ':'"):
        shelf().register(notebook("a:b"))


def test_the_group_of_a_registration_is_its_class(shelf):
    registry = shelf()
    task = TaskSpec(name="mine", summary="", target=f"{__name__}:NotebookModel")
    registry.register(task)
    registry.register(notebook())
    assert registry.get("tasks", "mine") is task
