"""A molecule H–O–O–H whose partition function is a product of integrals over one coordinate each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.integrate import quad

from zoo.data.splits import split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.system import System

#: kT at 300 K in kJ/mol and in eV.
KT, KT_EV = 2.494338785, 0.02585199786
#: nm, kJ/mol/nm²; rad, kJ/mol/rad²; and U = BARRIER (1 + cos(2φ − PHASE)), kJ/mol.
BONDS = [(0.097, 4e5), (0.145, 2e5), (0.097, 4e5)]
ANGLES = [(1.75, 500.0), (1.75, 500.0)]
BARRIER, PHASE = 3.0, 0.8
XML = f"""<System type="System" version="1">
<Particles><Particle mass="1"/><Particle mass="16"/><Particle mass="16"/><Particle mass="1"/></Particles>
<Forces>
<Force type="HarmonicBondForce" usesPeriodic="0"><Bonds>
{"".join(f'<Bond p1="{i}" p2="{i + 1}" d="{d}" k="{k}"/>' for i, (d, k) in enumerate(BONDS))}
</Bonds></Force>
<Force type="HarmonicAngleForce" usesPeriodic="0"><Angles>
{"".join(f'<Angle p1="{i}" p2="{i + 1}" p3="{i + 2}" a="{a}" k="{k}"/>' for i, (a, k) in enumerate(ANGLES))}
</Angles></Force>
<Force type="PeriodicTorsionForce" usesPeriodic="0"><Torsions>
<Torsion p1="0" p2="1" p3="2" p4="3" periodicity="2" phase="{PHASE}" k="{BARRIER}"/>
</Torsions></Force>
</Forces></System>"""


def torsion_weight(phi: float, kT: float = KT) -> float:
    """exp(−U/kT) of the torsion."""
    return float(np.exp(-BARRIER * (1 + np.cos(2 * phi - PHASE)) / kT))


def log_z(kT: float = KT) -> float:
    """ln ∫ exp(−U/kT) |dx/dq| dq over six coordinates in nm and rad, by quadrature of one after the other."""
    value = np.log(quad(torsion_weight, -np.pi, np.pi, args=(kT,))[0])
    for b, k in BONDS:
        edge = 12 * np.sqrt(kT / k)
        value += np.log(quad(lambda r, b, k: r * r * _normal(r - b, k, kT), b - edge, b + edge, (b, k))[0])
    for a, k in ANGLES:
        value += np.log(quad(lambda t, a, k: np.sin(t) * _normal(t - a, k, kT), 0, np.pi, (a, k))[0])
    return float(value)


def _normal(away: float, k: float, kT: float) -> float:
    return float(np.exp(-0.5 * k * away**2 / kT))


def positions(frames: int, seed: int = 0) -> np.ndarray:
    """Boltzmann frames `[frames, 4, 3]` in Å at 300 K: the local coordinates normal, φ by rejection."""
    rng = np.random.default_rng(seed)
    b = np.stack([d + np.sqrt(KT / k) * rng.standard_normal(frames) for d, k in BONDS])
    a = np.stack([t + np.sqrt(KT / k) * rng.standard_normal(frames) for t, k in ANGLES])
    phi = np.empty(0)
    while len(phi) < frames:
        tried = rng.uniform(-np.pi, np.pi, 4 * frames)
        weight = np.exp(-BARRIER * (1 + np.cos(2 * tried - PHASE)) / KT)
        phi = np.concatenate([phi, tried[rng.random(4 * frames) < weight]])[:frames]
    zero = np.zeros(frames)
    o1, o2 = np.stack([zero, zero, zero]), np.stack([b[1], zero, zero])
    h1 = np.stack([b[0] * np.cos(a[0]), b[0] * np.sin(a[0]), zero])
    radial = b[2] * np.sin(a[1])
    h2 = o2 + np.stack([-b[2] * np.cos(a[1]), radial * np.cos(phi), radial * np.sin(phi)])
    return 10 * np.stack([h1, o1, o2, h2]).transpose(2, 0, 1)


def peroxide(out: Path, frames: int = 600, **changes: object) -> Path:
    """Write a dataset of such frames with its energy function."""
    x = changes.pop("positions", positions(frames))
    run = np.repeat(np.arange(6), -(-frames // 6))[:frames].astype(np.int32)
    system = System(
        types=np.array([1, 8, 8, 1]), masses=np.array([1.008, 16, 16, 1.008]), type_names={1: "H", 8: "O"},
        bonds=np.array([(0, 1), (1, 2), (2, 3)]), parameters={"openmm_system_xml": XML},
    )  # fmt: skip
    manifest = Manifest(
        name="peroxide", version="1", units="ase", temperature=300.0,
        system=system.to_json(), splits=split_runs(run), provenance={},
    )  # fmt: skip
    for key, value in changes.items():
        setattr(manifest, key, value)
    arrays = {"positions": np.asarray(x, np.float32), "run": run}
    return write_dataset(out, manifest, arrays, {"positions": "Å", "run": ""})
