"""`cg-autoencoder`: planted assignments, annealing, forces, rescue, refinement."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from zoo.data.info import DataInfo
from zoo.errors import ConfigError
from zoo.models.cg_autoencoder.assignment import gumbel, soft_map, soft_projection
from zoo.models.cg_autoencoder.config import CGAutoencoderConfig
from zoo.models.cg_autoencoder.model import CGAutoencoder
from zoo.models.cg_autoencoder.refining import Landscape, refined
from zoo.models.cg_autoencoder.rescue import rescued

PLANTED = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 1])


def info(n: int = len(PLANTED), masses: list[float] | None = None) -> DataInfo:
    return DataInfo(
        interface="autoencoder", units="lj", types=[0], num_particles=n, particle_types=[0] * n,
        reference=[[0.0, 0.0, 0.0]] * n, masses=masses or [1.0] * n, type_names={0: "A"},
        bonds=[(i, i + 1) for i in range(n - 1)],
    )  # fmt: skip


def planted_frames(noise: float = 0.1, frames: int = 400) -> torch.Tensor:
    """Bodies that move freely, particles that shake a little about their body."""
    generator = torch.Generator().manual_seed(1)
    centers = torch.randn(frames, 4, 3, generator=generator, dtype=torch.float64)
    shake = noise * torch.randn(frames, len(PLANTED), 3, generator=generator, dtype=torch.float64)
    return centers[:, PLANTED] + shake


def fit(model: CGAutoencoder, x: torch.Tensor, steps: int = 300, lr: float = 0.1) -> CGAutoencoder:
    model.prepare(x, None)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for step in range(steps):
        optimizer.zero_grad()
        model.split_objective(step / steps)[0].backward()
        optimizer.step()
        model.after_step(step + 1, steps)
    return model


def same_partition(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.equal(a[:, None] == a, b[:, None] == b)


@pytest.mark.parametrize("refine", [True, False])
def test_planted_assignment_is_found(refine: bool) -> None:
    """Gradients and annealing alone find it, and refinement leaves it."""
    torch.manual_seed(0)
    model = fit(CGAutoencoder(CGAutoencoderConfig(beads=4, refine=refine), info()), planted_frames())
    assert same_partition(model.group, PLANTED)
    x = planted_frames()
    # what is left is the shaking about the centre of each bead: σ² (1 − 1/n) averaged over particles
    counts = torch.bincount(PLANTED).double()
    expected = 0.01 * float((counts - 1).sum() / counts.sum())
    mse = float((model.reconstruct(x) - x).square().mean())
    assert mse == pytest.approx(expected, rel=0.05)  # 400 frames of 12 × 3 numbers: 1 % of the variance


def test_annealing_reaches_hard_assignments() -> None:
    """τ falls geometrically and is handed on: at its end the soft map is the hard one, at its start it is
    not.
    """
    torch.manual_seed(0)
    model = CGAutoencoder(CGAutoencoderConfig(beads=4), info())
    config = model.config
    assert model.temperature(0.0) == pytest.approx(config.tau_start)
    assert model.temperature(1.0) == model.temperature(1 - config.hold) == pytest.approx(config.tau_end)
    middle = model.temperature((1 - config.hold) / 2)
    assert middle == pytest.approx((config.tau_start * config.tau_end) ** 0.5)
    fit(model, planted_frames())
    for tau, hard in ((config.tau_end, True), (config.tau_start, False)):
        largest = torch.softmax(model.logits / tau, -1).amax(-1).min()
        assert (float(largest) > 0.99) is hard
    _, logs = model.split_objective(0.0)
    assert float(logs["tau"]) == pytest.approx(config.tau_start)


def test_soft_projection() -> None:
    """B Cᵀ = 1; (C Cᵀ)⁻¹ C for plain centres that are hard; the sum for masses."""
    torch.manual_seed(0)
    assigned = torch.softmax(3 * torch.randn(10, 3, dtype=torch.float64), -1)
    weights = torch.rand(10, dtype=torch.float64) + 0.5
    coarse = soft_map(assigned, weights)
    product = soft_projection(assigned, coarse) @ coarse.T
    torch.testing.assert_close(
        product, torch.eye(3, dtype=torch.float64), atol=1e-4, rtol=0
    )  # the ridge's 1e-6
    hard = one_hot(torch.arange(10) % 3, 3).double()
    for w in (weights, torch.ones_like(weights)):
        c = soft_map(hard, w)
        torch.testing.assert_close(soft_projection(hard, c), hard.T, atol=1e-4, rtol=0)
    plain = soft_map(hard, torch.ones_like(weights))
    published = torch.linalg.solve(plain @ plain.T, plain)
    torch.testing.assert_close(soft_projection(hard, plain), published, atol=1e-4, rtol=0)


def test_gumbel_argmax_draws_the_softmax() -> None:
    torch.manual_seed(0)
    logits = torch.tensor([0.0, 1.0, -0.5], dtype=torch.float64)
    drawn = (logits + gumbel(logits.expand(40_000, 3))).argmax(1).bincount(minlength=3) / 40_000
    torch.testing.assert_close(drawn.double(), torch.softmax(logits, 0), atol=0.01, rtol=0)  # 4 σ


def test_rescue_fills_empty_beads_with_what_moves_most() -> None:
    """All in bead 0 of three: the first rescue parts the body that moves, and none stays empty."""
    x = planted_frames(0.01)[:, :6]
    x = x - x.mean(1, keepdim=True)
    moment = torch.einsum("fid,fjd->ij", x, x) / len(x)
    logits = torch.zeros(1, 6, 3, dtype=torch.float64)
    logits[..., 0] = 1
    hard = rescued(logits, moment, torch.ones(6, dtype=torch.float64)).argmax(-1)[0]
    assert torch.bincount(hard, minlength=3).min() >= 1


def test_no_bead_stays_unused_where_the_published_recipe_leaves_some() -> None:
    torch.manual_seed(0)
    kept = {"beads": 8, "refine": False, "tau_start": 1.0, "tau_end": 1.0, "restarts": 1}
    plain = fit(CGAutoencoder(CGAutoencoderConfig(**kept, rescue=False), info()), planted_frames())
    torch.manual_seed(0)
    mended = fit(CGAutoencoder(CGAutoencoderConfig(**kept, rescue=True), info()), planted_frames())
    assert len(plain.group.unique()) < 8
    assert len(mended.group.unique()) == 8


def test_refinement_against_all_maps() -> None:
    """Six particles, three beads: from a good start local search ends where brute force does, or one move
    off.
    """
    x = planted_frames(0.3)[:, [0, 1, 3, 4, 5, 6]]
    x = x - x.mean(1, keepdim=True)
    moment = torch.einsum("fid,fjd->ij", x, x) / len(x)
    scape = Landscape(moment, torch.ones(6, dtype=torch.float64), 0.0, torch.zeros_like(moment))
    grid = torch.cartesian_prod(*[torch.arange(3)] * 6)
    full = [g for g in grid if len(g.unique()) == 3]
    best = min(float(scape.loss(scape.start(g, 3))) for g in full)
    ends = [float(scape.loss(scape.start(refined(g, 3, scape), 3))) for g in full[::20]]
    assert min(ends) == pytest.approx(best, abs=1e-12)
    assert all(
        end <= float(scape.loss(scape.start(g, 3))) + 1e-12 for end, g in zip(ends, full[::20], strict=True)
    )


def test_moves_are_scored_exactly() -> None:
    """Rank-one updates of the sums give the loss of the moved map."""
    torch.manual_seed(0)
    root = torch.randn(8, 8, dtype=torch.float64)
    forces = torch.randn(8, 8, dtype=torch.float64)
    scape = Landscape(root @ root.T, torch.rand(8, dtype=torch.float64) + 1, 0.3, forces @ forces.T)
    group = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    particles, new = torch.tensor([0, 4, 5]), torch.tensor([1, 2, 0])
    quick = scape.loss(scape.moved(scape.start(group, 3), particles, group[particles], new))
    for number, (particle, bead) in enumerate(zip(particles, new, strict=True)):
        moved = group.clone()
        moved[particle] = bead
        torch.testing.assert_close(quick[number], scape.loss(scape.start(moved, 3)))


def test_forces_decide_between_maps_that_positions_cannot_tell_apart() -> None:
    """Pairs of particles that pull at each other: their bead feels nothing if they are in it together."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(500, 4, 3, generator=generator, dtype=torch.float64)
    f = torch.randn(500, 2, 3, generator=generator, dtype=torch.float64)
    forces = torch.stack([f[:, 0], f[:, 1], -f[:, 0], -f[:, 1]], 1)
    torch.manual_seed(0)
    model = CGAutoencoder(CGAutoencoderConfig(beads=2, force_weight=1.0, force_from=0.0), info(4))
    model.prepare(x, forces)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for step in range(200):
        optimizer.zero_grad()
        model.split_objective(step / 200)[0].backward()
        optimizer.step()
        model.after_step(step + 1, 200)
    assert same_partition(model.group, torch.tensor([0, 1, 0, 1]))
    assert np.abs(model.coarse_map().project(forces.numpy())).max() < 1e-12


