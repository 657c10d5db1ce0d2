"""LAMMPS's unit styles, and what brings their numbers to the units of a dataset.

Source: the `units` command of the LAMMPS manual (https://docs.lammps.org/units.html).
"""

from __future__ import annotations

from dataclasses import dataclass

from zoo.errors import DataError
from zoo.units import ASE, EV_PER_KCAL_MOL, LJ, UnitSystem

# CODATA 2018
_EV = 1.602176634e-19  # J
_AMU = 1.66053906660e-27  # kg
_BOHR = 0.529177210903  # Å
_HARTREE = 27.211386245988  # eV
_STATCOULOMB = 4.803204712570263e-10  # statC per elementary charge


@dataclass(frozen=True)
class Style:
    """Factors from a LAMMPS unit style to the units of a dataset, by which numbers are multiplied."""

    name: str
    system: UnitSystem
    length: float = 1.0
    energy: float = 1.0
    mass: float = 1.0
    time: float = 1.0
    velocity: float = 1.0
    charge: float = 1.0

    @property
    def force(self) -> float:
        """Energies over lengths, in every style."""
        return self.energy / self.length


def _mechanical(name: str, kilogram: float, metre: float, second: float, charge: float) -> Style:
    """A style whose units of energy and velocity follow from mass, length and time (given in SI)."""
    length, time = metre * 1e10, second * 1e12
    energy = kilogram * (metre / second) ** 2 / _EV
    return Style(name, ASE, length, energy, kilogram / _AMU, time, length / time, charge)


_ALL = (
    Style("lj", LJ),
    Style("metal", ASE),
    Style("real", ASE, energy=EV_PER_KCAL_MOL, time=1e-3, velocity=1e3),
    # The manual speaks of Bohr per atomic time unit, but LAMMPS integrates and dumps Bohr/fs (its
    # constant mvv2e for this style is that of Bohr/fs).
    Style("electron", ASE, _BOHR, _HARTREE, time=1e-3, velocity=_BOHR * 1e3),
    _mechanical("si", 1.0, 1.0, 1.0, 1 / _EV),
    _mechanical("cgs", 1e-3, 1e-2, 1.0, 1 / _STATCOULOMB),
    _mechanical("micro", 1e-15, 1e-6, 1e-6, 1e-12 / _EV),
    _mechanical("nano", 1e-21, 1e-9, 1e-9, 1.0),
)
STYLES = {style.name: style for style in _ALL}


def style(where: object, told: str | None, declared: str | None) -> Style:
    """Return the style that the file tells or the user declares.

    Args:
        where: file, for messages.
        told: what the file says, None if nothing.
        declared: the option `units`.

    Raises:
        DataError: neither, both and not the same, or no style of LAMMPS.
    """
    names = ", ".join(STYLES)
    if told is None and declared is None:
        raise DataError(f"{where} does not tell its units: say `--set units=STYLE`, one of {names}")
    for name in (declared, told):
        if name is not None and name not in STYLES:
            raise DataError(f"{where}: LAMMPS has no unit style {name[:40]!r}; there are {names}")
    if told and declared and told != declared:
        raise DataError(f"{where} is in units {told}, but --set units={declared} was given")
    return STYLES[told or declared or ""]
