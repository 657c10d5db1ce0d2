"""What a model needs to know of its training data, small enough to be kept beside its weights."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict

from zoo import keys
from zoo.data.dataset import Dataset, Frames
from zoo.data.prior import PriorTerms
from zoo.errors import DataError

#: What a task asks of a model: energies of graphs, targets of nodes, a density of conformations, or a way to
#: fewer numbers and back.
Interface: TypeAlias = Literal["potential", "node", "density", "autoencoder"]


class PairParameters(BaseModel):
    """A Lennard-Jones mixture's parameters; see `zoo.physics.energy.LennardJonesMixture`.

    Args:
        epsilon, sigma: `[types][types]`, in the order of `DataInfo.types`.
        cutoff: in units of each pair's σ.
        tail: c0, c2, c4; None: the constant that makes the energy vanish at the cutoff.
    """

    model_config = ConfigDict(extra="forbid")
    epsilon: list[list[float]]
    sigma: list[list[float]]
    cutoff: float
    tail: tuple[float, float, float] | None = None


class DataInfo(BaseModel):
    """Facts of a training split that a model is built from; written into its card.

    Units are those of `units` ("ase" or "lj").

    Args:
        interface: "potential" (`forward(graph) -> energy [graphs]`), "node"
            (`forward(graph) -> [nodes, targets]`), "density" (`zoo.models.density`) or "autoencoder"
            (`zoo.models.autoencoder`).
        types: values of `z` that occur, ascending.
        bonds: `[bonds][2]` of the one molecule, empty for particle systems.
        num_particles: of one frame of the training data.
        energy_per_particle: mean potential energy of a frame over its number of particles.
        force_rms: root mean square of the force components, of what a prior leaves of them.
        prior: of a potential, which every model adds to its own energies; the energies and forces above are
            then what is left to learn.
        potential: ε and σ `[types][types]`, cutoff in σ and tail of the particles' pair potential, of a node
            predictor, where the dataset names it.
        target_names: of the per-particle targets.
        target_mean, target_std: `[types][targets]`, per type, in the order of `types`.
        pair_mean, pair_std: `[targets]` of the changes of pairs' distances, where the dataset has them.
        particle_types: `[particles]`, of a density or an autoencoder, which is one of this system alone.
        reference: `[particles][2 or 3]` of the same: first frame, which says left from right.
        kT: of the same, and of a potential's prior, in the unit of energy.
        masses: `[particles]` of an autoencoder.
        type_names: of each type, of an autoencoder.
        atom_names, residue_names, residues: `[particles]` of an autoencoder, or empty.
    """

    model_config = ConfigDict(extra="forbid")
    interface: Interface
    units: Literal["ase", "lj"]
    types: list[int]
    bonds: list[tuple[int, int]] = []
    num_particles: int
    energy_per_particle: float = 0.0
    force_rms: float = 1.0
    prior: PriorTerms | None = None
    potential: PairParameters | None = None
    target_names: list[str] = []
    target_mean: list[list[float]] = []
    target_std: list[list[float]] = []
    pair_mean: list[float] = []
    pair_std: list[float] = []
    particle_types: list[int] = []
    reference: list[list[float]] = []
    kT: float | None = None
    masses: list[float] = []
    type_names: dict[int, str] = {}
    atom_names: list[str] = []
    residue_names: list[str] = []
    residues: list[int] = []


def require_array(dataset: Dataset, interface: Interface) -> None:
    """Raise `DataError` unless the dataset has what the interface learns from."""
    if interface in ("density", "autoencoder"):
        if dataset.system.periodic:
            what = "densities" if interface == "density" else "autoencoders"
            raise DataError(f"{dataset.name} is periodic; {what} are of molecules and clusters in free space")
        return
    name = keys.FORCES if interface == "potential" else keys.TARGETS
    if name not in dataset.arrays:
        has = ", ".join(sorted(dataset.arrays))
        raise DataError(f"{dataset.name} has no {name}, which this task learns from; it has {has}")


def data_info(frames: Frames, interface: Interface, *, labels: bool = True) -> DataInfo:
    """Gather `DataInfo` from a training split.

    Args:
        frames: of the split.
        interface: of the task.
        labels: a potential learns from stored forces, and from energies where there are any.

    Raises:
        DataError: the dataset lacks what the interface needs: energies and forces, or targets.
    """
    dataset = frames.dataset
    system = dataset.system
    types = sorted(set(system.types.tolist()))
    info = DataInfo(
        interface=interface,
        units=dataset.manifest.units,
        types=types,
        bonds=[(int(i), int(j)) for i, j in system.bonds],
        num_particles=system.num_particles,
    )
    if labels:
        require_array(dataset, interface)
    if interface in ("density", "autoencoder"):
        info.particle_types = [int(t) for t in system.types]
        info.reference = _reference(frames).tolist()
        info.kT = None if dataset.temperature is None else dataset.units.boltzmann * dataset.temperature
        if interface == "autoencoder":
            info.masses = [float(m) for m in system.masses]
            info.type_names = {t: system.type_names[t] for t in types}
            info.atom_names, info.residue_names = list(system.atom_names), list(system.residue_names)
            info.residues = [int(r) for r in system.residues]
        return info
    if interface == "potential":
        if not labels:
            return info
        forces = frames.array(keys.FORCES).astype(np.float64)
        info.force_rms = float(np.sqrt(np.mean(forces**2))) or 1.0
        if keys.ENERGIES in dataset.arrays:
            info.energy_per_particle = float(np.mean(frames.array(keys.ENERGIES)) / system.num_particles)
        return info
    info.potential = pair_parameters(dataset, types)
    targets = frames.array(keys.TARGETS).astype(np.float64)
    info.target_names = dataset.target_names
    for kind in types:
        values = targets[:, system.types == kind].reshape(-1, targets.shape[-1])
        info.target_mean.append(values.mean(0).tolist())
        info.target_std.append(np.maximum(values.std(0), 1e-12).tolist())
    if keys.PAIR_CHANGES in dataset.arrays:
        info.pair_mean, info.pair_std = _pair_moments(frames)
    return info


def _pair_moments(frames: Frames) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of the changes of pairs, `[targets]`, frame by frame: they are large."""
    count, total, squares = 0, 0.0, 0.0
    for frame in frames.index.tolist():
        known = frames.dataset.arrays[keys.PAIRS][frame][:, 0] >= 0
        values = np.asarray(frames.dataset.arrays[keys.PAIR_CHANGES][frame], np.float64)[known]
        count, total, squares = count + len(values), total + values.sum(0), squares + (values**2).sum(0)
    mean = np.asarray(total) / max(count, 1)
    std = np.sqrt(np.maximum(np.asarray(squares) / max(count, 1) - mean**2, 1e-24))
    return mean.tolist(), std.tolist()


def pair_parameters(dataset: Dataset, types: list[int]) -> PairParameters | None:
    """Return the pair potential of a mixture's `types`, None where the dataset names none."""
    known = dataset.system.parameters
    if not {"epsilon", "sigma", "cutoff"} <= known.keys() or max(types) >= len(known["epsilon"]):
        return None
    epsilon, sigma = ([[known[name][a][b] for b in types] for a in types] for name in ("epsilon", "sigma"))
    return PairParameters(epsilon=epsilon, sigma=sigma, cutoff=known["cutoff"], tail=known.get("tail"))


def _reference(frames: Frames) -> np.ndarray:
    """First frame about its centre `[particles, 2 or 3]`: two columns where all is in a plane."""
    first = np.asarray(frames.dataset.arrays[keys.POSITIONS][int(frames.index[0])], np.float64)
    first = first - first.mean(0)
    return first[:, :2] if not first[:, 2].any() else first
