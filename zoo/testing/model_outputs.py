"""Checks of what a model returns: shapes, batches, odd graphs, and that it leaves its input alone."""

from __future__ import annotations

import copy

import pytest
import torch

from zoo import keys
from zoo.data.graph import Graph
from zoo.testing.subject import LOG_DENSITY, RECONSTRUCTION, Subject, batch_of
from zoo.testing.systems import System, cluster
from zoo.testing.tolerance import TOLERANCES, assert_close


class OutputChecks:
    """What comes out does not depend on how the graphs are handed over."""

    def test_shapes(self, subject: Subject, dtype: torch.dtype) -> None:
        """Energies or log-densities `[graphs]`, forces and positions `[nodes, 3]`, targets; finite."""
        model = subject.build(dtype)
        assert model.config is not None and model.info == subject.info, "the model keeps config and info"
        assert 0 <= model.cutoff < float("inf"), f"cutoff {model.cutoff}"
        for group in subject.system_groups():
            batch = batch_of([system.graph(model.cutoff, dtype) for system in group])
            nodes = batch[keys.POS].shape[0]
            shapes = {
                keys.ENERGY: [len(group)],
                keys.FORCES: [nodes, 3],
                keys.TARGETS: [nodes, len(subject.info.target_names)],
                LOG_DENSITY: [len(group)],
                RECONSTRUCTION: [nodes, 3],
            }
            for key, value in subject.outputs(model, batch).items():
                assert list(value.shape) == shapes[key], f"{key}: {list(value.shape)}, not {shapes[key]}"
                assert value.dtype == dtype, f"{key} is {value.dtype}, the positions are {dtype}"
                assert torch.isfinite(value).all(), f"{key} holds NaN or infinity"

    def test_batch_equals_single(self, subject: Subject, dtype: torch.dtype) -> None:
        """A graph's outputs are the same on its own and among others."""
        model = subject.build(dtype)
        for group in subject.system_groups():
            graphs = [system.graph(model.cutoff, dtype) for system in group]
            together = subject.outputs(model, batch_of(graphs))
            alone = [subject.outputs(model, graph) for graph in graphs]
            for key, value in together.items():
                single = torch.cat([out[key] for out in alone])
                slack = getattr(model, "accuracy", 0.0)
                assert_close(value, single, _tolerance(key, dtype), f"{key} in a batch and alone", slack)

    def test_input_is_not_changed(self, subject: Subject) -> None:
        """The graph that goes in has the same keys and numbers afterwards."""
        model = subject.build()
        for group in subject.system_groups():
            batch = batch_of([system.graph(model.cutoff) for system in group])
            before = copy.deepcopy(batch)
            model(batch)
            assert sorted(batch.keys()) == sorted(before.keys()), "the model adds or removes keys"
            for key in before.keys():
                if isinstance(before[key], torch.Tensor):
                    assert torch.equal(batch[key], before[key]), f"the model changes {key!r} in place"
                    assert not batch[key].requires_grad, f"the model leaves a gradient on {key!r}"

    def test_same_twice(self, subject: Subject) -> None:
        """In evaluation mode the same graph gives the same numbers, whatever the random state."""
        model = subject.build()
        for system in subject.systems():
            torch.manual_seed(1)
            first = subject.outputs_of(model, system)
            torch.manual_seed(2)
            for key, value in subject.outputs_of(model, system).items():
                assert torch.equal(value, first[key]), f"{key} changes from call to call in eval mode"

    def test_without_pair_numbers(self, subject: Subject) -> None:
        """Graphs made elsewhere have no pair numbers: the outputs are the same."""
        model = subject.build()
        for system in subject.systems():
            graph = system.graph(model.cutoff)
            bare = graph.clone()
            del bare[keys.EDGE_PAIR], bare[keys.PAIR_EDGE]
            expected = subject.outputs(model, graph)
            for key, value in subject.outputs(model, bare).items():
                assert_close(value, expected[key], _tolerance(key), f"{key} without edge_pair")

    def test_edges_beyond_the_cutoff(self, subject: Subject) -> None:
        """A batch may hold longer edges than the cutoff (all pairs of a molecule): no effect."""
        model = subject.build()
        if not model.cutoff:
            pytest.skip("the model looks at no edges")
        # Half the model's cutoff is too short for most clusters to have edges beyond it, so that
        # they are stretched until their nearest neighbours are a third of the cutoff apart.
        for system in subject.systems():
            wide = _stretched(system, model.cutoff / 3)
            expected = subject.outputs_of(model, wide)
            actual = subject.outputs(model, wide.graph(1.6 * model.cutoff))
            for key, value in actual.items():
                assert_close(value, expected[key], _tolerance(key), f"{key} with edges beyond the cutoff")

    def test_lonely_particles(self, subject: Subject) -> None:
        """A single particle, and particles out of each other's reach, have finite outputs."""
        if not subject.any_system:
            pytest.skip("made for one molecule")
        model = subject.build()
        two = cluster(subject.interface, 2)
        one = System(two.pos[:1], two.z[:1])
        apart = two.moved(torch.tensor([[0.0, 0.0, 0.0], [3 * model.cutoff + 10, 0.0, 0.0]]))
        graphs: list[Graph] = [s.graph(model.cutoff) for s in (one, apart, cluster(subject.interface))]
        alone = [subject.outputs(model, graph) for graph in graphs]
        together = subject.outputs(model, batch_of(graphs))
        for key, value in together.items():
            assert torch.isfinite(value).all(), f"{key} of a particle without neighbours is not finite"
            single = torch.cat([out[key] for out in alone])
            assert_close(value, single, _tolerance(key), f"{key} of lonely particles in a batch")


def _tolerance(key: str, dtype: torch.dtype = torch.float64) -> float:
    row = TOLERANCES[dtype]
    return row.gradient if key == keys.FORCES else row.value


def _stretched(system: System, nearest: float) -> System:
    factor = nearest / float(torch.pdist(system.pos).min())
    return System(system.pos * factor, system.z, None if system.cell is None else system.cell * factor)
