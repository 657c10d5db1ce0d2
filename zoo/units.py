"""Unit systems. Conversion happens at the door (reader, writer, report), never inside.

`ase`: Å, eV, amu, K, ps; forces in eV/Å.
`lj`: reduced Lennard-Jones units: σ, ε, m, ε/k_B, τ = σ√(m/ε); forces in ε/σ.
"""

from __future__ import annotations

from dataclasses import dataclass

#: eV per kJ/mol: 1 / (N_A e / 1000), CODATA 2018 (exact by the SI of 2019).
EV_PER_KJ_MOL = 1.0 / 96.48533212331
#: eV per kcal/mol (thermochemical calorie, 4.184 J).
EV_PER_KCAL_MOL = 4.184 * EV_PER_KJ_MOL
#: Å per nm.
ANGSTROM_PER_NM = 10.0
#: Boltzmann constant in eV/K, CODATA 2018 (exact).
BOLTZMANN_EV = 8.617333262145e-5


@dataclass(frozen=True)
class UnitSystem:
    """Names of the units of one system, and its Boltzmann constant."""

    name: str
    length: str
    energy: str
    mass: str
    temperature: str
    time: str
    boltzmann: float

    @property
    def force(self) -> str:
        """Unit of force."""
        return f"{self.energy}/{self.length}"


ASE = UnitSystem("ase", "Å", "eV", "amu", "K", "ps", BOLTZMANN_EV)
LJ = UnitSystem("lj", "σ", "ε", "m", "ε/k_B", "τ", 1.0)

SYSTEMS = {u.name: u for u in (ASE, LJ)}
