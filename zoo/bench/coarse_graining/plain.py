"""The published autoencoder in plain PyTorch, as its public codes run it: the peer of `cg-autoencoder`.

Assignment by `gumbel_softmax`, whose temperature the public codes compute and do not hand on, so that it
stays 1; a free linear decoder; Adam on mini-batches of a DataLoader. Written after the description in Wang &
Gómez-Bombarelli, npj Comput. Mater. 5, 125 (2019), and what their code and that of Di Prima (Padua) do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset


@dataclass(frozen=True)
class Recipe:
    """How it is trained; the defaults are those of the ring-polymer study, 600 epochs of 10,000 frames.

    Args:
        lr, batch: of Adam.
        force_weight: ρ, in units of length²/force².
        tau: temperature as a function of the share of training that is done; None: 1 throughout.
    """

    lr: float = 4e-3
    batch: int = 40
    force_weight: float = 0.0
    tau: Callable[[float], float] | None = None


class PlainAutoencoder(nn.Module):
    """`x → M_norm(x) → x D`, with one draw of the noise a batch."""

    def __init__(self, particles: int, beads: int) -> None:
        super().__init__()
        self.assign = nn.Parameter(torch.randn(particles, beads))
        self.decode = nn.Parameter(torch.randn(beads, particles))

    def forward(self, x: Tensor, tau: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
        """Return centred x, its reconstruction, and the map `[particles, beads]`."""
        x = x - x.mean(1, keepdim=True)
        member = functional.gumbel_softmax(self.assign, tau, dim=-1)
        coarse = member / member.sum(-2, keepdim=True)
        beads = torch.einsum("bij,in->bnj", x, coarse)
        return x, torch.einsum("bnj,ni->bij", beads, self.decode), coarse

    def loss(self, x: Tensor, forces: Tensor | None, recipe: Recipe, tau: float = 1.0) -> Tensor:
        """Mean square error per coordinate, and ρ times the mean square force on a bead."""
        x, back, coarse = self(x, tau)
        loss = (back - x).square().mean()
        if forces is not None and recipe.force_weight:
            project = torch.linalg.solve(coarse.T @ coarse + 1e-6 * torch.eye(coarse.shape[1]), coarse.T)
            on_beads = torch.einsum("nb,fbd->fnd", project, forces)
            loss = loss + recipe.force_weight * on_beads.square().sum(2).mean()
        return loss

    def hard(self) -> Tensor:
        """Bead of each particle `[particles]`."""
        return self.assign.argmax(1)

    @torch.no_grad()
    def error(self, x: Tensor) -> float:
        """Mean square error per coordinate of frames, with the assignment hard."""
        x = x - x.mean(1, keepdim=True)
        member = functional.one_hot(self.hard(), self.assign.shape[1]).to(x)
        coarse = member / member.sum(0).clamp_min(1)
        return float((torch.einsum("bij,in,nk->bkj", x, coarse, self.decode.to(x)) - x).square().mean())


def batches(x: Tensor, forces: Tensor | None, batch: int) -> DataLoader:
    """Shuffled batches of (x,) or (x, forces)."""
    parts = [x.float()] if forces is None else [x.float(), forces.float()]
    return DataLoader(TensorDataset(*parts), batch_size=batch, shuffle=True)


def train_plain(
    x: Tensor, forces: Tensor | None, beads: int, steps: int, seed: int, recipe: Recipe,
    watch: Callable[[int, PlainAutoencoder], None] | None = None,
) -> PlainAutoencoder:  # fmt: skip
    """Train on frames `[frames, particles, 3]` for so many steps; `watch` is called after each pass.

    Args:
        x: frames.
        forces: on them, or None.
        beads: their number.
        steps: of Adam.
        seed: of everything random.
        recipe: see there.
        watch: gets the number of steps done and the model.
    """
    torch.manual_seed(seed)
    model = PlainAutoencoder(x.shape[1], beads)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.lr)
    loader = batches(x, forces, recipe.batch)
    done = 0
    while done < steps:
        for batch in loader:
            tau = 1.0 if recipe.tau is None else recipe.tau(done / steps)
            optimizer.zero_grad()
            model.loss(batch[0], batch[1] if len(batch) > 1 else None, recipe, tau).backward()
            optimizer.step()
            done += 1
            if done == steps:
                break
        if watch is not None:
            watch(done, model)
    return model
