"""The samples of a look: what a network makes of frames or of particles, and what else is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.analysis.free_energy import blocks_of
from zoo.analysis.latent.maps import principal
from zoo.data.dataset import Frames
from zoo.data.joined import JoinedDataset
from zoo.errors import ConfigError, UnknownName
from zoo.models.latents import Latent, latent_of
from zoo.tasks.base import Task
from zoo.verbs.embed import LATENT, embed_layers
from zoo.verbs.inside.latent.observables import Observable, of_frames, of_particles
from zoo.verbs.inside.latent.options import Options
from zoo.verbs.inside.subject import Subject

#: Samples of a look, at most: of frames unless `--frames` says otherwise, of particles always.
MOST = 1000
#: Blocks that frames are cut into, at least: what shuffles exchange.
BLOCKS = 24
#: Columns that are looked at one by one; of a wider latent, so many of its principal components.
WIDEST, COMPONENTS = 16, 8


@dataclass(frozen=True)
class Samples:
    """What a look is taken at.

    Args:
        frames: that the samples are of.
        layers: `[n, columns]` by name, in the order of depth; the last one is looked at.
        names: of the columns of the last layer.
        periods: of the same; None of a plain one.
        run, block: `[n]` independent run and block of time of each sample.
        observables: by name.
        part: `[n]` which of joined datasets a sample comes from; None if there is but one.
        part_names: of these.
        rows: `[n, 2]` frame and particle where samples are particles; None where they are frames.
    """

    frames: Frames
    layers: dict[str, np.ndarray]
    names: list[str]
    periods: list[float | None]
    run: np.ndarray
    block: np.ndarray
    observables: dict[str, Observable]
    part: np.ndarray | None
    part_names: list[str]
    rows: np.ndarray | None

    @property
    def layer(self) -> str:
        """Name of the layer that is looked at."""
        return next(reversed(self.layers))

    @property
    def values(self) -> np.ndarray:
        """`[n, columns]` of the layer that is looked at."""
        return self.layers[self.layer]

    @property
    def flat(self) -> np.ndarray:
        """The same with cosine and sine in place of columns that have a period."""
        return flat(self.values, self.periods)

    def components(self) -> tuple[np.ndarray, list[str], list[float | None]]:
        """Columns that are looked at one by one, their names and periods: all, or those that lead."""
        width = self.values.shape[1]
        if width <= WIDEST or any(self.periods):  # of a flow: the first, which are its torsions
            return self.values[:, :WIDEST], self.names[:WIDEST], self.periods[:WIDEST]
        found = principal(self.values, COMPONENTS).project(self.values)
        return found, [f"PC{k + 1}" for k in range(found.shape[1])], [None] * found.shape[1]


def flat(values: np.ndarray, periods: Sequence[float | None]) -> np.ndarray:
    """Replace columns that have a period by cosine and sine, both behind the plain ones, `[n, …]`."""
    round_ = np.array([p is not None for p in periods], bool)
    if not round_.any():
        return values
    speed = np.array([2 * np.pi / p for p in periods if p is not None])
    angle = values[:, round_] * speed
    return np.concatenate([values[:, ~round_], np.cos(angle), np.sin(angle)], 1)


def samples_of(
    subject: Subject, options: Options, count: int | None, seed: int
) -> tuple[Samples, Latent | None]:
    """Embed frames of the subject's split, evenly spaced in time; also the space that they lie in, if it
    can be decoded.

    Raises:
        ConfigError, UnknownName: an option does not suit the model.
        DataError: the frames do not suit the model.
    """
    task = subject.trained
    own = subject.split if subject.split in subject.data.manifest.splits else "all"
    every = subject.data.split(options.split or own)
    particles = task.interface == "node" if options.particles is None else options.particles
    if particles and task.interface not in ("node", "potential"):
        raise ConfigError("particles are samples of networks of nodes; leave `particles` out")
    most = MOST if count is None else count
    frames = Frames(subject.data, every.index[:: -(-len(every) // most)], every.name)
    if particles:
        return _of_particles(task, frames, options, seed), None
    layers = embed_layers(task, frames, _layers_wanted(task, options))
    layers = _up_to(layers, options.layer)
    space = None
    width = next(reversed(layers.values())).shape[1]
    names: list[str] = [f"c{k + 1}" for k in range(width)]
    periods: list[float | None] = [None] * width
    if list(layers) == [LATENT]:
        space = latent_of(task.model, subject.data.system)
        names = space.names
        if len(space.names) == len(space.periods):
            periods = space.periods
    run = subject.data.runs()[frames.index]
    part, part_names = _parts(frames)
    return Samples(
        frames=frames, layers=layers, names=names, periods=periods, run=run, block=blocks_of(run, BLOCKS),
        observables=of_frames(frames, options.observables), part=part, part_names=part_names, rows=None,
    ), space  # fmt: skip


def same_layers(task: Task, samples: Samples) -> dict[str, np.ndarray]:
    """Return what another network makes of the same samples, by layer, angles as cosine and sine."""
    if samples.rows is None:
        found = embed_layers(task, samples.frames)
        if list(found) == [LATENT]:
            space = latent_of(task.model, samples.frames.dataset.system)
            if len(space.names) == len(space.periods):
                found = {LATENT: flat(found[LATENT], space.periods)}
        return found
    found = embed_layers(task, samples.frames, nodes=True)
    return {name: values[tuple(samples.rows.T)] for name, values in found.items()}


def _layers_wanted(task: Task, options: Options) -> list[str] | None:
    if task.interface in ("density", "autoencoder"):
        return None if options.layer in (None, LATENT) else [str(options.layer)]
    return None


def _up_to(layers: dict[str, np.ndarray], last: str | None) -> dict[str, np.ndarray]:
    """Layers with the one that is looked at behind all others, and without those that never vary."""
    if last is not None and last not in layers:
        raise UnknownName("layer", last, layers)
    last = last or next(reversed(layers))
    return {**varying({name: v for name, v in layers.items() if name != last}), last: layers[last]}


def varying(layers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Leave out layers that are the same for all samples, up to rounding: an embedding of types."""
    return {n: v for n, v in layers.items() if np.ptp(v, axis=0).max() > 1e-6 * np.abs(v).max()}


