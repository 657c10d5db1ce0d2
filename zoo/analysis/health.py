"""What goes wrong while a network trains, told from its losses, weights and predictions, in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from zoo.analysis.flags import Flag

Row = Mapping[str, float]

#: Epochs in a row that must agree before a loss counts as risen.
RECENT = 3
#: A loss has diverged that lost this share of all it had gained, and is this factor, or so many nats, above
#: its best.
LOST, FACTOR = 0.5, 3.0
#: Overfitting: epochs since the best, and the rise of the validation loss, as a share.
SINCE, RISE = 5, 0.05
#: Stalled: epochs, and the gain that is as good as none, as a share and in steps of the noise.
LONG, GAIN, NOISE = 15, 0.02, 3.0
#: No weight of a network that works is as large.
HUGE = 1e6
#: Predictions that differ less than this share of what they shall predict are all the same.
COLLAPSED = 0.02


def not_finite(what: str, tensors: Iterable[tuple[str, Tensor]]) -> Flag | None:
    """Return a flag that names the first tensor with NaN or infinite values; None where all are finite.

    Args:
        what: they are, such as "weights" or "gradients".
        tensors: names and values, in the order in which the first is looked for.
    """
    bad = [(name, t) for name, t in tensors if t.is_floating_point() and not bool(torch.isfinite(t).all())]
    if not bad:
        return None
    name, values = bad[0]
    count = int((~torch.isfinite(values)).sum())
    more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
    return Flag(
        "NaN",
        f"{count} of the {values.numel()} {what} of {name} are NaN or infinite{more}: lower optim.lr or "
        "train.gradient_clip, and look at the data (`zoo data check`)",
    )


def run_away(tensors: Iterable[tuple[str, Tensor]]) -> Flag | None:
    """Return a flag that names the tensor with the largest weight, where that is beyond all use."""
    finite = ((name, t.detach().abs()) for name, t in tensors if t.numel() and t.is_floating_point())
    sizes = [(float(t[torch.isfinite(t)].max()), name) for name, t in finite if bool(torch.isfinite(t).any())]
    largest, name = max(sizes, default=(0.0, ""))
    if largest < HUGE:
        return None
    return Flag("divergence", f"weights have run away, those of {name} up to {largest:.2g}: lower optim.lr")


def curve_flags(rows: Sequence[Row], *, nats: bool = False) -> list[Flag]:
    """Judge the losses of a training: NaN, divergence, overfitting, or nothing learned.

    Losses are judged by their ratios, log-likelihoods and losses that change sign by differences. Where a
    temperature changes from stage to stage, losses of the last one alone are compared.

    Args:
        rows: one an epoch, as in `metrics.csv`: `epoch`, `train_loss`, and `val_loss` where validated.
        nats: the losses are log-likelihoods.
    """
    broken = _broken(rows)
    if broken is not None:
        return [broken]
    stage = [row for row in rows if row.get("temperature") == rows[-1].get("temperature")] if rows else []
    validated = [row for row in stage if "val_loss" in row]
    if len(validated) < RECENT + 1:
        return []
    found = _diverged(validated, nats) or _overfitted(validated, nats) or _stalled(validated, nats)
    return [] if found is None else [found]


def _broken(rows: Sequence[Row]) -> Flag | None:
    for row in rows:
        for name in ("train_loss", "val_loss"):
            if name in row and not math.isfinite(row[name]):
                return Flag(
                    "NaN",
                    f"{name} is {row[name]} since epoch {row['epoch']:.0f}: lower optim.lr, and look at the "
                    "data (`zoo data check`)",
                )
    return None


class _Losses:
    """A loss by epoch on a scale on which equal steps are equal gains."""

    def __init__(self, rows: Sequence[Row], name: str, nats: bool) -> None:
        self.raw = np.array([row[name] for row in rows])
        self.ratios = not nats and bool((self.raw > 0).all())
        self.at = np.log(self.raw) if self.ratios else self.raw
        self.best = int(self.at.argmin())
        self.gained = float(self.at[0] - self.at[self.best])
        self.lost = float(self.at[-RECENT:].min() - self.at[self.best])

    def least(self, share: float) -> float:
        """A change by this share: of the loss itself, or of a log-likelihood's gain, at least one nat."""
        return math.log1p(share) if self.ratios else share * max(self.gained, 1.0)

    @property
    def noise(self) -> float:
        """How far one epoch's loss is from the next one's."""
        return float(np.median(np.abs(np.diff(self.at))))


