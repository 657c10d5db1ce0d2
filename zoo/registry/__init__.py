"""Names to specs: what is installed, which of it is asked for, and what is wrong with it.

Standard library only. Looking names up imports nothing of an entry; asking for one entry imports
that entry alone, behind a guard.
"""

from __future__ import annotations

from zoo.registry.discovery import DISTRIBUTION, Entry
from zoo.registry.registry import REGISTRY, Registry, register
from zoo.registry.spec import (
    API_VERSION,
    GROUPS,
    BenchmarkSpec,
    DatasetSpec,
    ModelSpec,
    Spec,
    TaskSpec,
)

__all__ = [
    "API_VERSION",
    "DISTRIBUTION",
    "GROUPS",
    "REGISTRY",
    "BenchmarkSpec",
    "DatasetSpec",
    "Entry",
    "ModelSpec",
    "Registry",
    "Spec",
    "TaskSpec",
    "register",
]
