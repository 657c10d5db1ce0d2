"""Who is bonded to whom: one or several equal chains, closed or open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.system import System

#: FENE spring constant (ε/σ²) and largest extension (σ): Kremer & Grest 1990, eq. 3 and table I.
FENE_K, FENE_R0 = 30.0, 1.5
#: Mean bond length at T = 1, σ: with it chains are started.
BOND = 0.97


@dataclass(frozen=True)
class Polymer:
    """Equal chains of beads of mass 1, numbered one chain behind the other.

    Args:
        beads: of each chain.
        ring: closed; False: linear.
        chains: how many.
        stiffness: k_θ of the bending energy k_θ (1 − cos θ), θ the angle between consecutive bonds, ε.
        excluded_volume: False: beads that are not bonded do not see each other (phantom chains).
    """

    beads: int
    ring: bool = True
    chains: int = 1
    stiffness: float = 0.0
    excluded_volume: bool = True

    @property
    def particles(self) -> int:
        """Beads of all chains."""
        return self.beads * self.chains

    @property
    def chain_numbers(self) -> np.ndarray:
        """`[particles]` number of each bead's chain."""
        return np.repeat(np.arange(self.chains), self.beads)

    def bonds(self) -> np.ndarray:
        """`[bonds, 2]` bonded beads, along the chains."""
        return self._neighbors(2)

    def angles(self) -> np.ndarray:
        """`[angles, 3]` three consecutive beads."""
        return self._neighbors(3)

    def _neighbors(self, size: int) -> np.ndarray:
        first = np.arange(self.beads if self.ring else self.beads - size + 1)
        one = (first[:, None] + np.arange(size)) % self.beads
        every = one[None] + self.beads * np.arange(self.chains)[:, None, None]
        return every.reshape(-1, size)

    def system(self) -> System:
        """Return the constant part of a dataset."""
        return System(
            types=np.zeros(self.particles, np.int64),
            masses=np.ones(self.particles),
            type_names={0: "bead"},
            pbc=(self.chains > 1,) * 3,
            bonds=self.bonds(),
            chains=self.chain_numbers,
            parameters=self.parameters(),
        )

    def parameters(self) -> dict[str, Any]:
        """Return chains and potential as plain JSON; `from_system` is the way back."""
        return {
            "potential": (
                "FENE bonds −½ k R0² ln(1 − r²/R0²); 4 (r⁻¹² − r⁻⁶) + 1 below 2^(1/6) between bonded "
                "beads and, with excluded_volume, all pairs; bending stiffness (1 − cos θ)"
            ),
            "fene_k": FENE_K,
            "fene_r0": FENE_R0,
            "beads": self.beads,
            "topology": "ring" if self.ring else "linear",
            "chains": self.chains,
            "stiffness": self.stiffness,
            "excluded_volume": self.excluded_volume,
        }

    @classmethod
    def from_system(cls, system: System) -> Polymer | None:
        """Return the chains of a dataset that this entry made, None where the system does not tell."""
        p = system.parameters
        try:
            polymer = cls(
                int(p["beads"]), p["topology"] == "ring", int(p["chains"]),
                float(p["stiffness"]), bool(p["excluded_volume"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            return None
        return polymer if polymer.particles == system.num_particles else None

    @classmethod
    def from_bonds(cls, system: System) -> Polymer | None:
        """Return chains that are told by bonds alone, such as of files that were read; else None.

        They are equal, all rings or all linear, and their beads are numbered along them. Stiffness
        is left at zero: bonds do not tell the potential.
        """
        found = {tuple(sorted(bond)) for bond in system.bonds.tolist()}
        degree = np.bincount(system.bonds.ravel(), minlength=system.num_particles)
        ring = bool(found) and bool((degree == 2).all())
        # A ring has one bond that does not join neighbours in number; a linear chain one bond too few.
        number = sum(b - a > 1 for a, b in found) if ring else system.num_particles - len(found)
        if number < 1 or system.num_particles % number or system.num_particles // number < 4:
            return None
        polymer = cls(system.num_particles // number, ring, number)
        same = {tuple(sorted(bond)) for bond in polymer.bonds().tolist()} == found
        return polymer if same else None
