"""`zoo analyze … conformations`: statistics of what a network makes, or of what a dataset or a file holds."""

from __future__ import annotations

from zoo.progress import progress
from zoo.verbs.inside.conformations.compare import histograms, surfaces
from zoo.verbs.inside.conformations.contacts import contacts
from zoo.verbs.inside.conformations.found import Found
from zoo.verbs.inside.conformations.groups import basins, clusters
from zoo.verbs.inside.conformations.kinetics import kinetics
from zoo.verbs.inside.conformations.options import Options
from zoo.verbs.inside.conformations.quantities import Quantity, quantities
from zoo.verbs.inside.conformations.sample import Sample
from zoo.verbs.inside.conformations.source import conformations_of, reference_of
from zoo.verbs.inside.conformations.space import Space, lag_of, space
from zoo.verbs.inside.conformations.structure import secondary
from zoo.verbs.inside.conformations.verdicts import flags
from zoo.verbs.inside.record import Inside
from zoo.verbs.inside.subject import Subject

__all__ = ["Options", "look"]


def look(
    subject: Subject, options: Options, *, against: Subject | None, frames: int | None, seed: int
) -> Inside:
    """Look at conformations.

    Args:
        subject: run of a density (its draws), an autoencoder (decoded frames, or draws where it generates) or
            a potential (the simulation of `zoo sample`, or else a short one); a dataset; a file.
        options: settings.
        against: the reference; None: for a run the split of its own data, for a dataset or file nothing.
        frames: how many conformations.
        seed: of draws, cluster starts and errors.

    Raises:
        ConfigError: the run makes no conformations, or an option is for another kind of subject.
        DataError: periodic data, other particles than the reference's, or positions that are not finite.
        RunFailed: nothing that the network makes is finite.
    """
    own = conformations_of(subject, options, frames, seed)
    other = reference_of(subject, against, options, frames, seed)
    if options.lag is not None and own.spacing is not None:
        lag_of(own, options.lag)
    record = Inside("conformations", subject.label)
    with progress("looking at conformations", len(PARTS) + 1, "parts") as bar:
        found_quantities, sites, left_out = quantities(own, other, options.contact)
        coordinates = space(own, other, options.lag)
        found_quantities += _of_space(coordinates)
        found = Found(record, own, other, options, seed, found_quantities, sites, coordinates)
        record.facts |= _facts(found, left_out)
        bar.advance()
        for part in PARTS:
            part(found)
            bar.advance()
    flags(found, {} if against is not None else subject.data.manifest.provenance)
    return record


#: What is done, in this order.
PARTS = (histograms, surfaces, contacts, secondary, kinetics, clusters, basins)


def _of_space(found: Space | None) -> list[Quantity]:
    if found is None:
        return []
    return [
        Quantity(name, "1", None, found.own[:, [k]], None if found.other is None else found.other[:, [k]])
        for k, name in enumerate(found.names[:2])
    ]


def _facts(found: Found, left_out: dict[str, str]) -> dict:
    def told(sample: Sample) -> dict:
        return {"label": sample.label, "what": sample.what, "frames": len(sample), **sample.facts}

    own, other = found.own, found.other
    return {
        "options": found.options.model_dump(),
        "seed": found.seed,
        "conformations": told(own),
        "reference": None if other is None else told(other),
        "time": own.no_time or f"frames {own.spacing:g} {own.units.time} apart",
        "units": {"length": own.units.length, "time": own.units.time},
        "rmsd_to": "the frame of the " + ("subject" if other is None else "reference")
        + " whose mean RMSD to others is least, heavy atoms",
        "left_out": left_out,
    }  # fmt: skip
