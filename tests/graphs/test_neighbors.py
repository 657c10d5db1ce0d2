from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.neighborlist import neighbor_list as ase_neighbor_list
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zoo.errors import ConfigError, DataError
from zoo.graphs import (
    BACKENDS,
    NeighborList,
    batched_all_pairs,
    edge_vectors,
    neighbor_list,
    search,
)

METHODS = list(BACKENDS)
# float64 positions of size 10: round-off of a few 1e-15, and sums of a few such terms
ATOL = 1e-12


def brute_force(x, cutoff, cell, pbc):
    """All `(receiver, sender, S0, S1, S2)` by a loop over images, and the distances."""
    if len(x) == 0:
        return [], np.zeros(0)
    rows = cell[list(pbc)]
    spread = np.linalg.norm(np.ptp(x, axis=0))
    # |S·cell| is at least σ_min·|S|, and at most cutoff + spread for a pair that counts
    reach = int((cutoff + spread) / np.linalg.svd(rows)[1].min()) + 1 if any(pbc) else 0
    axes = [np.arange(-reach, reach + 1) if p else np.zeros(1, int) for p in pbc]
    periodic_rows = np.where(np.array(pbc)[:, None], cell, 0)
    edges, distances = [], []
    for first in axes[0]:
        steps = np.array(list(itertools.product([first], axes[1], axes[2])))
        r = x[None, None, :] - x[None, :, None] + (steps @ periodic_rows)[:, None, None]
        d = np.sqrt((r**2).sum(-1))
        d[(steps == 0).all(1)] += np.diag(np.full(len(x), np.inf))
        distances.append(d.ravel())
        for s, i, j in zip(*np.nonzero(d < cutoff), strict=True):
            edges.append((int(j), int(i), *steps[s].tolist()))
    return sorted(edges), np.concatenate(distances)


def edges_of(neighbors: NeighborList, cell, pbc):
    """The same tuples, in the order of the list."""
    steps = np.zeros((neighbors.edge_index.shape[1], 3))
    if neighbors.edge_shift is not None:
        rows = np.where(np.array(pbc)[:, None], cell, 0)
        steps = neighbors.edge_shift.double().numpy() @ np.linalg.pinv(rows)
    # a shift is a whole number of lattice vectors; 1e-4 allows for float32 shifts of size 100
    assert np.abs(steps - steps.round()).max(initial=0) < 1e-4
    src, dst = neighbors.edge_index.tolist()
    steps = steps.round().astype(int).tolist()
    return [(j, i, *s) for i, j, s in zip(src, dst, steps, strict=True)]


def check(x, cutoff, cell, pbc):
    """Compare each backend with brute force, and the backends with each other."""
    expected, distances = brute_force(x, cutoff, cell, pbc)
    # the test has no opinion on pairs that are at the cutoff to within round-off
    if np.abs(distances - cutoff).min(initial=1) < 1e-9:
        return
    lists = []
    for method in BACKENDS:
        neighbors = neighbor_list(torch.tensor(x), cutoff, torch.tensor(cell), pbc, method)
        found = edges_of(neighbors, cell, pbc)
        assert len(set(found)) == len(found), method
        assert sorted(found) == expected, method
        keys = [e[:2] for e in found]
        assert keys == sorted(keys)  # by receiver, then sender
        check_pairs(neighbors)
        r = edge_vectors(torch.tensor(x), neighbors.edge_index, neighbors.edge_shift)
        assert (r.norm(dim=1) < cutoff + ATOL).all()
        lists.append(neighbors)
    for other in lists[1:]:
        assert torch.equal(lists[0].edge_index, other.edge_index)
        assert torch.equal(lists[0].edge_pair, other.edge_pair)


