"""torch-geometric's own SchNet with its own DataLoader: the pipeline that most people start from."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader
from torch_geometric.nn.models import SchNet
from torch_geometric.nn.models.schnet import RadiusInteractionGraph

from zoo import keys
from zoo.data.dataset import Frames


class AllPairsGraph(nn.Module):
    """Edges of a batch of equal molecules by comparing all pairs, on the fly as `radius_graph` does.

    Stands in for torch-geometric's `RadiusInteractionGraph` where that cannot run: from 2.8 on it
    needs pyg-lib, which the package index does not carry. One broadcast comparison of 22 × 22
    distances for each molecule costs less than the search that it replaces.
    """

    def __init__(self, cutoff: float) -> None:
        super().__init__()
        self.cutoff = cutoff

    def forward(self, pos: Tensor, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Return `edge_index [2, E]` and lengths `[E]`."""
        graphs = int(batch[-1]) + 1
        n = len(pos) // graphs
        with torch.no_grad():
            x = pos.view(graphs, n, 3)
            near = torch.cdist(x, x) < self.cutoff
            near.diagonal(dim1=1, dim2=2).fill_(False)
            graph, receiver, sender = near.nonzero(as_tuple=True)
            row, column = graph * n + sender, graph * n + receiver
        return torch.stack([row, column]), (pos[row] - pos[column]).norm(dim=-1)


def interaction_graph(cutoff: float, atoms: int) -> tuple[nn.Module, str]:
    """Return the stock way to find edges where it runs, else our stand-in; and which one it is."""
    stock = RadiusInteractionGraph(cutoff, max_num_neighbors=max(32, atoms))
    try:
        stock(torch.rand(4, 3), torch.zeros(4, dtype=torch.long))
    except (ImportError, ModuleNotFoundError, RuntimeError, ValueError):
        return AllPairsGraph(cutoff), "all pairs of each molecule compared in the forward pass (no pyg-lib)"
    return stock, "torch-geometric's radius_graph in the forward pass"


def stock_model(width: int, depth: int, gaussians: int, cutoff: float, atoms: int) -> tuple[SchNet, str]:
    """Build torch-geometric's SchNet; also say how it finds its edges."""
    graph, how = interaction_graph(cutoff, atoms)
    model = SchNet(
        hidden_channels=width, num_filters=width, num_interactions=depth, num_gaussians=gaussians,
        cutoff=cutoff, interaction_graph=graph,
    )  # fmt: skip
    return model, how


def stock_loader(frames: Frames, batch_size: int, *, shuffle: bool) -> DataLoader:
    """Return torch-geometric's loader over a list of `Data` in memory."""
    z = torch.from_numpy(frames.dataset.system.types.copy())
    arrays = (frames.array(name) for name in (keys.POSITIONS, keys.ENERGIES, keys.FORCES))
    stacks = [torch.from_numpy(a).float() for a in arrays]
    graphs = [Data(z=z, pos=x, y=y[None], force=f) for x, y, f in zip(*stacks, strict=True)]
    return DataLoader(graphs, batch_size=batch_size, shuffle=shuffle)
