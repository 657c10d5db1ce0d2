"""Descriptors against double loops, freud, stored energies, and themselves turned, moved and renumbered."""

from __future__ import annotations

from typing import Any

import freud
import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y
from torch import Tensor

from zoo.data.catalog import open_dataset
from zoo.data.info import pair_parameters
from zoo.descriptors import Describer, DescriptorSettings
from zoo.descriptors.harmonics import spherical_harmonics
from zoo.descriptors.surroundings import blocks
from zoo.errors import ConfigError
from zoo.graphs import edge_vectors, neighbor_list
from zoo.physics.energy import LennardJonesMixture

POTENTIAL = {"epsilon": [[1, 1.5], [1.5, 0.5]], "sigma": [[1, 0.8], [0.8, 0.88]], "cutoff": 2.5}
#: Shells and degrees of Boattini et al. 2021.
REFERENCE: dict[str, Any] = {"offset": False, "start": 0.7, "width": 0.1, "orders": 12}
#: Of float64 sums over some hundred neighbours, in another order.
ROUND_OFF = 1e-9


def liquid(n: int = 60, size: float = 4.0, flat: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Positions, species, cell: particles at random, none nearer than 0.6 (in the plane 0.25) to another."""
    noise = torch.Generator().manual_seed(3)
    cell = size * torch.eye(3, dtype=torch.float64)
    kept: list[Tensor] = []
    while len(kept) < n:
        x = size * torch.rand(3, generator=noise, dtype=torch.float64)
        x[2] = 0 if flat else x[2]
        apart = [(x - y) - size * ((x - y) / size).round() for y in kept]
        if all(float(d.norm()) > (0.25 if flat else 0.6) for d in apart):
            kept.append(x)
    return torch.stack(kept), torch.randint(0, 2, (n,), generator=noise), cell


def edges(x: Tensor, cell: Tensor, cutoff: float) -> tuple[Tensor, Tensor]:
    found = neighbor_list(x, cutoff, cell=cell, pbc=(True, True, True))
    return found.edge_index, edge_vectors(x, found.edge_index, found.edge_shift)


def describe(x: Tensor, kind: Tensor, cell: Tensor, **settings: object) -> tuple[Tensor, list[str]]:
    describer = Describer(DescriptorSettings(**settings), 2, POTENTIAL)
    return describer(kind, *edges(x, cell, describer.cutoff)), describer.names


def only(**settings: object) -> dict[str, object]:
    """Nothing but what is named."""
    nothing = {"radial": False, "orders": 0, "energy": False, "averages": 0, "diffused": [], "offset": False}
    return {**nothing, **settings}


def columns(out: Tensor, names: list[str], what: str) -> Tensor:
    return out[:, [k for k, name in enumerate(names) if what in name]]


def test_columns_of_the_reference() -> None:
    """(2 × 24 densities + 12 × 5 orders + energy) × (itself, averaged once, twice) = 327; 6 × 3 diffused."""
    describer = Describer(DescriptorSettings(**REFERENCE), 2, POTENTIAL)
    assert len(describer.base_names) == 109 and len(describer.names) == 327 + 18
    assert len(Describer(DescriptorSettings(**REFERENCE, diffused=[]), 2, POTENTIAL).names) == 327
    assert len(set(describer.names)) == len(describer.names)
    assert describer.cutoff == pytest.approx(3.3)  # the last shell and three widths


def test_cutoff_is_no_longer_than_what_is_asked_for() -> None:
    for settings, cutoff in (
        (only(energy=True), 2.5), (only(diffused=[1], diffusion_range=1.7), 1.7),
        (only(orders=2, order_shells=[1.1], order_width=0.1), 1.6),
        (only(voronoi=True, voronoi_range=2.2), 2.2),
    ):  # fmt: skip
        assert Describer(DescriptorSettings(**settings), 2, POTENTIAL).cutoff == pytest.approx(cutoff)


@pytest.mark.parametrize("flat", [False, True])
def test_rotation_shift_and_order_change_nothing(flat: bool) -> None:
    x, kind, cell = liquid(flat=flat)
    settings = {**REFERENCE, "voronoi": True, "scales": [0.5, 1.0], "scale_range": 3.3}
    expected, names = describe(x, kind, cell, **settings)
    assert expected.shape == (60, len(names)) and torch.isfinite(expected).all()
    turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1)).double())
    if flat:
        turn[:] = torch.tensor([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1]], dtype=torch.float64)
    scale = expected.abs().amax(0).clamp_min(1)
    shift = torch.tensor([1.3, -7.1, 0.0 if flat else 2.9]).double()
    for moved, lattice in ((x @ turn.T, cell @ turn.T), ((x + shift) % 4.0, cell)):
        out, _ = describe(moved, kind, lattice, **settings)
        assert float(((out - expected) / scale).abs().max()) < ROUND_OFF
    order = torch.randperm(60, generator=torch.Generator().manual_seed(2))
    out, _ = describe(x[order], kind[order], cell, **settings)
    assert float(((out - expected[order]) / scale).abs().max()) < ROUND_OFF


def test_longer_edges_do_not_count() -> None:
    x, kind, cell = liquid()
    describer = Describer(DescriptorSettings(**REFERENCE, voronoi=True, scales=[1.0]), 2, POTENTIAL)
    near, far = (describer(kind, *edges(x, cell, c)) for c in (describer.cutoff, describer.cutoff + 0.5))
    assert torch.allclose(near, far, rtol=0, atol=1e-9)


def test_block_by_block_is_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x, kind, cell = liquid()
    expected, _ = describe(x, kind, cell, **REFERENCE, voronoi=True)
    monkeypatch.setattr("zoo.descriptors.surroundings.BLOCK", 500)
    assert len(list(blocks(kind, *edges(x, cell, 3.3), 3.3))) > 5
    assert torch.allclose(describe(x, kind, cell, **REFERENCE, voronoi=True)[0], expected, rtol=0, atol=1e-12)


def test_radial_densities_by_a_double_loop() -> None:
    x, kind, cell = liquid(n=30)
    out, _ = describe(x, kind, cell, **only(radial=True, start=0.5, stop=1.5, step=0.25, width=0.25))
    centers = 0.5 + 0.25 * torch.arange(5).double()
    expected = torch.zeros(30, 2, 5, dtype=torch.float64)
    steps = 4.0 * torch.cartesian_prod(*[torch.arange(-1.0, 2.0).double()] * 3)
    for i in range(30):
        for j in range(30):
            r = (x[j] - x[i] + steps).norm(dim=1)
            r = r[(r > 0) & (r < 1.5 + 3 * 0.25)]
            expected[i, kind[j]] += torch.exp(-(((r[:, None] - centers) / 0.25) ** 2)).sum(0)
    assert torch.allclose(out, expected.flatten(1), rtol=0, atol=1e-12)


def test_spherical_harmonics_are_those_of_scipy() -> None:
    u = torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    u = torch.cat([u / u.norm(dim=1, keepdim=True), torch.tensor([[0, 0, 1.0], [0, 0, -1.0]]).double()])
    ours = spherical_harmonics(u, 16).numpy()
    theta, phi = np.arccos(u[:, 2].numpy()), np.arctan2(u[:, 1].numpy(), u[:, 0].numpy())
    for order in range(1, 17):
        rows = [sph_harm_y(order, 0, theta, phi).real]
        for m in range(1, order + 1):
            y = (-1) ** m * np.sqrt(2) * sph_harm_y(order, m, theta, phi)
            rows += [y.real, y.imag]
        # the angle of scipy's argument loses digits near the poles
        assert np.allclose(ours[:, order**2 - 1 : (order + 1) ** 2 - 1], np.stack(rows, 1), atol=1e-7)


def test_order_of_one_shell_is_freuds() -> None:
    """With equal weights of the twelve neighbours of a crystal: freud's, and the known 0.57452 of l = 6."""
    points = torch.tensor(freud.data.UnitCell.fcc().generate_system(4)[1], dtype=torch.float64)
    cell = 4.0 * torch.eye(3, dtype=torch.float64)
    settings = only(orders=12, order_shells=[2**-0.5], order_width=0.02)
    out, names = describe(points, torch.zeros(len(points), dtype=torch.long), cell, **settings)
    box = freud.box.Box.cube(4.0)
    for order in (4, 6, 7, 12):
        theirs = freud.order.Steinhardt(order).compute((box, points.numpy()), {"num_neighbors": 12})
        # freud computes in float32; √ makes 1e-7 of a vanishing square 3e-4
        assert np.allclose(out[:, order - 1].numpy(), theirs.particle_order, atol=2e-3)
    assert torch.allclose(columns(out, names, "order 6 "), torch.tensor(0.57452).double(), rtol=0, atol=1e-5)


def test_order_in_a_liquid_is_freuds() -> None:
    """Weighted by distance, through freud's neighbour list with weights."""
    x, kind, cell = liquid()
    out, _ = describe(x, kind, cell, **only(orders=8, order_shells=[1.2], order_width=0.15))
    query = freud.locality.AABBQuery(freud.box.Box.cube(4.0), (x - 2.0).numpy())
    found = query.query((x - 2.0).numpy(), {"r_max": 1.2 + 5 * 0.15, "exclude_ii": True}).toNeighborList()
    near = np.abs(found.distances - 1.2) < 5 * 0.15
    weights = np.exp(-(((found.distances - 1.2) / 0.15) ** 2) / 2)
    arguments = (len(x), found.query_point_indices[near], len(x), found.point_indices[near])
    listed = freud.locality.NeighborList.from_arrays(
        arguments[0], arguments[2], arguments[1], arguments[3], found.vectors[near], weights[near]
    )
    for order in (2, 5, 8):
        steinhardt = freud.order.Steinhardt(order, weighted=True)
        theirs = steinhardt.compute((freud.box.Box.cube(4.0), (x - 2.0).numpy()), listed).particle_order
        assert np.allclose(out[:, order - 1].numpy(), theirs, atol=1e-4)  # float32


def test_few_neighbours_far_off_are_no_order() -> None:
    """A lone neighbour four widths off weighs 3e-4: less than `LEAST`, and its order less than one."""
    x = torch.tensor([[0.0, 0, 0], [1.6, 0, 0]], dtype=torch.float64)
    kind, index = torch.zeros(2, dtype=torch.long), torch.tensor([[0, 1], [1, 0]])
    describer = Describer(DescriptorSettings(**only(orders=4, order_shells=[1.0])), 1)
    out = describer(kind, index, x[index[1]] - x[index[0]])
    assert torch.allclose(out, out.new_tensor(np.exp(-8.0) / 1e-3), rtol=1e-9)


def test_energies_add_up_and_are_the_stored_ones() -> None:
    dataset = open_dataset("kob-andersen")
    potential = pair_parameters(dataset, [0, 1])
    assert potential is not None
    describer = Describer(DescriptorSettings(**only(energy=True)), 2, potential.model_dump())
    x = torch.from_numpy(np.array(dataset.arrays["positions"][3], np.float64))
    cell = torch.from_numpy(np.array(dataset.arrays["cell"][3], np.float64))
    kind = torch.from_numpy(dataset.system.types)
    ours = describer(kind, *edges(x, cell, describer.cutoff))[:, 0]
    stored = dataset.arrays["particle_energies"][3].astype(np.float64)
    # stored in single precision
    assert np.allclose(ours.numpy(), stored, rtol=0, atol=2e-5)
    mixture = LennardJonesMixture(kind, **potential.model_dump(), cell=cell)
    assert float(mixture(x[None])[0]) == pytest.approx(float(ours.sum()), abs=1e-8)


def test_voronoi_cells_are_freuds() -> None:
    dataset = open_dataset("kob-andersen")
    x = torch.from_numpy(np.array(dataset.arrays["positions"][0], np.float64))
    cell = torch.from_numpy(np.array(dataset.arrays["cell"][0], np.float64))
    size = float(cell[0, 0])
    out, names = describe(x, torch.from_numpy(dataset.system.types), cell, **only(voronoi=True))
    box = freud.box.Box.cube(size)
    theirs = freud.locality.Voronoi().compute((box, box.wrap(x.numpy() - size / 2)))
    # freud wraps in float32
    assert np.allclose(columns(out, names, "volume")[:, 0].numpy(), theirs.volumes, rtol=2e-5)
    assert float(columns(out, names, "volume").sum()) == pytest.approx(size**3, rel=1e-12)
    surface = np.bincount(theirs.nlist.query_point_indices, theirs.nlist.weights)
    assert np.allclose(columns(out, names, "surface")[:, 0].numpy(), surface, rtol=2e-5)
    faces = np.bincount(theirs.nlist.query_point_indices)
    # the smallest faces are there or are not, by freud's float32 and Voro++'s tolerance
    off = np.abs(columns(out, names, "faces")[:, 0].numpy() - faces)
    assert (off == 0).mean() > 0.95 and off.max() <= 2


def test_voronoi_of_crystals() -> None:
    """Simple cubic: the cube; square lattice in the plane: the square. Alone: the ball."""
    grid = torch.cartesian_prod(*[torch.arange(5.0).double()] * 3)
    cell, settings = 5.0 * torch.eye(3, dtype=torch.float64), only(voronoi=True)
    noise = 1e-4 * torch.randn(grid.shape, generator=torch.Generator().manual_seed(0)).double()
    out, _ = describe(grid + noise, torch.zeros(125, dtype=torch.long), cell, **settings)
    # moved by 1e-4, so that no corner has more than three faces
    assert torch.allclose(out[:, [0, 1]].mean(0), torch.tensor([1.0, 6.0]).double(), atol=1e-3)
    plane = torch.cartesian_prod(*[torch.arange(5.0).double()] * 2, torch.zeros(1).double())
    tall = cell * torch.tensor([1.0, 1.0, 4.0]).double()
    noise[:, 2] = 0
    out, _ = describe(plane + noise[:25], torch.zeros(25, dtype=torch.long), tall, **settings)
    assert torch.allclose(out[:, [0, 1]].mean(0), torch.tensor([1.0, 4.0]).double(), atol=1e-3)
    alone = Describer(DescriptorSettings(**settings), 1)
    out = alone(torch.zeros(1, dtype=torch.long), torch.zeros(2, 0, dtype=torch.long), torch.zeros(0, 3))
    assert out[0].tolist() == pytest.approx([4 / 3 * np.pi * 1.25**3, 4 * np.pi * 1.25**2, 0, 1])


def test_a_setting_without_columns_or_potential_is_refused() -> None:
    with pytest.raises(ConfigError, match="radial=true"):
        Describer(DescriptorSettings(**only()), 2)
    with pytest.raises(ConfigError, match="energy=false"):
        Describer(DescriptorSettings(energy=True), 2)
    for wrong in (
        {"scales": [-1.0]},
        {"orders": 2, "order_shells": []},
        {"diffused": [0]},
        {"positions": ["cage"] * 2},
    ):
        with pytest.raises(ValueError):
            DescriptorSettings(**wrong)
