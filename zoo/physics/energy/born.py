"""Implicit solvent: generalized Born (OBC) with the ACE surface term.

Onufriev, Bashford, Case, Proteins 55, 383 (2004): model I (α 0.8, β 0, γ 2.909125) and model II
(α 1, β 0.8, γ 4.85); Schaefer, Bartels, Karplus, J. Mol. Biol. 284, 835 (1998) (surface).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np
import torch
from torch import nn

from zoo.physics.energy.xml import expression, refuse, require_empty, require_open, table
from zoo.units import ANGSTROM_PER_NM, EV_PER_KJ_MOL


@dataclass(frozen=True)
class BornModel:
    """Constants of one solvent model, in kJ/mol, nm and e as in OpenMM.

    Args:
        coulomb: 1/4πε₀; OpenMM's two forms of the model have different digits.
        solute, solvent: dielectric constants.
        kappa: inverse Debye length of salt.
        alpha, beta, gamma: of tanh(α ψ − β ψ² + γ ψ³).
        surface: of the term surface · (radius + 0.14)² (radius/B)⁶.
        offset: of the radii.
        buried: whether an atom that lies inside another one is screened by all of it; OpenMM's
            native force and the older form of the custom one do so.
    """

    coulomb: float
    solute: float
    solvent: float
    alpha: float
    beta: float
    gamma: float
    surface: float
    kappa: float = 0.0
    offset: float = 0.009
    buried: bool = False


PROBE = 0.14  # nm, radius of water in the surface term
_NUMBER = r"([0-9.eE+-]+)"


def native_model(force: Element) -> BornModel:
    """Return the model of a GBSAOBCForce: OBC II; constants as in OpenMM's ObcParameters."""
    return BornModel(
        coulomb=138.93545764438198,
        solute=float(force.attrib["soluteDielectric"]),
        solvent=float(force.attrib["solventDielectric"]),
        alpha=1.0,
        beta=0.8,
        gamma=4.85,
        surface=4 * math.pi * float(force.attrib["surfaceAreaEnergy"]),
        buried=True,
    )


def custom_model(force: Element) -> BornModel:
    """Return the model of a CustomGBForce as OpenMM's application layer writes it for OBC I and II.

    Raises:
        DataError: an expression is not one of those: HCT, GBn, a surface of another kind, a cutoff.
    """
    names = [p.attrib["name"] for p in force.findall("PerParticleParameters/Parameter")]
    if names != ["charge", "or", "sr"]:
        raise refuse(force, "its parameters are not charge, or, sr: it is not OBC")
    values = {
        v.attrib["name"]: expression(v.attrib["expression"]) for v in force.findall("ComputedValues/Value")
    }
    terms = [expression(t.attrib["expression"]) for t in force.findall("EnergyTerms/Term")]
    if values.keys() != {"I", "B"} or values["I"] not in _INTEGRALS:
        raise refuse(force, f"its Born integral is not that of OBC: {values.get('I')!r}")
    require_empty(force, "GlobalParameters/Parameter", "Functions/Function", "Exclusions/Exclusion")
    radii = re.fullmatch(
        r"1/\(1/or-tanh\((?:([0-9.]+)\*)?psi(?:-([0-9.]+)\*psi\^2)?\+([0-9.]+)\*psi\^3\)/radius\);"
        rf"psi=I\*or;radius=or\+offset;offset={_NUMBER}",
        values["B"],
    )
    if radii is None:
        raise refuse(force, f"its Born radii are not those of OBC: {values['B']!r}")
    alpha, beta, gamma, offset = radii.groups()
    found: dict[str, float] = {"surface": 0.0}
    for term in terms:
        for pattern in _TERMS:
            if match := re.fullmatch(pattern, term):
                found |= {name: float(text) for name, text in match.groupdict().items() if text}
                break
        else:
            raise refuse(force, f"the term {term!r} is none of the OBC models'")
    if "coulomb" not in found or len(terms) != 2 + (found["surface"] != 0):
        raise refuse(force, "its energy terms are not those of OBC")
    return BornModel(
        alpha=float(alpha or 1),
        beta=float(beta or 0),
        gamma=float(gamma),
        offset=float(offset),
        buried=values["I"] == _INTEGRALS[1],
        **found,
    )


_INTEGRALS = (
    "select(step(r+sr2-or1),0.5*(1/L-1/U+0.25*(r-sr2^2/r)*(1/(U^2)-1/(L^2))+0.5*log(L/U)/r),0);"
    "U=r+sr2;L=max(or1,D);D=abs(r-sr2)",
    "step(r+sr2-or1)*0.5*(1/L-1/U+0.25*(r-sr2^2/r)*(1/(U^2)-1/(L^2))+0.5*log(L/U)/r+C);"
    "U=r+sr2;C=2*(1/or1-1/L)*step(sr2-r-or1);L=max(or1,D);D=abs(r-sr2)",
)
_CONSTANTS = (
    rf";solventDielectric=(?P<solvent>{_NUMBER[1:-1]});soluteDielectric=(?P<solute>{_NUMBER[1:-1]})"
    rf"(?:;kappa=(?P<kappa>{_NUMBER[1:-1]}))?(?:;offset={_NUMBER[1:-1]})?"
)
_FACTOR = r"(?P<coulomb>[0-9.]+)\*\(1/soluteDielectric-(?:1|exp\(-kappa\*{0}\))/solventDielectric\)"
_TERMS = (
    r"-0\.5\*" + _FACTOR.format("B") + r"\*charge\^2/B" + _CONSTANTS,
    r"-" + _FACTOR.format("f") + r"\*charge1\*charge2/f;f=sqrt\(r\^2\+B1\*B2\*exp\(-r\^2/\(4\*B1\*B2\)\)\)"
    + _CONSTANTS,
    r"(?P<surface>[0-9.]+)\*\(radius\+0\.14\)\^2\*\(radius/B\)\^6;radius=or\+offset" + _CONSTANTS,
)  # fmt: skip


