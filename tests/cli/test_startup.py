"""What start-up imports and how long it takes: the issue asks for both."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from fabricate import best_time, environment, plugin

HEAVY = {
    "ase",
    "e3nn",
    "lightning",
    "matplotlib",
    "numpy",
    "pydantic",
    "scipy",
    "sklearn",
    "torch",
    "torch_geometric",
    "yaml",
}


def imported(code: str, folder) -> set[str]:
    """Top-level modules in a fresh interpreter after `code`, whose own output is dropped."""
    after = (
        "import contextlib, io, sys\n"
        f"with contextlib.redirect_stdout(io.StringIO()):\n    {code}\n"
        "import json; print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", after],
        env=environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


VERB = re.compile("list|plugins")
RUN = "from zoo.cli.app import main; assert main({}) == 0"


@pytest.mark.parametrize(
    "code",
    [
        "import zoo",
        "import zoo.registry",
        RUN.format(["--help"]),
        RUN.format(["--version"]),
        RUN.format(["list"]),
        RUN.format(["list", "--json"]),
        RUN.format(["plugins"]),
    ],
)
def test_nothing_heavy_is_imported(tmp_path, code):
    plugin(tmp_path, "plug", "m")
    loaded = imported(code, tmp_path)
    # typer (0.29) itself imports pydantic to convert the arguments of a verb.
    assert not loaded & (HEAVY - {"pydantic"} if VERB.search(code) else HEAVY)
    assert "plug_plugin" not in loaded


def test_the_registry_needs_the_standard_library_alone(tmp_path):
    own = imported("pass", tmp_path)  # what site and .pth files bring in
    loaded = imported("import zoo.registry, zoo.registry.doctor, zoo.registry.probe", tmp_path)
    assert loaded - own - set(sys.stdlib_module_names) == {"zoo"}


@pytest.mark.parametrize("arguments", [["--help"], ["list"]])
def test_help_and_list_take_under_0_3_seconds(tmp_path, arguments):
    """Beyond the start of Python itself, best of several: the issue's limit."""

    taken = best_time(sys.executable, "-c", RUN.format(arguments), folder=tmp_path)
    assert taken - best_time(sys.executable, "-c", "pass", folder=tmp_path) < 0.3