def _of_particles(task: Task, frames: Frames, options: Options, seed: int) -> Samples:
    system = frames.dataset.system
    names = {name: kind for kind, name in system.type_names.items()}
    if options.type is not None and options.type not in names:
        raise UnknownName("type of particles", options.type, names)
    kinds, counts = np.unique(system.types, return_counts=True)
    kind = names[options.type] if options.type is not None else int(kinds[counts.argmax()])
    own = np.flatnonzero(system.types == kind)
    at, particle = (a.ravel() for a in np.meshgrid(np.arange(len(frames)), own, indexing="ij"))
    rows = np.stack([at, particle], 1)
    picked = np.sort(np.random.default_rng(seed).permutation(len(rows))[:MOST])
    rows = rows[picked]
    layers = {n: v[tuple(rows.T)] for n, v in embed_layers(task, frames, nodes=True).items()}
    layers = _up_to(layers, options.layer)
    width = next(reversed(layers.values())).shape[1]
    return Samples(
        frames=frames, layers=layers, names=[f"c{k + 1}" for k in range(width)], periods=[None] * width,
        run=frames.dataset.runs()[frames.index][rows[:, 0]], block=_particle_blocks(rows),
        observables=of_particles(frames, rows, options.observables), part=None, part_names=[], rows=rows,
    )  # fmt: skip


def _particle_blocks(rows: np.ndarray) -> np.ndarray:
    """Configurations, each cut into groups of particles where there are few."""
    return blocks_of(rows[:, 0], BLOCKS)


def _parts(frames: Frames) -> tuple[np.ndarray | None, list[str]]:
    data = frames.dataset
    if not isinstance(data, JoinedDataset):
        return None, []
    return data.part_of(frames.index), [part.name for part in data.parts]
