"""Second moments give the losses of all frames, and their decoder is the best one."""

from __future__ import annotations

import torch

from zoo.coarse.moments import explained, least_squares_decoder, second_moment, square_error


def sample() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    x = torch.randn(300, 9, 3, dtype=torch.float64).cumsum(1)
    x = x - x.mean(1, keepdim=True)
    return x, torch.softmax(torch.randn(3, 9, dtype=torch.float64), -1)


def test_error_of_moments_is_that_of_frames() -> None:
    x, coarse = sample()
    decoder = torch.randn(9, 3, dtype=torch.float64)
    by_frames = (x - decoder @ (coarse @ x)).square().sum((1, 2)).mean()
    torch.testing.assert_close(square_error(coarse, decoder, second_moment(x)), by_frames)


def test_decoder_is_that_of_lstsq() -> None:
    """Against numpy-style least squares on the stacked coordinates of all frames."""
    x, coarse = sample()
    z = (coarse @ x).transpose(0, 1).flatten(1).T  # [frames · 3, beads]
    y = x.transpose(0, 1).flatten(1).T
    best = torch.linalg.lstsq(z, y).solution.T
    decoder = least_squares_decoder(coarse, second_moment(x))
    torch.testing.assert_close(decoder, best, rtol=1e-6, atol=1e-6)


def test_explained_is_what_the_best_decoder_leaves() -> None:
    x, coarse = sample()
    moment = second_moment(x)
    left = square_error(coarse, least_squares_decoder(coarse, moment), moment)
    torch.testing.assert_close(moment.trace() - explained(coarse, moment), left)


def test_gradient_through_the_best_decoder() -> None:
    """The closed form (variable projection) against finite differences."""
    x, coarse = sample()
    moment = second_moment(x)
    both = torch.stack([coarse, coarse.flip(0) * 1.1]).requires_grad_()
    assert torch.autograd.gradcheck(lambda c: explained(c, moment), both)
