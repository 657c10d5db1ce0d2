"""The model under test: built from its entry, ready to be fed with made-up systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from zoo import keys
from zoo.config import validated
from zoo.data.graph import Graph
from zoo.data.info import DataInfo, Interface
from zoo.models.autoencoder import AutoencoderModel
from zoo.models.base import FittedModel, ZooModel
from zoo.models.density import DensityModel
from zoo.physics.forces import energy_and_forces
from zoo.registry import REGISTRY
from zoo.registry.spec import ModelSpec
from zoo.testing.autoencoder_cases import molecule_frames, molecule_info, molecule_systems
from zoo.testing.density_cases import chain_info, system_of
from zoo.testing.systems import System, cluster, info, jittered, labelled, liquid

#: Interfaces that the suite knows how to test.
INTERFACES = ("potential", "node", "density", "autoencoder")
#: Keys under which the outputs of a density and of an autoencoder are compared.
LOG_DENSITY, RECONSTRUCTION = "log_density", "reconstruction"
#: Frames of the molecule that an autoencoder is prepared or fitted by.
FRAMES = 48


class Subject:
    """A model for one task.

    Args:
        name: of the model in the registry.
        task: one of the model's tasks.
        options: of the model.
        info: what it is built for; by default a made-up system of the task's interface.
    """

    def __init__(
        self,
        name: str,
        task: str,
        options: Mapping[str, Any] | None = None,
        info: DataInfo | None = None,
    ) -> None:
        self.name, self.task, self.options = name, task, dict(options or {})
        self.spec = cast(ModelSpec, REGISTRY.get("models", name))
        self.interface = REGISTRY.load_target(REGISTRY.get("tasks", task)).interface
        self.info = info or made_up_info(self.interface)

    def promises(self, symmetry: str) -> bool:
        """Whether the spec promises a symmetry."""
        return symmetry in self.spec.symmetries

    @property
    def any_system(self) -> bool:
        """Whether it takes any particles. A model without permutations knows its molecule by heart.

        A density and an autoencoder are always of one system.
        """
        return self.promises("permutation") and self.interface not in ("density", "autoencoder")

    def build(self, dtype: torch.dtype = torch.float64, **options: Any) -> ZooModel:
        """Return the model in evaluation mode, away from its initial state: fitted, or perturbed.

        A head that starts at zero would hide everything before it. A fitted model keeps the precision
        of its fit, whatever that of the graphs.
        """
        torch.manual_seed(0)
        config = validated(REGISTRY.load_config(self.spec), {**self.options, **options}, "model")
        model = REGISTRY.load_target(self.spec)(config, self.info)
        if self.spec.fitted:
            cast(FittedModel, model).fit(self.training_batches(model.cutoff))
            return model.eval()
        if isinstance(model, DensityModel):
            model.prepare(None, self.training_positions())
        if isinstance(model, AutoencoderModel):
            model.prepare(*molecule_frames(FRAMES))
        perturb(model)
        return model.to(dtype).eval()

    # --- what to feed it with -------------------------------------------------------------------

    def open_systems(self) -> list[System]:
        """Three clusters, of different sizes where the model takes any."""
        if self.interface == "autoencoder":
            return molecule_systems(3)
        if not self.any_system:
            return jittered(self.reference, 3)
        return [cluster(self.interface, n) for n in (9, 5, 12)]

    def periodic_systems(self) -> list[System]:
        """Two liquids; none where periodic systems are not promised."""
        if not (self.promises("periodic") and self.any_system):
            return []
        return [liquid(self.interface, n) for n in (16, 11)]

    @property
    def reference(self) -> System:
        """The system whose particles the training frames have."""
        return system_of(self.info) if self.interface == "density" else cluster(self.interface)

    def training_positions(self) -> Tensor:
        """Float64 frames `[48, particles, 3]` of the reference, moved a little."""
        return torch.stack([system.pos for system in jittered(self.reference, 48)])

    def system_groups(self) -> list[list[System]]:
        """Open and periodic systems apart, as a batch holds one sort only."""
        return [group for group in (self.open_systems(), self.periodic_systems()) if group]

    def systems(self) -> list[System]:
        """All of them."""
        return [system for group in self.system_groups() for system in group]

    def training_batches(self, cutoff: float) -> list[Batch]:
        """Float32 batches with labels, of one system that moves."""
        if self.interface == "autoencoder":
            return [batch_of([_with_forces(n) for n in half]) for half in (range(24), range(24, FRAMES))]
        reference = self.reference
        frames = [labelled(system, reference, cutoff, self.interface) for system in jittered(reference, 24)]
        for number, graph in enumerate(frames):
            graph.frame = torch.tensor([number])
        return [batch_of(frames[:12]), batch_of(frames[12:])]

    # --- what comes out -------------------------------------------------------------------------

    def outputs(self, model: ZooModel, graph: Data, *, create_graph: bool = False) -> dict[str, Tensor]:
        """Return energies and forces, or targets, by the key that the task learns them from."""
        if self.interface == "potential":
            energy, forces = energy_and_forces(model, graph, create_graph=create_graph)
            return {keys.ENERGY: energy, keys.FORCES: forces}
        if self.interface == "density":
            return {LOG_DENSITY: model(graph)}
        if self.interface == "autoencoder":
            return {RECONSTRUCTION: model(graph).detach()}
        with torch.set_grad_enabled(create_graph):
            return {keys.TARGETS: model(graph)}

    def outputs_of(
        self, model: ZooModel, system: System, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        """Return the outputs for one system, with the model's own cutoff."""
        return self.outputs(model, system.graph(model.cutoff, dtype))


def made_up_info(interface: Interface) -> DataInfo:
    """Facts of training data that a model of an interface is built from."""
    if interface == "autoencoder":
        return molecule_info()
    return chain_info() if interface == "density" else info(interface)


def _with_forces(number: int) -> Graph:
    graph = molecule_systems(FRAMES)[number].graph(0.0, torch.float32)
    graph[keys.FORCES] = molecule_frames(FRAMES)[1][number].float()
    graph[keys.FRAME] = torch.tensor([number])
    return graph


def batch_of(graphs: Sequence[Graph]) -> Batch:
    """Put graphs behind each other, as a loader does."""
    return Batch.from_data_list(list(graphs))


def perturb(model: torch.nn.Module) -> None:
    """Move every parameter by a tenth of its size, or 0.05: nothing is exactly zero afterwards."""
    with torch.no_grad():
        for parameter in model.parameters():
            size = 0.1 * float(parameter.float().square().mean().sqrt()) if parameter.numel() else 0.0
            parameter.add_(max(size, 0.05) * torch.randn_like(parameter))
