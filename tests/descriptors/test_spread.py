"""Averages, diffusion and scales against dense matrices."""

from __future__ import annotations

import numpy as np
import torch
from test_describer import POTENTIAL, columns, describe, edges, liquid
from torch import Tensor

import zoo
from zoo import keys
from zoo.descriptors import Describer, DescriptorSettings, Operator


def weights(x: Tensor, decay: float, reach: float, size: float = 4.0, fade: bool = False) -> Tensor:
    """exp(−r/decay) of all pairs and images below `reach`, 1 of each with itself, `[n, n]`."""
    steps = size * torch.cartesian_prod(*[torch.arange(-1.0, 2.0).double()] * 3)
    r = (x[:, None, None] - x[None, :, None] + steps).norm(dim=-1)
    window = (torch.pi * r / (2 * reach)).cos().square() if fade else torch.ones_like(r)
    return torch.where(r < reach, window * torch.exp(-r / decay), 0.0).sum(-1)


def normalised(w: Tensor) -> Tensor:
    return w / w.sum(1, keepdim=True)


def test_averages_once_and_twice() -> None:
    x, kind, cell = liquid()
    settings = {"radial": True, "orders": 2, "diffused": [], "averages": 2, "average_range": 1.6}
    out, names = describe(x, kind, cell, **settings)
    base = out[:, : out.shape[1] // 3]
    assert not any("averaged" in name for name in names[: base.shape[1]])
    mean = normalised(weights(x, 1.6, 1.6))
    scale = base.abs().amax(0).clamp_min(1)
    # float64 round-off
    for times, found in ((1, columns(out, names, "averaged 1×")), (2, columns(out, names, "averaged 2×"))):
        expected = torch.linalg.matrix_power(mean, times) @ base
        assert float(((found - expected) / scale).abs().max()) < 1e-12


def test_diffusion_of_species_and_energies() -> None:
    x, kind, cell = liquid()
    settings = {"radial": False, "orders": 0, "averages": 0, "diffused": [3, 1, 8]}
    out, names = describe(x, kind, cell, **settings, diffusion_decay=0.7, diffusion_range=1.9)
    energy = columns(out, names, "energy")[:, :1]
    own = torch.nn.functional.one_hot(kind, 2).double()
    fields = torch.cat([own[:, :1], own * energy], dim=1)
    step = normalised(weights(x, 0.7, 1.9))
    scale = fields.abs().max()
    for number in (1, 3, 8):
        found = columns(out, names, f"diffused {number}×")
        expected = torch.linalg.matrix_power(step, number) @ fields
        assert float((found - expected).abs().max() / scale) < 1e-12
    # far enough, all is the same everywhere
    far, _ = describe(x, kind, cell, **{**settings, "diffused": [1000]})
    assert float(far[:, 1].std()) < 1e-6


def test_scales_are_sums_means_and_variances() -> None:
    x, kind, cell = liquid()
    settings = {"radial": False, "orders": 0, "averages": 0, "diffused": []}
    out, names = describe(x, kind, cell, **settings, scales=[0.4, 1.5], scale_range=2.4)
    energy = out[:, 0]
    for scale in (0.4, 1.5):
        w = weights(x, scale, 2.4, fade=True)
        for s in (0, 1):
            mine = w * (kind == s)
            mean = mine @ energy / mine.sum(1)
            variance = (mine * (energy[None] - mean[:, None]).square()).sum(1) / mine.sum(1)
            for what, expected in (
                (f"weight of {s}, scale", mine.sum(1)), (f"mean energy of {s}", mean),
                (f"variance of energy of {s}", variance),
            ):  # fmt: skip
                wanted = [k for k, n in enumerate(names) if n.startswith(what) and n.endswith(f"{scale:g}")]
                assert len(wanted) == 1
                # energies of overlapping particles reach 1e3, their squares 1e6
                assert torch.allclose(out[:, wanted[0]], expected, rtol=1e-7, atol=1e-7)


def test_two_steps_are_one() -> None:
    """`local` of some particles needs their own edges alone; `spread` takes any rows that add up to one."""
    x, kind, cell = liquid()
    describer = Describer(DescriptorSettings(), 2, POTENTIAL)
    index, vectors = edges(x, cell, describer.cutoff)
    whole = describer(kind, index, vectors)
    mine = index[1] < 20
    base = describer.local(kind, index[:, mine], vectors[mine])
    scale = whole.abs().amax(0).clamp_min(1)[: base.shape[1]]
    assert float(((base[:20] - whole[:20, : base.shape[1]]) / scale).abs().max()) < 1e-12
    means = describer.operators(index, vectors, 60)
    dense = [means.averaging.matrix.to_dense(), means.diffusion.matrix.to_dense()]
    again = describer.spread(describer.local(kind, index, vectors), kind, *dense)
    assert float(((again - whole) / whole.abs().amax(0).clamp_min(1)).abs().max()) < 1e-12


def test_rows_of_an_operator_add_up_to_one() -> None:
    x, _, cell = liquid()
    index, vectors = edges(x, cell, 2.0)
    mean = Operator.exponential(index, vectors.norm(dim=1), 60, 0.5, 2.0)
    assert torch.allclose(mean @ torch.ones(60, 1).double(), torch.ones(60, 1).double(), rtol=0, atol=1e-14)
    assert torch.allclose(mean.total, weights(x, 0.5, 2.0).sum(1), rtol=1e-12)


def test_offset_is_the_graphs_own_and_zero_without_one() -> None:
    """How far a particle was moved is told by the frame, nearest images, and spread like the rest."""
    data = zoo.load_dataset("kob-andersen")
    frames = data.split("test")
    cage = frames.array(keys.CAGE)
    model = zoo.create_model("ridge", dataset=data, task="propensity")
    graph = frames.at(cage).graph(0, model.cutoff)
    names = model.describer.names
    offset = model.describe(graph)[:, names.index("offset")].numpy()
    box = data.array(keys.CELLS)[0].diagonal()
    moved = cage[0].astype(np.float64) - frames.array(keys.POSITIONS)[0]
    expected = np.linalg.norm(moved - box * np.round(moved / box), axis=1)
    np.testing.assert_allclose(offset, expected, atol=1e-6)
    assert 0.05 < expected.mean() < 0.5  # σ: it rattles in its cage
    plain = model.describe(frames.graph(0, model.cutoff))
    assert not plain[:, names.index("offset")].any()
