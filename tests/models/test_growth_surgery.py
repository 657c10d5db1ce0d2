"""Wider layers: the function stays, the optimiser goes on, saved weights fit again."""

from __future__ import annotations

import copy

import pytest
import torch
from synthetic import chain

import zoo
from zoo.data.dataset import Dataset
from zoo.errors import ConfigError, RunError
from zoo.files import write_json
from zoo.models.growth import follow, grow_to, maps_of, neuron_cost, padded, widen
from zoo.tasks.callbacks import AveragedWeights
from zoo.weights import load_weights, save_weights

PLACES = ("head.lin1 > head.lin2", "interactions.0.after > interactions.0.out", "interactions.1.filter.0 > "
          "interactions.1.filter.2")  # fmt: skip
SMALL = {"hidden_channels": 6, "num_filters": 5, "num_interactions": 2, "num_gaussians": 7}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return Dataset(chain(tmp_path_factory.mktemp("data") / "chain"))


@pytest.fixture
def model(data):
    torch.manual_seed(3)
    return zoo.create_model("schnet", dataset=data, **SMALL).double()


@pytest.fixture
def graph(data):
    graph = data.graph(0, 5.0)
    graph.pos = graph.pos.double()
    return graph


def new_neurons(model, place, count=3, size=1.0):
    first, second = maps_of(model, place)
    draw = torch.Generator().manual_seed(1)
    shapes = ((count, first.in_features), (second.out_features, count))
    incoming, outgoing = (torch.randn(s, generator=draw, dtype=first.weight.dtype) for s in shapes)
    return incoming, size * outgoing


@pytest.mark.parametrize("place", PLACES)
def test_neurons_without_outgoing_weights_change_nothing(model, graph, place):
    """Sums of the same terms in another order: equal to rounding, and bit by bit where zeros are added."""
    before, size = model(graph), sum(p.numel() for p in model.parameters())
    cost = neuron_cost(model, place)
    widen(model, place, *new_neurons(model, place, size=0.0))
    assert torch.allclose(model(graph), before, rtol=1e-13, atol=0)
    assert sum(p.numel() for p in model.parameters()) == size + 3 * cost
    assert model.growth == {place: 3}


def test_a_neuron_adds_its_own_output(model):
    """second(σ(first x)) gains outgoing · σ(incoming · x), by hand."""
    first, second = maps_of(model, PLACES[0])
    act = model.head.act
    x = torch.randn(9, first.in_features, dtype=torch.float64)
    before = second(act(first(x)))
    incoming, outgoing = new_neurons(model, PLACES[0])
    widen(model, PLACES[0], incoming, outgoing)
    expected = before + act(x @ incoming.T) @ outgoing.T
    assert torch.allclose(second(act(first(x))), expected, rtol=1e-12, atol=1e-12)


def test_a_grown_model_is_saved_and_loaded(model, graph, tmp_path):
    for place in (*PLACES, PLACES[0]):
        widen(model, place, *new_neurons(model, place, 2))
    save_weights(model, tmp_path, "schnet")
    again = load_weights(tmp_path)
    assert again.growth == model.growth == {PLACES[0]: 4, PLACES[1]: 2, PLACES[2]: 2}
    assert torch.equal(again(graph), model.eval()(graph))


def test_a_card_with_another_growth_is_refused(model, tmp_path):
    widen(model, PLACES[0], *new_neurons(model, PLACES[0]))
    save_weights(model, tmp_path, "schnet")
    import json

    card = json.loads((tmp_path / "card.json").read_text())
    for growth in ({}, {PLACES[0]: 2}, {"head.lin1 > head.lin9": 3}, {"head > head.lin2": 3}):
        write_json(tmp_path / "card.json", card | {"growth": growth})
        with pytest.raises(RunError, match="do not fit"):
            load_weights(tmp_path)


def test_old_weights_are_padded_to_the_same_function(model, graph):
    before, state = model(graph), copy.deepcopy(model.state_dict())
    for place in PLACES:
        widen(model, place, *new_neurons(model, place))
    assert not torch.allclose(model(graph), before)
    model.load_state_dict(padded(state, model))
    assert torch.allclose(model(graph), before, rtol=1e-13, atol=0)


def test_adam_goes_on(model, graph):
    """Old entries step as they would have without the new ones; new ones at the pace of their neighbours."""
    place = PLACES[0]
    plain = copy.deepcopy(model)
    optimizers = {}
    for network in (model, plain):
        optimizers[network] = torch.optim.Adam(network.parameters(), lr=1e-3)
        for _ in range(5):
            _step(network, optimizers[network], graph)
    widened = copy.deepcopy(model.head.lin1.weight)
    swaps = widen(model, place, *new_neurons(model, place, size=0.0))
    follow(optimizers[model], swaps)
    start = {name: p.detach().clone() for name, p in model.named_parameters()}
    for network in (model, plain):
        _step(network, optimizers[network], graph)
    n = widened.shape[0]
    assert torch.allclose(model.head.lin1.weight[:n], plain.head.lin1.weight, rtol=1e-10)
    assert torch.allclose(model.interactions[0].out.weight, plain.interactions[0].out.weight, rtol=1e-10)
    moved = (model.head.lin2.weight - start["head.lin2.weight"])[:, n:].abs()
    assert 0 < moved.min() and moved.max() < 3e-3  # 3.16 lr and more with second moments of 0


def test_averages_begin_with_the_new_value(model, graph):
    class Module:
        pass

    module, trainer = Module(), Module()
    module.model, trainer.global_step = model, 10
    averaged = AveragedWeights(0.9)
    averaged.on_train_batch_end(trainer, module)
    with torch.no_grad():
        model.head.lin1.weight += 1.0
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    old = {name: v.clone() for name, v in averaged.average.items()}
    incoming, outgoing = new_neurons(model, PLACES[0])
    widen(model, PLACES[0], incoming, outgoing)
    with torch.no_grad():
        model.head.lin2.weight[:, :3] += 0.25  # as a correction does
    averaged.follow(before, model)
    new = averaged.average
    assert torch.equal(new["head.lin1.weight"], torch.cat([old["head.lin1.weight"], incoming]))
    expected = torch.cat([old["head.lin2.weight"] + 0.25, outgoing], 1)
    assert torch.allclose(new["head.lin2.weight"], expected, atol=1e-15)
    assert torch.equal(new["embedding.weight"], old["embedding.weight"])
    averaged.on_validation_start(trainer, module)  # the sizes fit


def test_what_is_no_place_is_refused(model):
    weights = new_neurons(model, PLACES[0])
    for place in ("head.lin1", "head.lin1 > nowhere", "head > head.lin2", "head.lin2 > head.lin1"):
        with pytest.raises(ConfigError, match="place|plain linear|do not meet"):
            widen(model, place, *weights)
    with pytest.raises(ConfigError, match="do not fit"):
        widen(model, PLACES[0], weights[0][:, 1:], *weights[1:])


def test_growth_is_repeated_on_a_new_model(model, data):
    widen(model, PLACES[1], *new_neurons(model, PLACES[1]))
    fresh = zoo.create_model("schnet", dataset=data, **SMALL)
    grow_to(fresh, model.growth)
    shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (model, fresh)]
    assert shapes[0] == shapes[1]


def _step(network, optimizer, graph):
    optimizer.zero_grad()
    network(graph).square().sum().backward()
    optimizer.step()
