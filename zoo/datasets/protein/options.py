"""Options of `zoo data make protein`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from zoo.datasets.protein.resolution import Resolution
from zoo.engines.langevin import LangevinOptions


class ProteinOptions(LangevinOptions):
    """What is simulated, how, and what is stored.

    Args:
        structure: a PDB or mmCIF file, or a PDB code. None: chignolin CLN025, 10 residues (PDB 5AWL).
        resolution: which atoms are stored: "all", "heavy", "backbone" (N, Cα, C, O) or "ca". All
            atoms are simulated. See `zoo.datasets.protein.resolution` for what the forces are.
        model: number of the file's model, where it has several.
        chains: names of the file's chains to simulate; None: all.
        others: whether waters, ions and ligands of the file are left out ("drop") or an error.
        ph: for the protonation of side chains.
        hydrogen_mass, timestep, interval, equilibration, runs: see `LangevinOptions`. Bonds to
            hydrogen are rigid.
    """

    structure: str | None = None
    resolution: Resolution = "heavy"
    model: int | None = Field(None, ge=0)
    chains: list[str] | None = Field(None, min_length=1)
    others: Literal["drop", "refuse"] = "drop"
    ph: float = Field(7.0, ge=0, le=14)
    hydrogen_mass: float = Field(3.0, ge=1.0, le=4.0)
    timestep: float = Field(4.0, gt=0, le=4.0)
    interval: float = Field(2.0, gt=0, le=1000)
    equilibration: float = Field(100.0, ge=0, le=10000)
    runs: int | None = Field(5, ge=1, le=1000)

    @field_validator("structure", mode="before")
    @classmethod
    def _code_is_no_number(cls, value: Any) -> Any:
        if isinstance(value, int | float):  # YAML takes a PDB code such as 5E20 for one
            raise ValueError("this PDB code reads as a number; download its file and give that instead")
        return value
