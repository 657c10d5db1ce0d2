"""Every model of the package passes the suite that plugin authors inherit."""

from __future__ import annotations

from zoo.registry import REGISTRY
from zoo.testing import ModelSuite

for _entry in REGISTRY.entries("models"):
    if _entry.builtin:
        _name = "Test_" + _entry.name.replace("-", "_")
        globals()[_name] = type(_name, (ModelSuite,), {"name": _entry.name, "__module__": __name__})
