"""Units that a user states because the files do not: factors to Å and eV, at the door."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from zoo import keys
from zoo.data.formats.molecular import MolecularOptions
from zoo.errors import ConfigError
from zoo.units import ANGSTROM_PER_NM, EV_PER_KCAL_MOL, EV_PER_KJ_MOL

_LENGTHS = {"ase": 1.0, "lj": 1.0, "angstrom": 1.0, "nm": ANGSTROM_PER_NM}
_ENERGIES = {"eV": 1.0, "kJ/mol": EV_PER_KJ_MOL, "kcal/mol": EV_PER_KCAL_MOL}
#: Power of length and of energy in each array's unit; times are ps in all but `lj`.
_POWERS = {
    keys.POSITIONS: (1, 0), keys.INHERENT: (1, 0), keys.VELOCITIES: (1, 0), keys.TARGETS: (1, 0),
    keys.CLONES: (1, 0), "box": (1, 0), "cell": (1, 0), keys.ENERGIES: (0, 1), keys.FORCES: (-1, 1),
}  # fmt: skip


class StatedUnits(MolecularOptions):
    """Options of formats that do not tell their units."""

    units: Literal["ase", "lj", "angstrom", "nm"] | None = Field(
        None, description="ase: Å, eV, ps; lj: σ, ε, τ; angstrom or nm: lengths, with `energy_units`"
    )
    energy_units: Literal["eV", "kJ/mol", "kcal/mol"] | None = Field(
        None, description="of energies, and of forces per unit of length, where units is angstrom or nm"
    )

    def system(self) -> str:
        """The unit system that the arrays end in. Raises `ConfigError` if no units were stated."""
        if self.units is None:
            raise ConfigError(
                "these files do not tell their units: say `--set units=ase` (Å, eV), `units=lj` (σ, ε), "
                "`units=nm` or `units=angstrom`"
            )
        if self.energy_units and self.units in ("ase", "lj"):
            raise ConfigError(f"units={self.units} tells the unit of energy too: leave out `energy_units`")
        return "lj" if self.units == "lj" else "ase"

    def factor(self, name: str) -> float:
        """Factor from an array's unit to that of `system`. Raises `ConfigError` if it was not stated."""
        length, energy = _POWERS.get(name, (0, 0))
        if energy and self.units in ("nm", "angstrom") and self.energy_units is None:
            raise ConfigError(
                f"the files hold {name}: say their unit, `--set energy_units=kJ/mol`, `kcal/mol` or `eV`"
            )
        return _LENGTHS[self.units or ""] ** length * _ENERGIES[self.energy_units or "eV"] ** energy

    def convert(self, name: str, array: np.ndarray) -> np.ndarray:
        """Return an array in the units of `system`."""
        factor = self.factor(name)
        return array if factor == 1.0 else array * array.dtype.type(factor)