def test_contiguity_holds_beads_together() -> None:
    """Without a preference in the data (independent particles) the penalty alone makes contiguous beads."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2000, 12, 3, generator=generator, dtype=torch.float64)
    torch.manual_seed(0)
    config = CGAutoencoderConfig(beads=3, contiguity=2.0, refine=False)
    cut = (fit(CGAutoencoder(config, info()), x, 400).group.diff() != 0).sum()
    assert int(cut) == 2


def test_masses_and_offset() -> None:
    """Centres of mass; with an offset the mean structure of aligned frames costs no bead."""
    masses = [1.0, 3.0] * 6
    torch.manual_seed(0)
    model = fit(CGAutoencoder(CGAutoencoderConfig(beads=3), info(masses=masses)), planted_frames(), 50)
    own = torch.nonzero(model.group == 0).flatten()
    w = torch.tensor(masses, dtype=torch.float64)[own]
    x = planted_frames()[:2]
    torch.testing.assert_close(model.encode(x)[:, 0], (w[:, None] * x[:, own]).sum(1) / w.sum())
    shape = 5 * torch.randn(12, 3, dtype=torch.float64)
    still = shape + 1e-3 * torch.randn(50, 12, 3, dtype=torch.float64)
    offset = fit(CGAutoencoder(CGAutoencoderConfig(beads=1, offset=True), info()), still, 20)
    assert float((offset.reconstruct(still) - still).square().mean()) < 1e-5
    moved = still + torch.tensor([1.0, 2.0, 3.0])
    torch.testing.assert_close(offset.reconstruct(moved), offset.reconstruct(still) + (moved - still))


def test_bad_requests() -> None:
    with pytest.raises(ConfigError, match="13 beads of 12"):
        CGAutoencoder(CGAutoencoderConfig(beads=13), info())
    model = CGAutoencoder(CGAutoencoderConfig(beads=2, force_weight=1.0), info())
    with pytest.raises(ConfigError, match="forces"):
        model.prepare(planted_frames(), None)