class BornEnergies(nn.Module):
    """Polarisation of the solvent and its surface.

    Args:
        charge: `[atoms]` in e.
        radius: `[atoms]` radius less the offset, in Å.
        scaled: `[atoms]` that radius times the atom's screening factor, in Å.
        model: see `BornModel`.
    """

    radius: torch.Tensor
    whole: torch.Tensor
    pair_radius: torch.Tensor
    pair_scaled: torch.Tensor
    own_charge: torch.Tensor
    pair_charge: torch.Tensor
    surface: torch.Tensor
    pairs: torch.Tensor
    of: torch.Tensor

    def __init__(self, charge: np.ndarray, radius: np.ndarray, scaled: np.ndarray, model: BornModel) -> None:
        super().__init__()
        first, second = np.triu_indices(len(charge), 1)
        # Each pair both ways: atom `of` is screened by atom `by`.
        of, by = np.concatenate([first, second]), np.concatenate([second, first])
        self.alpha, self.beta, self.gamma, self.buried = model.alpha, model.beta, model.gamma, model.buried
        self.kappa, self.solute, self.solvent = model.kappa / ANGSTROM_PER_NM, model.solute, model.solvent
        coulomb = model.coulomb * EV_PER_KJ_MOL * ANGSTROM_PER_NM
        whole = radius + model.offset * ANGSTROM_PER_NM
        surface = model.surface * EV_PER_KJ_MOL / ANGSTROM_PER_NM**2
        columns = {
            "radius": radius,
            "whole": whole,
            "pair_radius": radius[of],
            "pair_scaled": scaled[by],
            "own_charge": -0.5 * coulomb * charge**2,
            "pair_charge": -coulomb * charge[first] * charge[second],
            "surface": surface * (whole + PROBE * ANGSTROM_PER_NM) ** 2 * whole**6,
        }
        for name, values in columns.items():
            self.register_buffer(name, torch.as_tensor(values)[:, None])
        self.register_buffer("pairs", torch.as_tensor(np.stack([first, second])))
        self.register_buffer("of", torch.as_tensor(of))

    @classmethod
    def from_xml(cls, force: Element) -> BornEnergies:
        """Read a GBSAOBCForce, or a CustomGBForce of the same models."""
        require_open(force)
        if force.attrib["type"] == "GBSAOBCForce":
            model = native_model(force)
            charge, radius, scale = table(force, "Particles/Particle", "q", "r", "scale").T
            radius = radius - model.offset
            scaled = scale * radius
        else:
            model = custom_model(force)
            charge, radius, scaled = table(force, "Particles/Particle", "param1", "param2", "param3").T
        return cls(charge, radius * ANGSTROM_PER_NM, scaled * ANGSTROM_PER_NM, model)

    def born_radii(self, r: torch.Tensor) -> torch.Tensor:
        """Distances `[pairs, batch]` of all i < j → effective radii `[atoms, batch]` in Å."""
        r = torch.cat([r, r])
        inverse = 1 / r
        near, far = (r - self.pair_scaled).abs(), r + self.pair_scaled
        lower, upper = 1 / torch.maximum(near, self.pair_radius), 1 / far
        term = (
            lower
            - upper
            + 0.25 * (r - self.pair_scaled * self.pair_scaled * inverse) * (upper * upper - lower * lower)
        )
        term = 0.5 * (term + 0.5 * torch.log(upper / lower) * inverse)
        if self.buried:
            inside = (self.pair_scaled - r - self.pair_radius) > 0
            term = term + torch.where(inside, 1 / self.pair_radius - lower, 0.0)
        term = torch.where(far > self.pair_radius, term, 0.0)
        total = torch.zeros((len(self.radius), r.shape[1]), dtype=r.dtype, device=r.device)
        psi = total.index_add(0, self.of, term) * self.radius
        bent = torch.tanh(psi * (self.alpha + psi * (self.gamma * psi - self.beta)))
        return 1 / (1 / self.radius - bent / self.whole)

    def _screening(self, distance: torch.Tensor) -> torch.Tensor | float:
        if self.kappa == 0:
            return 1 / self.solute - 1 / self.solvent
        return 1 / self.solute - torch.exp(-self.kappa * distance) / self.solvent

    def forward(self, r: torch.Tensor) -> torch.Tensor:
        """Distances `[pairs, batch]` of all i < j → energies `[batch]`."""
        born = self.born_radii(r)
        first, second = self.pairs
        product = born.index_select(0, first) * born.index_select(0, second)
        square = r * r
        f = (square + product * torch.exp(-square / (4 * product))).sqrt()
        own = self.own_charge * self._screening(born) / born + self.surface / born**6
        return own.sum(0) + (self.pair_charge * self._screening(f) / f).sum(0)
