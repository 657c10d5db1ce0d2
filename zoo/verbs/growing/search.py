"""How much of a direction: the amplitude at which the loss is least, from zero."""

from __future__ import annotations

from collections.abc import Callable

#: First amplitude: where a straight line would have brought the loss down by this share of its size.
FIRST = 0.01
#: Largest numbers of doublings and of halvings.
DOUBLINGS, HALVINGS = 30, 20
#: Amplitudes that are tried on each side of the best in the end, in steps of a smaller factor each.
REFINED = (2**0.5, 2**0.25)


def line_search(
    loss: Callable[[float], float], start: float, gain: float, largest: float = float("inf")
) -> tuple[float, float]:
    """Return the amplitude γ ≥ 0 at which a loss is least, and that loss; (0, start) if none is less.

    Args:
        loss: of an amplitude.
        start: loss at 0.
        gain: −d loss/dγ at 0, about.
        largest: amplitude that is allowed.
    """
    if gain <= 0:
        return 0.0, start
    best = (0.0, start)
    gamma = min(FIRST * (abs(start) or 1.0) / gain, largest)
    for _ in range(HALVINGS):
        value = loss(gamma)
        if value < start:
            best = (gamma, value)
            break
        gamma /= 2
    else:
        return best
    for _ in range(DOUBLINGS):
        gamma = min(2 * best[0], largest)
        value = loss(gamma)
        if gamma == best[0] or not value < best[1]:
            break
        best = (gamma, value)
    for factor in REFINED:
        middle = best[0]
        for gamma in (middle / factor, min(middle * factor, largest)):
            value = loss(gamma)
            if value < best[1]:
                best = (gamma, value)
    return best
