"""Equivariant graph network for glasses (Pezzicoli, Charpiat, Landes, SciPost Phys. 16, 136, 2024)."""

from __future__ import annotations

from e3nn import o3
from torch import Tensor, cat, nn
from torch.nn.functional import one_hot
from torch_geometric.data import Data

from zoo import keys
from zoo.data.info import DataInfo
from zoo.graphs import BesselBasis, PolynomialCutoff, edge_vectors
from zoo.models.activation import SiLU
from zoo.models.base import require_key
from zoo.models.described import DescribedModel
from zoo.models.edges import Edges, make_edges
from zoo.models.gat.density import RunningStandard
from zoo.models.heads import NodeHead
from zoo.models.se3_glass.config import SE3GlassConfig, settings_for
from zoo.models.se3_glass.filters import filters_of, labels_of, strength_of
from zoo.models.tensor_network.layer import Layer, Neighbors
from zoo.models.tensor_network.model import Invariants

#: Neighbours within 2 σ of a Kob-Andersen glass, which sums are scaled for.
TYPICAL_NEIGHBORS = 40


class SE3Glass(DescribedModel):
    """Nodes start as scalars, type and descriptors; messages are products with spherical harmonics.

    Features of order l are `l`-th rank tensors of natural parity (1x0e + 1x1o + 1x2e, as EIGNN's), so that
    targets are the same in a mirror. Radial weights of each path are a perceptron of Bessel functions.
    Layers after the first add to what is there, and none has statistics of a batch. All times and types are
    predicted at once. Where the dataset names no potential, radial densities stand in for the energy.

    Raises:
        ConfigError: another interface than targets of nodes; the energy is asked for by name and the
            dataset names no potential.
    """

    def __init__(self, config: SE3GlassConfig, info: DataInfo) -> None:
        super().__init__(config, info, settings_for(config.descriptors, info), config.cutoff)
        types, channels = len(info.types), config.channels
        #: Of the targets, in their unit: e3nn's coefficients were rounded when built in single precision.
        self.accuracy = 1e-7 * max(max(row) for row in info.target_std)
        self.basis = BesselBasis(self.reach, config.num_bessel)
        self.envelope = PolynomialCutoff(self.reach)
        self.standard = RunningStandard(types, self.num_descriptors)
        self.enter = nn.Linear(types + self.num_descriptors, channels)
        kinds = [o3.Irrep(order, (-1) ** order) for order in range(config.l_max + 1)]
        self.harmonics = o3.Irreps.spherical_harmonics(config.l_max)
        neighbors = max(1, min(info.num_particles - 1, TYPICAL_NEIGHBORS))
        widths = (config.num_bessel, config.radial_channels)
        self.layers = nn.ModuleList()
        irreps = o3.Irreps([(channels, "0e")])
        for _ in range(config.num_layers):
            layer = Layer(irreps, self.harmonics, kinds, channels, widths, neighbors)
            self.layers.append(layer)
            irreps = layer.irreps
        self.invariants = Invariants(irreps)
        self.norm = nn.LayerNorm(self.invariants.channels)
        self.dropout = nn.Dropout(config.dropout)
        self.head = NodeHead(self.invariants.channels, info, SiLU)

    @property
    def message_layers(self) -> int:
        """See `ZooModel`."""
        return len(self.layers)

    def forward(self, graph: Data) -> Tensor:
        """Return targets `[nodes, targets]`; see `ZooModel`."""
        around = self._around(graph)
        h = self._start(graph)
        for number, layer in enumerate(self.layers):
            h = h + layer(h, around) if number else layer(h, around)
        return self.head(self.dropout(self.norm(self.invariants(h))), graph)

    def path_weights(self) -> dict[str, float]:
        """Return how much each path of each layer weighs, as "layer 1: 0e x 1o -> 1o".

        The root mean square over channels and over distances (each weighted by d², as there are so
        many neighbours) of what the path's radial weights and the mixing behind them multiply.
        """
        return {
            f"layer {number}: {name}": weight
            for number, layer in enumerate(self.layers, 1)
            for name, weight in strength_of(layer, self.basis, self.envelope).items()  # type: ignore[arg-type]
        }

    def radial_filters(self, distances: Tensor) -> Tensor:
        """Return the learned radial weights `[paths, distances]`, root mean square over channels.

        Paths are in the order of `path_weights`; `distances [distances]` in σ.
        """
        parts = [filters_of(layer, self.basis, self.envelope, distances) for layer in self.layers]  # type: ignore[arg-type]
        return cat(parts).detach().square().mean(1).sqrt()

    def path_names(self) -> list[str]:
        """Return the names of the paths, in the order of `path_weights` and `radial_filters`."""
        return [
            f"layer {number}: {name}"
            for number, layer in enumerate(self.layers, 1)
            for name in labels_of(layer)  # type: ignore[arg-type]
        ]

    def _start(self, graph: Data) -> Tensor:
        kind = self.index(graph[keys.Z])
        known = one_hot(kind, len(self.info.types)).to(self.enter.weight)
        inputs = self.standard(self.inputs(graph).to(known), kind)
        return self.enter(cat([known, inputs], dim=1))

    def _around(self, graph: Data) -> Neighbors:
        graph = _within(graph, self.reach)
        edges: Edges = make_edges(graph)
        vectors = edge_vectors(graph[keys.POS], graph[keys.EDGE_INDEX], graph.get(keys.EDGE_SHIFT))
        direction = vectors / edges.spread(edges.distance)[:, None]
        return Neighbors(
            edges,
            self.basis(edges.distance),
            self.envelope(edges.distance)[:, None],
            o3.spherical_harmonics(self.harmonics, direction, normalize=False, normalization="component"),
        )


def _within(graph: Data, reach: float) -> Data:
    """Leave out edges longer than `reach`, which descriptors alone look at; the loader has done so."""
    edges, shift = require_key(graph, keys.EDGE_INDEX, "se3-glass"), graph.get(keys.EDGE_SHIFT)
    near = edge_vectors(graph[keys.POS], edges, shift).square().sum(1) < (reach * (1 + 1e-5)) ** 2
    if bool(near.all()):
        return graph
    out = Data(**{keys.POS: graph[keys.POS], keys.EDGE_INDEX: edges[:, near]})
    if shift is not None:
        out[keys.EDGE_SHIFT] = shift[near]
    return out
