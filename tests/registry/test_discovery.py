from __future__ import annotations

import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from fabricate import distribution, plugin

from zoo.registry.discovery import DISTRIBUTION, Found, discover


def look(*folders: Path) -> Found:
    return discover(distributions(path=[str(f) for f in folders]))


def test_entries_are_read_from_metadata_without_importing(tmp_path):
    points = """
        [console_scripts]
        something = somewhere:main

        [zoo.models]
        m = absent_module:SPEC
        [zoo.datasets]
        D-x.1 = absent_module.sub:OTHER [an-extra]
        [zoo.unheard-of]
        n = absent_module:SPEC
        """
    distribution(tmp_path, "My_Plugin", points, version="2.3")
    distribution(tmp_path, "no-zoo", "[console_scripts]\nx = zoo.y:main\n")
    entries = look(tmp_path).entries
    assert [(e.group, e.name, e.value) for e in entries] == [
        ("models", "m", "absent_module:SPEC"),
        ("datasets", "D-x.1", "absent_module.sub:OTHER [an-extra]"),
    ]
    assert {e.source for e in entries} == {"My_Plugin 2.3"}
    assert not any(e.builtin for e in entries)
    assert "absent_module" not in sys.modules


def test_builtins_come_through_the_same_groups_and_stand_first(tmp_path):
    plugin(tmp_path, "aaa", "a-model")
    plugin(tmp_path, DISTRIBUTION, "z-model")
    assert [(e.name, e.builtin) for e in look(tmp_path).entries] == [
        ("z-model", True),
        ("a-model", False),
    ]


def test_a_distribution_found_twice_counts_once(tmp_path):
    """An editable install: metadata in site-packages and, spelt otherwise, in the source folder."""
    plugin(tmp_path / "source", "My.Plugin", "m")
    plugin(tmp_path / "site", "my-plugin", "m")
    entries = look(tmp_path / "source", tmp_path / "site").entries
    assert [e.qualified for e in entries] == ["My.Plugin:m"]


def test_a_newer_copy_without_entries_hides_the_older_one(tmp_path):
    distribution(tmp_path / "first", "plug", "[console_scripts]\nx = y:z\n")
    plugin(tmp_path / "second", "plug", "m")
    assert look(tmp_path / "first", tmp_path / "second").entries == ()


@pytest.mark.parametrize(
    ("setting", "let_in"),
    [
        ("", ["one", "two", "three"]),
        ("none", []),
        ("one, THREE", ["one", "three"]),
        ("absent", []),
    ],
)
def test_zoo_plugins_limits_what_is_let_in(tmp_path, monkeypatch, setting, let_in):
    for name in ("one", "two", "three"):
        plugin(tmp_path, name, f"model-{name}")
    plugin(tmp_path, DISTRIBUTION, "builtin")
    monkeypatch.setenv("ZOO_PLUGINS", setting)
    found = look(tmp_path)
    assert {e.distribution for e in found.entries} == {DISTRIBUTION, *let_in}
    assert {e.distribution for e in found.off} == {"one", "two", "three"} - set(let_in)


def test_unreadable_metadata_is_told_and_hides_no_other(tmp_path):
    distribution(tmp_path, "garbled", "[zoo.models]\nthis is no entry point\n")
    distribution(tmp_path, "doubled", "[zoo.models]\na = b:c\na = d:e\n")
    plugin(tmp_path, "sound", "m")
    found = look(tmp_path)
    assert [e.name for e in found.entries] == ["m"]
    assert {name for name, _ in found.unreadable} == {"garbled", "doubled"}


def test_a_distribution_without_metadata_is_named_by_its_folder(tmp_path):
    plugin(tmp_path, "half-removed", "m")
    (tmp_path / "half_removed-1.0.dist-info" / "METADATA").unlink()
    [entry] = look(tmp_path).entries
    assert (entry.distribution, entry.version) == ("half_removed", "1.0")
