"""Which prior a dataset gets, and what it leaves to learn."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import get_args

from zoo import keys
from zoo.coarse.beads import MAP
from zoo.coarse.priors import fit_prior
from zoo.data.dataset import Dataset, Frames
from zoo.data.graph import Graph
from zoo.data.prior import PriorTerm, PriorTerms
from zoo.errors import ConfigError
from zoo.models.base import frames_of
from zoo.models.prior import Prior
from zoo.physics.samplers.state import energy_and_forces


def are_beads(dataset: Dataset) -> bool:
    """Whether the particles stand for groups of atoms: those of a map, or a molecule's that are no atoms."""
    system = dataset.system
    mapped = MAP in system.parameters
    return mapped or (dataset.manifest.units == "ase" and len(system.bonds) > 0 and not system.elements.any())


def boltzmann(dataset: Dataset, purpose: str) -> float:
    """Return kT of a dataset. Raises `ConfigError` where it has no temperature."""
    if dataset.temperature is None:
        raise ConfigError(f"{purpose} needs a temperature, and {dataset.name} has none in its manifest")
    return dataset.units.boltzmann * dataset.temperature


def make_prior(frames: Frames, terms: list[PriorTerm] | None) -> PriorTerms | None:
    """Fit the prior that the settings ask for to a training split.

    Args:
        frames: of the split.
        terms: None: all for beads of known temperature in open space, none for atoms.

    Raises:
        ConfigError: terms are asked for where space is periodic, or without a temperature.
    """
    dataset = frames.dataset
    if terms is None:
        suits = are_beads(dataset) and not dataset.system.periodic and dataset.temperature is not None
        terms = list(get_args(PriorTerm)) if suits else []
    if not terms:
        return None
    if dataset.system.periodic:
        raise ConfigError(
            f"{dataset.name} is periodic; a prior is of one molecule in open space: task.prior=[]"
        )
    kT = boltzmann(dataset, "a prior")
    system = dataset.system
    return fit_prior(frames.array(keys.POSITIONS), system.types, system.bonds, kT, terms)


def without_prior(graphs: Iterable[Graph], prior: Prior, particles: int) -> Iterator[Graph]:
    """Take a prior's energies and forces from the labels of batches: what is left to learn."""
    for graph in graphs:
        energies, forces = energy_and_forces(prior, frames_of(graph, keys.POS, particles).double())
        left = copy.copy(graph)
        if keys.FORCES in graph:
            left[keys.FORCES] = graph[keys.FORCES] - forces.flatten(0, 1)
        if keys.ENERGY in graph:
            left[keys.ENERGY] = graph[keys.ENERGY] - energies
        yield left
