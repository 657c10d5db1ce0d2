"""Features turn as their irreps say, and a mirror image has another energy unless asked for."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from e3nn import o3
from torch import Tensor

from zoo.data.info import DataInfo
from zoo.models.schnet.config import SchNetConfig
from zoo.models.schnet.model import SchNet
from zoo.models.tensor_network.config import TensorNetworkConfig
from zoo.models.tensor_network.model import TensorNetwork
from zoo.physics.forces import energy_and_forces
from zoo.testing.subject import batch_of
from zoo.testing.systems import System
from zoo.weights import save_weights

MIRROR = torch.diag(torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64))
INFO = DataInfo(interface="potential", units="ase", types=[1, 6, 7, 8], num_particles=4)
#: A chain whose dihedral angle is 90°, and the same one laid flat.
CHAIN = System(
    torch.tensor([[1.0, 0, 0], [0, 0, 0], [0, 1.3, 0], [0, 1.3, 1.1]], dtype=torch.float64),
    torch.tensor([1, 6, 7, 8]),
)
FLAT = replace(CHAIN, pos=torch.tensor([[1.0, 0, 0], [0, 0, 0], [0, 1.3, 0], [1.1, 1.3, 0]]).double())


def model(mirror: bool, l_max: int = 1, layers: int = 2, seed: int = 0) -> TensorNetwork:
    torch.manual_seed(seed)
    config = TensorNetworkConfig(channels=4, l_max=l_max, num_layers=layers, mirror=mirror)
    return TensorNetwork(config, INFO).double()


def energy(network: TensorNetwork, system: System) -> Tensor:
    return network(system.graph(network.cutoff)).detach()


def mirrored(system: System) -> System:
    return system.rotated(MIRROR)


@pytest.mark.parametrize("l_max", [1, 2])
def test_tells_left_from_right(l_max: int) -> None:
    for seed in range(3):
        network = model(mirror=False, l_max=l_max, seed=seed)
        left, right, flat = (energy(network, s) for s in (CHAIN, mirrored(CHAIN), FLAT))
        # beside what the dihedral angle changes at all, of which round-off is 1e-7 at most
        assert abs(left - right) > 1e-5 * abs(left - flat)


@pytest.mark.parametrize("l_max", [1, 2])
def test_a_flat_molecule_is_its_own_mirror_image(l_max: int) -> None:
    """The two are related by a rotation, so nothing may tell them apart."""
    network = model(mirror=False, l_max=l_max)
    # e3nn's coefficients of l = 2 were rounded to single precision
    assert abs(energy(network, FLAT) - energy(network, mirrored(FLAT))) < (1e-12 if l_max == 1 else 1e-6)


@pytest.mark.parametrize("l_max", [1, 2])
def test_mirror_keeps_energies_and_mirrors_forces(l_max: int) -> None:
    network = model(mirror=True, l_max=l_max, layers=3)  # the third layer has pseudoscalars too
    u, f = energy_and_forces(network, CHAIN.graph(network.cutoff))
    v, g = energy_and_forces(network, mirrored(CHAIN).graph(network.cutoff))
    tolerance = 1e-12 if l_max == 1 else 1e-6
    assert abs(u - v) < tolerance
    assert (f @ MIRROR - g).abs().max() < tolerance


@pytest.mark.parametrize(("mirror", "l_max"), [(False, 1), (False, 2), (True, 1), (True, 2)])
def test_features_turn_as_their_irreps(mirror: bool, l_max: int) -> None:
    network = model(mirror, l_max, layers=3)
    torch.manual_seed(1)
    turn = o3.rand_matrix(dtype=torch.float64)
    if mirror:  # improper rotations as well
        turn = turn @ MIRROR
    h = network.features(CHAIN.graph(network.cutoff))
    turned = network.features(CHAIN.rotated(turn).graph(network.cutoff))
    expected = h @ network.irreps.D_from_matrix(turn).T
    # e3nn's D matrices are of single precision
    assert (turned - expected).abs().max() < 1e-5 * h.abs().max()
    assert (turned - h).abs().max() > 1e-2 * h.abs().max(), "vectors do turn"


def test_kinds_that_features_have() -> None:
    assert {str(ir) for _, ir in model(mirror=False).irreps} == {"0e", "1e"}
    # 1o ⊗ 1o → 1e needs two layers, 1e ⊗ 1o → 0o three
    assert {str(ir) for _, ir in model(mirror=True).irreps} == {"0e", "1o", "1e"}
    assert {str(ir) for _, ir in model(mirror=True, layers=3).irreps} == {"0e", "0o", "1o", "1e"}


def test_learns_a_handed_energy() -> None:
    """U = a · (b × c) about the second atom, ± by hand: learnt without mirror, never with it."""
    noise = torch.Generator().manual_seed(2)
    pos = CHAIN.pos + 0.1 * torch.randn(8, 4, 3, generator=noise, dtype=torch.float64)
    pos = torch.cat([pos, pos @ MIRROR])
    a, b, c = (pos[:, k] - pos[:, 1] for k in (0, 2, 3))
    target = torch.linalg.vecdot(a, torch.linalg.cross(b, c))
    batch = batch_of([replace(CHAIN, pos=x).graph(5.0) for x in pos])
    left = {}
    for mirror in (False, True):
        network = model(mirror)
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
        for _ in range(40):
            optimizer.zero_grad()
            loss = (network(batch) - target).square().mean()
            loss.backward()
            optimizer.step()
        left[mirror] = float(loss.detach()) / float(target.square().mean())
    assert left[False] < 0.1
    assert left[True] >= 1 - 1e-9, "U of the two hands is ±: an even function is right about neither"


def test_card_names_e3nn(tmp_path: Path) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
    save_weights(model(mirror=False), tmp_path / "a", "tensor-network")
    save_weights(SchNet(SchNetConfig(hidden_channels=4, num_filters=4), INFO), tmp_path / "b", "schnet")
    cards = [json.loads((tmp_path / folder / "card.json").read_text()) for folder in "ab"]
    assert cards[0]["e3nn"] == importlib.metadata.version("e3nn")
    assert "e3nn" not in cards[1]
