"""What is wrong with a latent, in words."""

from __future__ import annotations

import numpy as np
import torch

from zoo import keys
from zoo.analysis.flags import Flag
from zoo.analysis.health import dead_beads
from zoo.data.dataset import Frames
from zoo.models.autoencoder import BeadAutoencoder
from zoo.models.base import ZooModel

#: A latent whose mean varies less than this tells nothing (Burda, Grosse, Salakhutdinov 2016); nor does one
#: that varies less than `STILL` of the one that varies most.
ACTIVE, STILL = 0.01, 1e-3
#: Largest residual of decoding and encoding again that is let pass.
INVERTED = 0.3
#: The same of a flow, which is invertible by its make.
FLOW_INVERTED = 0.01


def flags_of(model: ZooModel, values: np.ndarray, names: list[str], frames: Frames) -> list[Flag]:
    """Return flags of columns that do not vary, posteriors that collapsed and beads that hold nothing."""
    out = []
    spread = values.std(0)
    still = np.flatnonzero(spread <= STILL * spread.max())
    if len(still):
        out.append(
            Flag(
                "collapse",
                f"{len(still)} of {len(spread)} columns do not vary over {len(values)} samples "
                f"({_some(names, still)}): the network makes no use of them; a narrower one would do",
            )
        )
    asleep = _asleep(model, frames)
    if len(asleep):
        out.append(
            Flag(
                "collapse",
                f"the posterior of {len(asleep)} of {len(names)} latents ({_some(names, asleep)}) is the "
                f"prior for every conformation (variance of its mean below {ACTIVE:g}): decoded structures "
                "do not depend on them; try a lower weight of the prior or a later start of it",
            )
        )
    if isinstance(model, BeadAutoencoder) and "beads" in model.bottleneck:
        dead = dead_beads(model.bottleneck["beads"], model.coarse_map().num_beads)
        out += [] if dead is None else [dead]
    return out


def inversion_flag(residual: float, flow: bool) -> list[Flag]:
    """Return a flag where encoding what was decoded does not lead back."""
    if residual < (FLOW_INVERTED if flow else INVERTED):
        return []
    if not np.isfinite(residual):
        return [Flag("not inverted", "decoding or encoding again gave numbers that are not finite")]
    why = (
        "a flow is inverted up to rounding: its numbers have become too large, or its equation too stiff"
        if flow
        else "decoded structures are seen as other points of the latent than they were decoded from: maps "
        "and traversals show the decoder's conformations, not the data's; train longer"
    )
    return [Flag("not inverted", f"E(D(z)) is {residual:.2g} standard deviations away from z: {why}")]


@torch.no_grad()
def _asleep(model: ZooModel, frames: Frames) -> np.ndarray:
    posterior = getattr(model, "posterior", None)
    if posterior is None:
        return np.zeros(0, int)
    like = next(model.parameters())
    mean, _ = posterior(torch.from_numpy(np.asarray(frames.array(keys.POSITIONS))).to(like))
    return np.flatnonzero(mean.double().var(0).cpu().numpy() < ACTIVE)


def _some(names: list[str], which: np.ndarray) -> str:
    shown = [names[k] for k in which[:5]]
    return ", ".join(shown) + (", …" if len(which) > 5 else "")
