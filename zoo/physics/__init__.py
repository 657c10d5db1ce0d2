"""Energies, forces and coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.physics.energy.openmm_system import from_openmm

__all__ = ["from_openmm"]


def __getattr__(name: str) -> Any:
    # on demand: `zoo.physics.torsions` is used where torch is not wanted
    if name == "from_openmm":
        from zoo.physics.energy.openmm_system import from_openmm

        return from_openmm
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
