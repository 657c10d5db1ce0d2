"""MEGNet passes the zoo's suite, with either readout, and is what the paper describes."""

from __future__ import annotations

import pytest
import torch
from molzoo_megnet.megnet.blocks import Join, Topology

from zoo.errors import ConfigError
from zoo.graphs import Segments
from zoo.testing import ModelSuite
from zoo.testing.subject import Subject

SMALL = {"channels": 12, "hidden_channels": 16, "num_blocks": 2}


class TestMEGNet(ModelSuite):
    name = "molzoo-megnet:megnet"
    options = SMALL


def test_set2set_is_invariant_and_conservative(tmp_path) -> None:
    """The checks of the suite that the readout could break."""
    subject = Subject("molzoo-megnet:megnet", "forces", {**SMALL, "readout": "set2set"})
    suite = TestMEGNet()
    suite.test_batch_equals_single(subject, torch.float64)
    suite.test_permutation(subject, torch.float64)
    suite.test_forces_are_the_gradient(subject)
    suite.test_gradient_of_training(subject)
    suite.test_gradient_reaches_each_parameter(subject)
    suite.test_continuous_at_the_cutoff(subject)
    suite.test_save_and_load(subject, tmp_path)


def test_set2set_predicts_no_targets_of_particles() -> None:
    with pytest.raises(ConfigError, match="sum"):
        Subject("molzoo-megnet:megnet", "propensity", {"readout": "set2set"}).build()


def test_join_is_a_linear_layer_on_features_side_by_side() -> None:
    join, x, u = Join(2, 3, 5), torch.randn(4, 3), torch.randn(2, 3)
    owner = Segments.sorted(torch.tensor([0, 0, 1, 1]), 2)
    whole = torch.cat([x, u[owner.index]], dim=1)
    weight = torch.cat(list(join.parts))
    # two orders of adding six numbers of order one in single precision
    torch.testing.assert_close(join((x, None), (u, owner)), whole @ weight + join.bias, atol=1e-6, rtol=0)


def test_topology_leaves_out_what_is_beyond_the_cutoff() -> None:
    subject = Subject("molzoo-megnet:megnet", "forces", SMALL)
    model = subject.build()
    system = subject.open_systems()[2]
    every, near = (Topology.of(system.graph(c), model.envelope) for c in (100.0, model.cutoff))
    assert len(every.length) == len(near.length) > 0
    assert bool((every.length < model.cutoff).all())
