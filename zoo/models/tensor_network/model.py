"""A tensor field network (Thomas et al. 2018), with the layers of NequIP (Batzner et al. 2022)."""

from __future__ import annotations

from e3nn import o3
from torch import Tensor, cat, nn
from torch_geometric.data import Data

from zoo import keys
from zoo.data.info import DataInfo
from zoo.graphs import CosineCutoff, GaussianBasis, edge_vectors
from zoo.models.activation import SiLU
from zoo.models.base import TypeIndex, ZooModel, cutoff_of
from zoo.models.edges import make_edges
from zoo.models.heads import make_head
from zoo.models.tensor_network.config import TensorNetworkConfig
from zoo.models.tensor_network.layer import Layer, Neighbors

#: Mean number of neighbours that sums are scaled for, where a frame has more particles than that.
TYPICAL_NEIGHBORS = 16


class TensorNetwork(ZooModel):
    """Nodes carry scalars, vectors, …; messages are their products with harmonics of the edge's direction.

    Energies and targets are invariant under rotations; forces and energies are continuous at the
    cutoff. Irreps of O(3) come with parities, which forbid products such as vector × vector → vector.
    With `mirror` they are kept: a mirror image has the same energy. Without, every irrep is called
    even, so that all products of SO(3) are allowed: a triple product (a × b) · c enters the energy
    like any other scalar, and the model tells left from right, as it must where atoms that hold the
    chirality were left out of the beads.

    With l_max = 2 symmetric to 1e-7, in double precision as well: e3nn's coefficients were rounded when
    the model was built in single precision.

    Raises:
        DataError: on calling it, a type that the training data did not have.
    """

    def __init__(self, config: TensorNetworkConfig, info: DataInfo) -> None:
        super().__init__(config, info, cutoff_of(config.cutoff, info))
        self.basis = GaussianBasis(0.0, self.cutoff, config.num_gaussians)
        self.envelope = CosineCutoff(self.cutoff)
        self.index = TypeIndex(info.types)
        self.embedding = nn.Embedding(len(info.types), config.channels)
        parities = (-1, 1) if config.mirror else (1,)
        kinds = [o3.Irrep(order, p) for order in range(config.l_max + 1) for p in parities]
        self.harmonics = o3.Irreps.spherical_harmonics(config.l_max, p=parities[0])
        self.layers = nn.ModuleList()
        irreps = o3.Irreps([(config.channels, "0e")])
        neighbors = max(1, min(info.num_particles - 1, TYPICAL_NEIGHBORS))
        widths = (config.num_gaussians, config.radial_channels)
        for _ in range(config.num_layers):
            layer = Layer(irreps, self.harmonics, kinds, config.channels, widths, neighbors)
            self.layers.append(layer)
            irreps = layer.irreps
        self.irreps = irreps
        self.invariants = Invariants(irreps)
        self.head = make_head(self.invariants.channels, info, SiLU)

    @property
    def message_layers(self) -> int:
        """See `ZooModel`."""
        return len(self.layers)

    def forward(self, graph: Data) -> Tensor:
        """Return energies `[graphs]` or targets `[nodes, targets]`; see `ZooModel`."""
        return self.head(self.invariants(self.features(graph)), graph)

    def features(self, graph: Data) -> Tensor:
        """Return the nodes' features after the last layer, `[nodes, irreps.dim]`, as `irreps` orders them."""
        edges = make_edges(graph)
        r = edge_vectors(graph[keys.POS], graph[keys.EDGE_INDEX], graph.get(keys.EDGE_SHIFT))
        direction = r / edges.spread(edges.distance)[:, None]
        around = Neighbors(
            edges,
            self.basis(edges.distance),
            self.envelope(edges.distance)[:, None],
            o3.spherical_harmonics(self.harmonics, direction, normalize=False, normalization="component"),
        )
        h = self.embedding(self.index(graph[keys.Z]))
        for layer in self.layers:
            h = layer(h, around)
        return h


class Invariants(nn.Module):
    """Scalars of each node: its own, and products of each irrep with a mixture of its channels.

    With them two layers see four particles at once, hence handedness: the second holds
    p_i = Σ_j a_j × r_ij beside a_i, and the product p_i · a_i changes sign in a mirror.
    """

    def __init__(self, irreps: o3.Irreps) -> None:
        super().__init__()
        self.scalars = irreps.count("0e")
        self.mix = o3.Linear(irreps, irreps)
        self.product = o3.ElementwiseTensorProduct(irreps, irreps, ["0e"])
        self.channels = self.scalars + self.product.irreps_out.dim

    def forward(self, h: Tensor) -> Tensor:
        """`[nodes, irreps.dim]`, whose first irrep is 0e, → `[nodes, channels]`."""
        return cat([h[:, : self.scalars], self.product(h, self.mix(h))], dim=1)
