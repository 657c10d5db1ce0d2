"""The house: each submodule imports on its own, and no room imports upward."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import zoo

REPOSITORY = Path(__file__).resolve().parent.parent

MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(zoo.__path__, "zoo.")
    if "scaffold" not in m.name and not m.name.endswith("worker")
)
LIGHT = [m for m in MODULES if m.endswith(".spec") or m.startswith(("zoo.registry", "zoo.cli."))]
HEAVY = ("torch", "numpy", "lightning", "torch_geometric", "scipy", "matplotlib", "ase")


def test_each_submodule_imports_in_a_fresh_interpreter():
    """One child forks for each module: a fresh interpreter without the cost of starting one each."""
    code = f"""
import importlib, os, sys
import torch, lightning, torch_geometric  # heavy and not ours: imported once, then forked
failed = []
for name in {MODULES!r}:
    pid = os.fork()
    if pid == 0:
        try:
            importlib.import_module(name)
            os._exit(0)
        except BaseException as error:
            print(name, repr(error), flush=True)
            os._exit(1)
    if os.waitpid(pid, 0)[1]:
        failed.append(name)
sys.exit(bool(failed))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert len(MODULES) > 60


def test_specs_registry_and_command_line_are_light():
    code = f"""
import importlib, sys
for name in {LIGHT!r}:
    importlib.import_module(name)
heavy = [m for m in {HEAVY!r} if m in sys.modules]
sys.exit(f"imported: {{heavy}}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_no_room_imports_upward():
    tool = Path(sys.executable).with_name("lint-imports")
    if not tool.exists():
        pytest.skip("import-linter is not installed (pip install 'molzoo[dev]')")
    done = subprocess.run([tool], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:]
