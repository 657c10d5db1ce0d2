"""One table of what matters of a Boltzmann generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.bench.suite import Table
from zoo.verbs.compare import Record

#: Basins whose shares have columns, in percent.
SHOWN = ("αR", "C7ax", "αL", "φ>0", "cis 1", "cis 2")
HEADER = (
    "ROW", "SECONDS", "EVALUATIONS", "ESS %", "CLIPPED", "ELBO", "EUBO", "LOG Z",
    *(f"{name} % RAW → REWEIGHTED" for name in SHOWN), "VERDICT",
)  # fmt: skip


def boltzmann_table(records: Sequence[Record]) -> list[Table]:
    """Return a table with a line for each record, in their order."""
    rows = [_row(record) for record in records]
    reference = next((r for r in (_reference(record) for record in records) if r is not None), None)
    if reference is not None:
        rows.append(reference)
    note = (
        "ESS of all weights ± its spread over ten blocks of draws, and with the largest 1e-4 clipped; ELBO, "
        "EUBO, log Z in nats; shares among trans, of cis among all; evaluations: energies that training cost"
    )
    return [Table("Boltzmann generators", HEADER, rows, note)]


def _row(record: Record) -> tuple[str, ...]:
    metrics = record["metrics"]
    if record.get("error"):
        return (row_name(record), *["–"] * (len(HEADER) - 2), f"FAILED: {record['error']}")
    seconds = record.get("seconds")
    basins = metrics.get("basins", {"value": {}})["value"]
    return (
        row_name(record),
        "–" if seconds is None else f"{seconds:.0f}",
        _number(metrics, "energy_evaluations", ".2g"),
        _number(metrics, "ess", ".1f", 100),
        _number(metrics, "ess_clipped", ".1f", 100),
        _number(metrics, "elbo", ".3f"),
        _number(metrics, "eubo", ".3f"),
        _number(metrics, "log_z", ".3f"),
        *(_shares(basins.get(name)) for name in SHOWN),
        str(metrics.get("mode_drop", {"value": "–"})["value"]),
    )


def row_name(record: Record) -> str:
    """Model and label: the system is the same in all rows."""
    system = record["dataset"].replace("/", "-")
    return str(record["row"]).replace(f"-{system}-", " · ").removesuffix(f"-{system}")


def _reference(record: Record) -> tuple[str, ...] | None:
    basins = record["metrics"].get("basins", {"value": {}})["value"]
    if not basins:
        return None
    cells = [_percent(basins.get(name, {}).get("reference")) for name in SHOWN]
    return ("(reference)", *["–"] * (len(HEADER) - len(SHOWN) - 2), *cells, "")


def _number(metrics: dict[str, Any], key: str, form: str, factor: float = 1.0) -> str:
    found = metrics.get(key)
    if found is None or found["value"] is None:
        return "–"
    text = format(factor * found["value"], form)
    error = found.get("error")
    return text if error is None else f"{text} ± {factor * error:.1g}"


def _shares(basin: dict[str, Any] | None) -> str:
    if basin is None:
        return "–"
    return f"{_percent(basin.get('raw'), False)} → {_percent(basin.get('reweighted'))}"


def _percent(pair: list[float | None] | None, with_error: bool = True) -> str:
    if pair is None or pair[0] is None:
        return "–"
    if pair[0] < 1e-8:  # of weights that a single draw has
        return "0"
    text = f"{100 * pair[0]:.3g}"
    return f"{text} ± {100 * pair[1]:.1g}" if with_error and pair[1] is not None else text
