from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from zoo.errors import ConfigError, DataError
from zoo.graphs import (
    Segments,
    gather,
    segment_backend,
    segment_mean,
    segment_softmax,
    segment_sum,
)
from zoo.graphs.segment import torch_scatter

SORTED = torch.tensor([1, 1, 1, 2, 4, 4])  # segments 0, 3 and 5 are empty
EVEN = torch.arange(4).repeat_interleave(3)
SHUFFLED = torch.tensor([4, 1, 2, 1, 4, 1])
KINDS = {
    "sorted": Segments.sorted(SORTED, 6),
    "even": Segments.sorted(EVEN, 4, length=3),
    "unsorted": Segments.unsorted(SHUFFLED, 6),
    "no rows": Segments.sorted(torch.zeros(0, dtype=torch.int64), 3),
}
FUNCTIONS = {
    "sum": segment_sum,
    "mean": segment_mean,
    "softmax": segment_softmax,
    "gather": gather,
}


def loop(name, x, segments):
    """The same, one segment after the other."""
    rows = [(segments.index == k).nonzero()[:, 0].tolist() for k in range(segments.size)]
    if name == "gather":
        return torch.cat([x[k : k + 1] for k in segments.index.tolist()] or [x[:0]])
    if name == "softmax":
        out = torch.zeros_like(x)
        for r in rows:
            out[r] = torch.softmax(x[r], dim=0)
        return out
    sums = [sum((x[e] for e in r), torch.zeros_like(x[:1].sum(0))) for r in rows]
    if name == "mean":
        sums = [s / max(len(r), 1) for s, r in zip(sums, rows, strict=True)]
    return torch.stack(sums)


def example(name, segments, shape):
    n = segments.size if name == "gather" else len(segments.index)
    g = torch.Generator().manual_seed(0)
    return torch.randn(n, *shape, generator=g, dtype=torch.float64)


@pytest.fixture(params=["torch", "torch-scatter"])
def backend(request):
    if request.param == "torch-scatter" and torch_scatter() is None:
        pytest.skip("torch-scatter is not installed (extra [scatter])")
    with segment_backend(request.param):
        yield request.param


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3)])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_equals_a_loop(name, kind, shape, backend):
    x = example(name, KINDS[kind], shape)
    result = FUNCTIONS[name](x, KINDS[kind])
    # sums of at most 3 numbers near 1 in float64, in another order
    torch.testing.assert_close(result, loop(name, x, KINDS[kind]), atol=1e-14, rtol=1e-14)


@pytest.mark.parametrize("kind", ["sorted", "even", "unsorted"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_can_be_differentiated_twice(name, kind, backend):
    x = example(name, KINDS[kind], (2,)).requires_grad_()
    # squared, so that second derivatives of linear functions are not all zero
    function = lambda v: FUNCTIONS[name](v, KINDS[kind]).square()  # noqa: E731
    assert gradcheck(function, x)
    assert gradgradcheck(function, x)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("width", [1, 8, 64])
def test_backends_agree(name, width):
    if torch_scatter() is None:
        pytest.skip("torch-scatter is not installed (extra [scatter])")
    g = torch.Generator().manual_seed(1)
    index = torch.randint(0, 50, (2000,), generator=g).sort().values
    segments = Segments.sorted(index, 60)
    n = 60 if name == "gather" else 2000
    x = torch.randn(n, width, generator=g)
    results = []
    for choice in ("torch", "torch-scatter", "auto"):
        v = x.clone().requires_grad_()
        with segment_backend(choice):
            y = FUNCTIONS[name](v, segments)
            (first,) = torch.autograd.grad(y.pow(3).sum(), v, create_graph=True)
            (second,) = torch.autograd.grad(first.square().sum(), v)
        results.append((y, first, second))
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            # sums of about 40 float32 numbers in another order: 40·2⁻²⁴ of the largest
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5 * float(a.detach().abs().max()))


def test_softmax_does_not_overflow(backend):
    x = torch.tensor([1e4, 1e4, -1e4, 3.0, 500.0, 0.0])
    expected = torch.tensor([0.5, 0.5, 0.0, 1.0, 1.0, 0.0])
    torch.testing.assert_close(segment_softmax(x, KINDS["sorted"]), expected)


def test_backend_in_force_is_the_one_that_runs():
    if torch_scatter() is None:
        with pytest.raises(ConfigError, match="scatter"), segment_backend("torch-scatter"):
            pass
        pytest.skip("torch-scatter is not installed (extra [scatter])")
    calls = []
    package = torch_scatter()
    original = package.segment_csr
    package.segment_csr = lambda *a, **k: (calls.append(1), original(*a, **k))[1]
    try:
        for choice, expected in (("torch", 0), ("torch-scatter", 2), ("auto", 1)):
            calls.clear()
            with segment_backend(choice):
                segment_sum(torch.ones(6, 64), KINDS["sorted"])
                segment_sum(torch.ones(6, 8), KINDS["sorted"])
            assert len(calls) == expected, choice
    finally:
        package.segment_csr = original


def test_counts_and_pointers():
    assert KINDS["sorted"].ptr.tolist() == [0, 0, 3, 4, 4, 6, 6]
    assert KINDS["sorted"].count.tolist() == KINDS["unsorted"].count.tolist() == [0, 3, 1, 0, 2, 0]
    assert KINDS["no rows"].ptr.tolist() == [0, 0, 0, 0]
    with pytest.raises(DataError, match="sort"):
        _ = KINDS["unsorted"].ptr
    with pytest.raises(DataError, match="cannot be"):
        Segments.sorted(SORTED, 6, length=2)
    with pytest.raises(ConfigError, match="torch-scatter"), segment_backend("numpy"):
        pass
