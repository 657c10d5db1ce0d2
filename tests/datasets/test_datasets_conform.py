"""Every dataset of the package passes the suite that plugin authors inherit."""

from __future__ import annotations

from zoo.registry import REGISTRY
from zoo.testing import DatasetSuite

for _entry in REGISTRY.entries("datasets"):
    if _entry.builtin:
        _name = "Test_" + _entry.name.replace("-", "_")
        globals()[_name] = type(_name, (DatasetSuite,), {"name": _entry.name, "__module__": __name__})