def check_pairs(neighbors: NeighborList):
    edge_index, shift, edge_pair, pair_edge = neighbors
    n_pairs = len(pair_edge)
    assert edge_index.shape[1] == 2 * n_pairs
    assert (torch.bincount(edge_pair, minlength=n_pairs) == 2).all()
    assert torch.equal(edge_pair[pair_edge], torch.arange(n_pairs))
    assert (pair_edge.diff() > 0).all()
    e, f = edge_pair.argsort(stable=True).reshape(-1, 2).T  # the two edges of each pair
    assert torch.equal(edge_index[:, e], edge_index[:, f].flip(0))
    if shift is not None:
        assert torch.equal(shift[e], -shift[f])


CUBIC = np.diag([4.0, 4.0, 4.0])
SKEWED = np.array([[3.0, 0.0, 0.0], [2.2, 2.5, 0.0], [-1.4, 1.9, 2.8]])
LEFT_HANDED = SKEWED[[1, 0, 2]]
FLAT = np.array([[5.0, 0.3, 0.0], [-2.0, 4.0, 0.0], [0.0, 0.0, 0.0]])
XYZ, XY, NONE = (True, True, True), (True, True, False), (False, False, False)

CASES = {
    "3d": (CUBIC, XYZ, 1.5),
    "3d half a box": (CUBIC, XYZ, 2.0),
    "3d several images": (CUBIC, XYZ, 6.1),
    "skewed": (SKEWED, XYZ, 1.1),
    "skewed several images": (SKEWED, XYZ, 4.7),
    "left-handed": (LEFT_HANDED, XYZ, 2.3),
    "slab": (SKEWED, XY, 2.5),
    "slab along x": (SKEWED, (False, True, True), 2.5),
    "wire": (SKEWED, (False, True, False), 3.5),
    "no pbc": (CUBIC, NONE, 1.7),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("n", [0, 1, 2, 17])
def test_equals_brute_force(case, n):
    cell, pbc, cutoff = CASES[case]
    x = np.random.default_rng(n).uniform(-0.7, 1.9, (n, 3)) @ cell  # not wrapped
    check(x, cutoff, cell, pbc)


@pytest.mark.parametrize("cutoff", [0.9, 2.6, 6.0])
@pytest.mark.parametrize("third", [0.0, 7.0])
def test_equals_brute_force_in_two_dimensions(cutoff, third):
    cell = FLAT + np.diag([0, 0, third])
    x = np.random.default_rng(1).uniform(-0.5, 1.5, (21, 3)) @ FLAT
    assert (x[:, 2] == 0).all()
    check(x, cutoff, cell, XY)


@settings(max_examples=60, deadline=None)
@given(
    x=st.lists(st.tuples(*[st.floats(-3, 3)] * 3), max_size=7),
    pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    diagonal=st.tuples(*[st.floats(0.8, 4)] * 3),
    skew=st.tuples(*[st.floats(-3, 3)] * 3),
    cutoff=st.floats(0.1, 3.5),
)
def test_equals_brute_force_in_any_cell(x, pbc, diagonal, skew, cutoff):
    cell = np.diag(diagonal)
    cell[1, 0], cell[2, 0], cell[2, 1] = skew
    if any(pbc):
        assume(np.linalg.svd(cell[list(pbc)])[1].min() > 0.7)  # keeps the loop over images short
    check(np.array(x).reshape(-1, 3), cutoff, cell, pbc)


@pytest.mark.parametrize("method", METHODS)
def test_equals_ase(method):
    x = np.random.default_rng(2).uniform(-1, 2, (40, 3)) @ SKEWED
    i, j, steps = ase_neighbor_list("ijS", Atoms("H40", x, cell=SKEWED, pbc=True), 2.4)
    expected = sorted(zip(j.tolist(), i.tolist(), *steps.T.tolist(), strict=True))
    neighbors = neighbor_list(torch.tensor(x), 2.4, torch.tensor(SKEWED), method=method)
    assert sorted(edges_of(neighbors, SKEWED, XYZ)) == expected


@pytest.mark.parametrize("method", METHODS)
def test_wrapping_changes_no_edge_and_no_vector(method):
    g = torch.Generator().manual_seed(3)
    cell = torch.tensor(SKEWED)
    x = torch.rand(30, 3, generator=g, dtype=torch.float64) @ cell
    moved = x + torch.randint(-5, 6, (30, 3), generator=g).double() @ cell
    a, b = (neighbor_list(p, 2.0, cell, method=method) for p in (x, moved))
    assert torch.equal(a.edge_index, b.edge_index)
    assert torch.equal(a.edge_pair, b.edge_pair)
    r, s = (edge_vectors(p, e.edge_index, e.edge_shift) for p, e in ((x, a), (moved, b)))
    # moved positions are about 30 in size: round-off of 30·2⁻⁵², a few times
    torch.testing.assert_close(r, s, atol=1e-13, rtol=0)


@pytest.mark.parametrize("method", METHODS)
def test_permutation_renames_particles(method):
    g = torch.Generator().manual_seed(4)
    x = torch.rand(25, 3, generator=g, dtype=torch.float64) * 4
    order = torch.randperm(25, generator=g)
    a = edges_of(neighbor_list(x, 2.5, torch.tensor(CUBIC), method=method), CUBIC, XYZ)
    b = edges_of(neighbor_list(x[order], 2.5, torch.tensor(CUBIC), method=method), CUBIC, XYZ)
    name = order.tolist()
    assert sorted((name[j], name[i], *s) for j, i, *s in b) == sorted(a)


@pytest.mark.parametrize("method", METHODS)
def test_number_of_edges_grows_as_the_number_of_particles(method):
    g = torch.Generator().manual_seed(5)
    cell = torch.tensor(SKEWED)
    x = torch.rand(8, 3, generator=g, dtype=torch.float64) @ cell
    one = neighbor_list(x, 2.6, cell, method=method)
    copies = torch.cartesian_prod(torch.arange(2), torch.arange(3), torch.arange(4)).double()
    many = (x + (copies @ cell)[:, None]).reshape(-1, 3)
    supercell = cell * torch.tensor([[2.0], [3.0], [4.0]], dtype=torch.float64)
    all_ = neighbor_list(many, 2.6, supercell, method=method)
    assert all_.edge_index.shape[1] == 24 * one.edge_index.shape[1] > 0


@pytest.mark.parametrize("method", ["cell-list", "all-pairs"])
def test_small_chunks_find_the_same(method, monkeypatch):
    x = torch.rand(60, 3, generator=torch.Generator().manual_seed(6)) * 4
    whole = neighbor_list(x, 2.5, torch.eye(3) * 4, method=method)
    monkeypatch.setattr(search, "CHUNK", 37)
    parts = neighbor_list(x, 2.5, torch.eye(3) * 4, method=method)
    assert whole.edge_index.shape[1] > 37
    assert all(torch.equal(a, b) for a, b in zip(whole, parts, strict=True))


@pytest.mark.parametrize("method", METHODS)
def test_sparse_and_far_apart(method):
    # a million cutoffs between particles: bins must not be allocated for empty space
    x = torch.tensor([[0.0, 0, 0], [1e6, 0, 0], [1e6 + 0.5, 0, 0], [0, -1e6, 1e6]]).double()
    for cell in (None, torch.eye(3) * 1e7):
        assert neighbor_list(x, 1.0, cell, method=method).edge_index.tolist() == [[2, 1], [1, 2]]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_inputs(method, dtype):
    x = (torch.rand(10, 3, generator=torch.Generator().manual_seed(7)) * 9).to(dtype)
    x.requires_grad_()
    cell = torch.eye(3, dtype=dtype) * 4
    before = x.detach().clone(), cell.clone()
    neighbors = neighbor_list(x, 1.5, cell[None], method=method)
    assert neighbors.edge_shift.dtype == dtype
    assert {t.dtype for t in (neighbors.edge_index, neighbors.edge_pair)} == {torch.int64}
    assert neighbor_list(x, 1.5, method=method).edge_shift is None
    assert neighbor_list(x, 1.5, cell, pbc=False, method=method).edge_shift is None
    assert torch.equal(x, before[0]) and torch.equal(cell, before[1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("method", ["auto", "cell-list", "all-pairs"])
def test_cuda_equals_cpu(method):
    x = torch.rand(300, 3, generator=torch.Generator().manual_seed(8)).double() @ torch.tensor(SKEWED)
    cpu = neighbor_list(x, 1.0, torch.tensor(SKEWED))
    gpu = neighbor_list(x.cuda(), 1.0, torch.tensor(SKEWED).cuda(), method=method)
    assert all(t.is_cuda for t in gpu)
    assert torch.equal(cpu.edge_index, gpu.edge_index.cpu())
    # products of small whole numbers and a cell of size 3 in float64
    torch.testing.assert_close(cpu.edge_shift, gpu.edge_shift.cpu(), atol=ATOL, rtol=0)


def test_edge_vectors_can_be_differentiated_twice():
    x = torch.rand(6, 3, generator=torch.Generator().manual_seed(9)).double() * 3
    e = neighbor_list(x, 2.0, torch.eye(3) * 3)
    x.requires_grad_()
    assert torch.autograd.gradcheck(lambda p: edge_vectors(p, e.edge_index, e.edge_shift), x)
    lengths = lambda p: edge_vectors(p, e.edge_index, e.edge_shift).norm(dim=1)  # noqa: E731
    assert torch.autograd.gradgradcheck(lengths, x)


@pytest.mark.parametrize(("n", "graphs"), [(0, 2), (1, 3), (5, 1), (4, 3), (4, 0)])
def test_all_pairs_template_equals_neighbor_lists_side_by_side(n, graphs):
    template = batched_all_pairs(n, graphs)
    x = torch.rand(n, 3, generator=torch.Generator().manual_seed(10))
    one = neighbor_list(x, 100.0)
    copies = torch.arange(graphs)[:, None]
    expected = (one.edge_index[:, None] + n * copies).reshape(2, -1)
    assert template.edge_shift is None
    assert torch.equal(template.edge_index, expected)
    assert torch.equal(template.edge_pair, (one.edge_pair + n * (n - 1) // 2 * copies).flatten())
    check_pairs(template)


X = torch.rand(4, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"positions": torch.tensor([[0.0, 0, 0], [0, float("nan"), 0]])}, "particle 1"),
        ({"positions": torch.full((2, 3), float("inf"))}, "infinity"),
        ({"positions": torch.zeros(3)}, r"\[N, 3\]"),
        ({"positions": torch.zeros(3, 2)}, r"\[N, 3\]"),
        ({"positions": torch.zeros(3, 3, dtype=torch.int64)}, "floating"),
        ({"cutoff": 0.0}, "cutoff"),
        ({"cutoff": -1.0}, "cutoff"),
        ({"cutoff": float("nan")}, "cutoff"),
        ({"cutoff": float("inf")}, "cutoff"),
        ({"cell": torch.zeros(3, 3)}, "singular"),
        ({"cell": torch.ones(3, 3)}, "singular"),
        ({"cell": torch.eye(3) * float("nan")}, "singular"),
        ({"cell": torch.ones(3)}, r"\[3, 3\]"),
        ({"cell": torch.eye(3), "pbc": (True, True)}, "three"),
        ({"pbc": True}, "cell"),
        ({"pbc": (True, True, False)}, "cell"),
    ],
)
def test_bad_input_is_one_clear_error(arguments, message):
    with pytest.raises(DataError, match=message):
        neighbor_list(**{"positions": X, "cutoff": 1.0, **arguments})


def test_bad_requests_name_what_is_known():
    with pytest.raises(ConfigError, match="cell-list"):
        neighbor_list(X, 1.0, method="octree")
    with pytest.raises(ConfigError, match="does not run on cuda"):
        search.choose_backend("vesin", "cuda")
    with pytest.raises(DataError):
        batched_all_pairs(-1)


def test_auto_picks_by_device():
    assert search.choose_backend("auto", "cpu").name == "vesin"
    assert search.choose_backend("auto", "cuda").name == "cell-list"
