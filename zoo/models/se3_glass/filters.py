"""What a layer has learned of distances: radial weights of its paths, to be drawn."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.models.tensor_network.layer import Layer

#: Distances at which a path's weight is measured.
POINTS = 100


def labels_of(layer: Layer) -> list[str]:
    """Return a name for each path, as "0e x 1o -> 1o": features, harmonic, new features."""
    product = layer.product
    a, b, c = product.irreps_in1, product.irreps_in2, product.irreps_out
    return [f"{a[p.i_in1].ir} x {b[p.i_in2].ir} -> {c[p.i_out].ir}" for p in product.instructions]


def filters_of(layer: Layer, basis: nn.Module, envelope: nn.Module, distances: Tensor) -> Tensor:
    """Return the radial weights `[paths, channels, distances]`."""
    weights = layer.radial(basis(distances)) * envelope(distances)[:, None]
    return weights.view(len(distances), len(layer.product.instructions), -1).permute(1, 2, 0)


@torch.no_grad()
def strength_of(layer: Layer, basis: nn.Module, envelope: nn.Module) -> dict[str, float]:
    """Return a weight for each path: root mean square of radial weights times mixing, by path.

    The mean over distances is weighted by d², the number of neighbours there.
    """
    like = next(layer.parameters())
    reach = float(envelope.cutoff)  # type: ignore[arg-type]
    d = torch.linspace(reach / POINTS, reach, POINTS, device=like.device, dtype=like.dtype)
    filters = filters_of(layer, basis, envelope, d)
    share = d.square() / d.square().sum()
    out: dict[str, float] = {}
    blocks = _mixing(layer)
    for number, name in enumerate(labels_of(layer)):
        size = (filters[number].square() * share).sum(1)  # [channels]
        mix = blocks[number].square().mean(1)  # [channels]; over what they are mixed to
        out[name] = float((size * mix).mean().sqrt())
    return out


def _mixing(layer: Layer) -> list[Tensor]:
    """Weights `[channels, new channels]` by which the linear layer behind mixes each path's products."""
    found: dict[int, list[Tensor]] = {}
    views = layer.after.weight_views(yield_instruction=True)
    for _, instruction, weight in views:
        found.setdefault(instruction.i_in, []).append(weight * instruction.path_weight)
    return [torch.cat(found[p.i_out], dim=1) for p in layer.product.instructions]
