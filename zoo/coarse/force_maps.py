"""Constant maps of forces: which are right where bonds are rigid, and which has the least noise."""

from __future__ import annotations

from xml.etree.ElementTree import ParseError, fromstring

import numpy as np

from zoo import keys
from zoo.coarse.maps import CoarseMap
from zoo.data.dataset import Frames
from zoo.data.system import System
from zoo.errors import DataError

#: Numbers of one array that are held at once.
CHUNK = 4_000_000
#: Two weights of a rigid bond are the same up to this.
SAME = 1e-6
#: Singular values below this share of the largest are those of redundant conditions.
RANK = 1e-10


def force_gram(frames: Frames) -> np.ndarray:
    """Return ⟨f_i · f_j⟩/3 `[particles, particles]`, what the noise of any constant map depends on."""
    particles = frames.dataset.system.num_particles
    gram = np.zeros((particles, particles))
    size = max(1, CHUNK // (3 * particles))
    for start in range(0, len(frames), size):
        rows = frames.index[start : start + size]
        f = frames.dataset.array(keys.FORCES, rows).astype(np.float64)
        gram += np.einsum("fid,fjd->ij", f, f)
    return gram / (3 * max(1, len(frames)))


def constraints_of(system: System) -> np.ndarray:
    """Return the pairs of particles `[constraints, 2]` that the simulation kept at a fixed distance.

    Those of the OpenMM System among the parameters; none where there is no such system.

    Raises:
        DataError: it cannot be read.
    """
    xml = system.parameters.get("openmm_system_xml")
    if xml is None:
        return np.zeros((0, 2), np.int64)
    try:
        pairs = [(int(c.attrib["p1"]), int(c.attrib["p2"])) for c in fromstring(xml).iter("Constraint")]
    except (ParseError, KeyError, ValueError) as error:
        raise DataError(f"the OpenMM System of this dataset cannot be read: {error}") from error
    return np.array(pairs, np.int64).reshape(-1, 2)


def respects(coarse: CoarseMap, constraints: np.ndarray) -> np.ndarray:
    """Return for each rigid bond whether both its ends weigh alike in every bead's force, `[constraints]`.

    Where they do not, the force along the bond is missing from what the simulation wrote, and the mapped
    forces are not on average those of the beads' free energy (Ciccotti, Kapral, Vanden-Eijnden, ChemPhysChem
    6, 1809 (2005)).
    """
    ends = coarse.forces[:, np.asarray(constraints, np.int64).reshape(-1, 2)]
    return np.abs(ends[..., 0] - ends[..., 1]).max(0, initial=0.0) < SAME


def optimal(coarse: CoarseMap, gram: np.ndarray, constraints: np.ndarray) -> CoarseMap:
    """Return the map with those constant weights B of the forces that have the least ⟨‖B f‖²⟩.

    Subject to B Cᵀ = 1 and B_Ii = B_Ij for rigid i–j (Krämer et al., J. Phys. Chem. Lett. 14, 3970 (2023)):
    with all conditions as B A = D and the null space Z of Aᵀ, B = B₀ − B₀ G Z (Zᵀ G Z)⁺ Zᵀ for B₀ = D A⁺.
    The beads' forces add up to zero in each frame where the particles' do, though it is not asked for: B is
    linear in D, so that the rows' sum is the best weight for the sum of all beads' conditions, which equal
    weights fulfil at no noise.

    Args:
        coarse: its positions C are kept.
        gram: `[particles, particles]` of `force_gram`.
        constraints: `[constraints, 2]` of `constraints_of`.

    Raises:
        DataError: no weights fulfil the conditions: a rigid bond joins two beads that sit on its ends.
    """
    beads, particles = coarse.positions.shape
    pairs = np.asarray(constraints, np.int64).reshape(-1, 2)
    rigid = np.zeros((particles, len(pairs)))
    rigid[pairs[:, 0], np.arange(len(pairs))] = 1
    rigid[pairs[:, 1], np.arange(len(pairs))] -= 1
    conditions = np.concatenate([coarse.positions.T, rigid], axis=1)
    wanted = np.concatenate([np.eye(beads), np.zeros((beads, len(pairs)))], axis=1)
    start = wanted @ np.linalg.pinv(conditions, rcond=RANK)
    if not np.allclose(start @ conditions, wanted, atol=SAME):
        raise DataError(
            "no force map is right for these beads: a rigid bond of the simulation lies between two of them; "
            "take a map that keeps such a bond inside one bead"
        )
    vectors, values, _ = np.linalg.svd(conditions)
    free = vectors[:, (values > RANK * values[0]).sum() :]
    inner = free.T @ gram @ free
    best = start - start @ gram @ free @ np.linalg.pinv(inner, rcond=RANK, hermitian=True) @ free.T
    return CoarseMap(coarse.positions, best, coarse.group)