def _diverged(rows: Sequence[Row], nats: bool) -> Flag | None:
    val = _Losses(rows, "val_loss", nats)
    if val.lost <= max(LOST * val.gained, math.log(FACTOR) if val.ratios else FACTOR):
        return None
    return Flag(
        "divergence",
        f"val_loss rose from {val.raw[val.best]:.4g} (epoch {rows[val.best]['epoch']:.0f}) to "
        f"{val.raw[-1]:.4g}, and was never lower in the last {RECENT} validations than "
        f"{val.raw[-RECENT:].min():.4g}: lower optim.lr, or clip gradients (train.gradient_clip)",
    )


def _overfitted(rows: Sequence[Row], nats: bool) -> Flag | None:
    if not all("train_loss" in row for row in rows) or any("val_elbo" in row for row in rows):
        return None  # of a density that learns from energies the two losses are not of one kind
    val, train = _Losses(rows, "val_loss", nats), _Losses(rows, "train_loss", nats)
    since = len(rows) - 1 - val.best
    falls = float(np.median(train.at[-RECENT:])) < float(train.at[val.best])
    if since < SINCE or val.lost <= max(val.least(RISE), RISE * val.gained) or not falls:
        return None
    return Flag(
        "overfitting",
        f"since epoch {rows[val.best]['epoch']:.0f} val_loss rose from {val.raw[val.best]:.4g} to "
        f"{val.raw[-1]:.4g} while train_loss fell from {train.raw[val.best]:.4g} to {train.raw[-1]:.4g}: "
        "more data, a smaller model or optim.weight_decay; train.early_stopping ends a run there",
    )


def _stalled(rows: Sequence[Row], nats: bool) -> Flag | None:
    names = [name for name in ("val_loss", "train_loss") if all(name in row for row in rows)]
    losses = [_Losses(rows, name, nats) for name in names]
    if len(rows) < LONG or any(loss.gained > max(loss.least(GAIN), NOISE * loss.noise) for loss in losses):
        return None
    val = losses[0]
    return Flag(
        "stalled",
        f"val_loss is {val.raw[-1]:.4g} after {len(rows)} epochs and began at {val.raw[0]:.4g}: nothing is "
        "learned any more. Compare it with the baselines or the noise floor; else raise optim.lr or "
        "widen the model",
    )


def collapse(what: str, values: np.ndarray, truth: np.ndarray) -> Flag | None:
    """Return a flag where predictions hardly differ from each other although what they predict does.

    Args:
        what: is predicted, such as "forces".
        values, truth: `[samples, …]` predictions and what they shall be; compared column by column, by
            standard deviations over the samples.
    """
    wide, own = np.std(truth.astype(np.float64), axis=0), np.std(values.astype(np.float64), axis=0)
    if not np.isfinite(own).all() or not (wide > 0).any():
        return None
    share = float(np.median(own[wide > 0] / wide[wide > 0]))
    if share >= COLLAPSED:
        return None
    return Flag(
        "collapse",
        f"predicted {what} are nearly all the same: they spread by {share:.1%} of what is measured. "
        "Train on; if it stays so, raise optim.lr, or look whether the targets are noise",
    )


def dead_beads(beads: int, used: int) -> Flag | None:
    """Return a flag where a coarse-graining map leaves beads without particles."""
    if used >= beads:
        return None
    return Flag(
        "dead beads",
        f"{beads - used} of {beads} beads have no particles: the map is one of {used} beads. "
        "Another --seed, a slower annealing of the temperature, or fewer beads",
    )


def ended(error: BaseException, done: int, epochs: int) -> Flag:
    """Return the flag of a training that ended before its time.

    Args:
        error: that ended it.
        done, epochs: epochs that were finished, and that were asked for; 0 of a fit in closed form.
    """
    reason = "it was interrupted" if isinstance(error, KeyboardInterrupt) else _line(error).rstrip(".")
    when = f" after {done} of {epochs} epochs" if epochs else ""
    return Flag("died", f"training ended{when}: {reason}. --resume continues it")


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "…"
