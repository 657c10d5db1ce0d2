"""What every model is: a module built from a config and the facts of its training data."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

import torch
from pydantic import BaseModel
from torch import Tensor, nn
from torch_geometric.data import Data

from zoo import keys
from zoo.data.graph import Graph, num_graphs
from zoo.data.info import DataInfo
from zoo.errors import ConfigError, DataError
from zoo.models.prior import Prior

#: Cutoff where the config names none, by unit system: Å for molecules, σ for particle systems.
DEFAULT_CUTOFF = {"ase": 5.0, "lj": 2.5}


class ZooModel(nn.Module):
    """Base of all models. Config, info and weights are enough to build one again.

    `forward(graph)` takes one graph or a batch of graphs with the keys of `zoo.keys` and returns,
    by `info.interface`, energies `[graphs]` ("potential") or `[nodes, targets]` ("node"), in the
    dataset's units. Edges beyond `cutoff` must have no effect: a batch may hold more than needed.
    Where `info.prior` is set, calling the model adds the prior's energies to those of `forward`.

    Args:
        config: an instance of the entry's config model.
        info: facts of the training data.
        cutoff: length up to which the loader builds edges; 0 if the model looks at none.
    """

    prior_energy: Prior
    #: Neurons that were added to what the config says, by place; see `zoo.models.growth`.
    growth: dict[str, int]

    def __init__(self, config: BaseModel, info: DataInfo, cutoff: float = 0.0) -> None:
        super().__init__()
        self.config, self.info, self.cutoff = config, info, float(cutoff)
        self.growth = {}
        if info.interface == "potential" and info.prior is not None:
            self.prior_energy = Prior(info.prior)
            self.register_forward_hook(_add_prior)

    @property
    def message_layers(self) -> int | None:
        """How many edges, one behind the other, lead from a node to those that matter to it; None: unknown.

        With it a system too large for one graph is predicted tile by tile. Of descriptors that the graph
        brings, the edges that these were made from do not count.
        """
        return None

    def node_states(self, graph: Data) -> dict[str, Tensor] | None:
        """Return features of nodes `[nodes, channels]` by depth, for `zoo.models.hidden.node_features`.

        None: they are found by what the layers of the outermost `nn.ModuleList` are given.
        """
        return None

    @abstractmethod
    def forward(self, graph: Data) -> Tensor:
        """Return energies `[graphs]` or targets `[nodes, targets]`."""


def _add_prior(model: nn.Module, arguments: tuple[Data], energies: Tensor) -> Tensor:
    assert isinstance(model, ZooModel)
    x = frames_of(arguments[0], keys.POS, model.info.num_particles)
    return energies + model.prior_energy(x).to(energies)


class FittedModel(ZooModel):
    """Base of models that are fitted in closed form: no parameters, what was found is in buffers.

    Buffers have their final shapes from the start, so that saved weights can be loaded.
    """

    @abstractmethod
    def fit(self, graphs: Iterable[Graph]) -> None:
        """Fit to the batches of the training split, in float64. Raises `DataError` if it cannot."""


def cutoff_of(cutoff: float | None, info: DataInfo) -> float:
    """Return the cutoff of a config, or the usual one of the unit system."""
    return DEFAULT_CUTOFF[info.units] if cutoff is None else cutoff


def require_interface(info: DataInfo, interface: str, name: str) -> None:
    """Raise `ConfigError` unless the task wants the interface that model `name` has."""
    if info.interface != interface:
        what = {
            "potential": "energies (task forces)",
            "node": "targets of particles (propensity)",
            "density": "densities of conformations (density)",
            "autoencoder": "reconstructions of conformations (reconstruction)",
        }
        raise ConfigError(f"{name} predicts {what[interface]}, this task wants {what[info.interface]}")


def require_key(graph: Data, key: str, model: str) -> Tensor:
    """Return `graph[key]`. Raises `DataError` that says what to do where it is absent."""
    value = graph.get(key)
    if value is None:
        hint = "; use zoo.data.make_loader or Dataset.graph" if key == keys.EDGE_INDEX else ""
        raise DataError(f"{model} needs {key!r} in its graphs{hint}")
    return value


def frames_of(graph: Data, key: str, particles: int) -> Tensor:
    """Return `graph[key] [nodes, 3]` as `[graphs, particles, 3]`.

    Raises:
        DataError: the graphs do not have that many nodes each.
    """
    value, graphs = graph[key], num_graphs(graph)
    if len(value) != graphs * particles:
        raise DataError(f"the model was built for {particles} atoms, got {len(value)} in {graphs} graphs")
    return value.view(graphs, particles, 3)


class TypeIndex(nn.Module):
    """Maps `z [nodes]` to the position of each type in `info.types`, `[nodes]` int64."""

    table: Tensor  # [largest type + 2]

    def __init__(self, types: list[int]) -> None:
        super().__init__()
        self.types = types
        table = torch.full((max(types) + 2,), -1)
        table[types] = torch.arange(len(types))
        self.register_buffer("table", table, persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        """Raises `DataError` on a type that the training data did not have."""
        index = self.table[z.clamp(max=len(self.table) - 1)]
        if bool((index < 0).any()):
            strange = sorted(set(z[index < 0].tolist()))
            raise DataError(f"the model was built for types {self.types}, the graph has {strange}")
        return index
