"""One frame, or a batch of frames, as a torch-geometric graph."""

from __future__ import annotations

from typing import Any

from torch_geometric.data import Data

from zoo import keys


class Graph(Data):
    """PyG `Data` with the keys of `zoo.keys`; knows how pair numbers shift when batched."""

    def __inc__(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Offset of an index when graphs are put behind each other."""
        if key == keys.EDGE_PAIR:
            return self[keys.PAIR_EDGE].numel()
        if key == keys.PAIR_EDGE:
            return self[keys.EDGE_INDEX].shape[1]
        return super().__inc__(key, value, *args, **kwargs)

    def __cat_dim__(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Axis along which a key is joined. Everything but `edge_index` is joined along the first."""
        if key in (keys.EDGE_PAIR, keys.PAIR_EDGE, keys.CELL, keys.ENERGY, keys.FRAME):
            return 0
        return super().__cat_dim__(key, value, *args, **kwargs)


def num_graphs(graph: Data) -> int:
    """Number of graphs in a batch; 1 for a single graph without `batch`."""
    if graph.get(keys.PTR) is not None:
        return graph.ptr.numel() - 1
    batch = graph.get(keys.BATCH)
    return 1 if batch is None or batch.numel() == 0 else int(batch[-1]) + 1
