"""What a density run keeps: draws with densities and energies, and the same of the reference frames."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from zoo import keys
from zoo.analysis.peptides import named_torsions
from zoo.data.dataset import Frames
from zoo.data.potential import Potential, has_potential, potential_of
from zoo.models.density import DensityModel
from zoo.physics.torsions import torsions
from zoo.progress import progress
from zoo.tasks.base import Predictions

#: Draws whose positions are kept, for pictures and for statistics of shape.
KEPT = 1000
CHUNK = 2048
SEED = 7


@torch.no_grad()
def predictions(model: DensityModel, frames: Frames, draws: int) -> Predictions:
    """Draw from a model and score what it draws, and the reference frames.

    Densities are with respect to dq (nm and rad, or the unit of length); `energy` and `log_volume` are 0
    where the dataset has no energy function, which `kT` = NaN says.

    Returns:
        `frame [m]`; `log_prob`, `energy`, `log_volume` `[n]`, `torsions [n, named]`, `positions [≤ 1000,
        particles, 3]` of the draws; the same of the frames as `reference_…`; `kT [1]`, `evaluations [1]`.
    """
    dataset = frames.dataset
    potential = potential_of(dataset) if has_potential(dataset) else None
    quadruples = np.array(list(named_torsions(dataset.system).values()), int).reshape(-1, 4)
    device = next(iter([*model.parameters(), *model.buffers()])).device
    generator = torch.Generator(device=device).manual_seed(SEED)
    parts: dict[str, list[np.ndarray]] = {}
    kept = 0
    with progress("drawing", draws, "draws") as bar:
        for start in range(0, draws, CHUNK):
            n = min(CHUNK, draws - start)
            x, log_prob = model.sample(n, generator)
            found = scored(model, x, log_prob, potential, quadruples)
            if kept < KEPT:
                found["positions"] = x[: KEPT - kept].cpu().numpy().astype(np.float32)
                kept += len(found["positions"])
            for name, array in found.items():
                parts.setdefault(name, []).append(array)
            bar.advance(n)
    out = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    reference = _reference(model, frames, potential, quadruples)
    out |= {f"reference_{name}": array for name, array in reference.items()}
    kT = model.info.kT if potential is not None and model.info.kT is not None else np.nan
    return {
        "frame": frames.index,
        **out,
        "kT": np.array([kT]),
        "evaluations": np.array([int(model.evaluations)]),
    }


def _reference(
    model: DensityModel, frames: Frames, potential: Potential | None, quadruples: np.ndarray
) -> dict[str, np.ndarray]:
    # a count of energies is a buffer, too
    like = next(t for t in [*model.parameters(), *model.buffers()] if t.is_floating_point())
    parts: dict[str, list[np.ndarray]] = {}
    positions = frames.array(keys.POSITIONS)
    for start in range(0, len(positions), CHUNK):
        x = torch.from_numpy(np.asarray(positions[start : start + CHUNK], np.float64)).to(like.device)
        log_prob = model.log_prob(x.to(like.dtype))
        for name, array in scored(model, x, log_prob, potential, quadruples).items():
            parts.setdefault(name, []).append(array)
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def scored(
    model: DensityModel, x: Tensor, log_prob: Tensor, potential: Potential | None, quadruples: np.ndarray
) -> dict[str, np.ndarray]:
    """Return `log_prob`, `energy`, `log_volume` `[n]` and `torsions [n, named]` of positions x, as arrays.

    The energy is infinite outside of the model's domain, and 0, as the volume is, without a potential.
    """
    x = x.double()
    zero = torch.zeros(len(x), dtype=torch.float64)
    volume, energy = zero, zero
    if potential is not None:
        if isinstance(potential, torch.nn.Module):
            potential = potential.to(x.device)
        energy = potential(x)
        q, volume = model.coordinates.from_cartesian(x)
        energy = torch.where(model.coordinates.inside(q) & torch.isfinite(energy), energy, torch.inf)
    angles = torsions(x, quadruples) if len(quadruples) else x.new_zeros(len(x), 0)
    named = {"log_prob": log_prob.double(), "energy": energy, "log_volume": volume}
    arrays = {name: value.cpu().numpy() for name, value in named.items()}
    return arrays | {"torsions": angles.cpu().numpy().astype(np.float32)}
