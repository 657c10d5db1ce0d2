"""What is wrong with the layers of a network, in words."""

from __future__ import annotations

import numpy as np

from zoo.analysis.flags import Flag
from zoo.verbs.inside.record import Inside

#: A place is a bottleneck where a few neurons bring the loss of other graphs down by so much (share or nats),
WORTH = 0.02
#: by so many standard errors, and by more than the best change of the weights that are there.
SURE = 3.0
#: Share of dead units in an activation.
DEAD = 0.1
#: Inputs have collapsed whose second standard deviation is so small a share of the first, of maps with so
#: many inputs and outputs at least: a map to one energy needs one direction. Exactly one direction is what
#: an embedding of two types has.
COLLAPSED, UNITS = 1e-3, 8
#: Gradient of a weight as a share of that in the middle layer, and how many times as large.
VANISHED, EXPLODED = 1e-5, 1e5
#: Dirichlet energy after the last layer as a share of the largest before it, and its size.
SMOOTHED, SMOOTH = 0.05, 0.01


def flags(record: Inside) -> None:
    """Add the flags of a look at layers."""
    record.flags += [*_bottleneck(record), *_dead(record), *_collapsed(record), *_gradients(record)]
    record.flags += _smoothed(record)


def _bottleneck(record: Inside) -> list[Flag]:
    place = record.facts.get("best_place")
    if place is None or "decrease" not in record.arrays:
        return []
    k = record.facts["places"].index(place)
    drop, error = record.arrays["decrease"][k], record.arrays["decrease_error"][k]
    if drop < WORTH or not drop > SURE * error or drop < record.numbers["update_decrease"]["value"]:
        return []
    count, cost = record.facts["neurons"][k], int(record.arrays["cost"][k])
    nats = record.facts["loss_unit"] == "nat"
    how = f"{drop:.3f} ± {error:.3f} nat" if nats else f"{100 * drop:.1f} ± {100 * error:.1f} %"
    text = (
        f"{count} more neurons at {place} ({cost} parameters) bring the loss of other graphs down by "
        f"{how} at once, more than any change of the weights that are there: widen it, or train with --grow"
    )
    return [Flag("bottleneck", text)]


def _dead(record: Inside) -> list[Flag]:
    if "dead" not in record.arrays:
        return []
    out = []
    rows = zip(
        record.facts["activations"], record.facts["activation_kinds"], record.arrays["dead"],
        record.arrays["activation_units"], strict=True,
    )  # fmt: skip
    for name, kind, dead, units in rows:
        if dead > DEAD * units:
            text = (
                f"{int(dead)} of {int(units)} units of {name} ({kind}) are flat or constant on all graphs: "
                "they learn nothing more. Lower optim.lr, or make the layer narrower"
            )
            out.append(Flag("dead units", text))
    return out


def _collapsed(record: Inside) -> list[Flag]:
    arrays, out = record.arrays, []
    rows = zip(
        record.facts["maps"], arrays["rank"], arrays["second_axis"], arrays["units"], arrays["outputs"],
        strict=True,
    )  # fmt: skip
    for name, rank, second, units, outputs in rows:
        if min(units, outputs) < UNITS:
            continue
        if rank == 0 or (rank > 1 and second < COLLAPSED):
            text = (
                f"what reaches {name} varies in {min(int(rank), 1)} of {int(units)} directions, in all "
                f"others by less than {COLLAPSED:g} of that: the layers before it have collapsed. Normalise, "
                "or lower optim.lr"
            )
            out.append(Flag("rank collapse", text))
    return out


def _gradients(record: Inside) -> list[Flag]:
    gradient = record.arrays["gradient"]
    middle = float(np.median(gradient))
    out = []
    for name, value in zip(record.facts["maps"], gradient, strict=True):
        if middle > 0 and value < VANISHED * middle:
            share = f"{value / middle:.0e}"
            text = f"the gradient of {name} is {share} of that of the middle layer: it hardly learns"
            out.append(Flag("vanishing gradients", text))
        if middle > 0 and value > EXPLODED * middle:
            text = f"the gradient of {name} is {value / middle:.0e} times that of the middle layer: clip it"
            out.append(Flag("exploding gradients", text))
    return out


def _smoothed(record: Inside) -> list[Flag]:
    energy = record.arrays.get("dirichlet")
    if energy is None or len(energy) < 3:
        return []
    last, largest = float(energy[-1]), float(energy.max())
    if last > SMOOTHED * largest or last > SMOOTH:
        return []
    text = (
        f"features of neighbours differ by {last:.1e} (Dirichlet energy) after the last layer, {largest:.1e} "
        "at most before: nodes have become alike. Fewer layers, or a residual connection, keeps them apart"
    )
    return [Flag("over-smoothing", text)]
