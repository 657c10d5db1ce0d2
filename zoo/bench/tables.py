"""Leaderboards and numbers as text for the terminal."""

from __future__ import annotations

from typing import Any

from zoo.bench.suite import Table
from zoo.verbs.compare import Board, Cell, Place


def board_table(board: Board) -> Table:
    """Return a leaderboard as a table: the headline first, then the task's other numbers.

    A metric that is a list over times has its average in a column, and the headline's list beside.
    """
    columns = [key for key in board.columns if key == board.headline or not _is_list(board, key)]
    listed = _is_list(board, board.headline)
    header = ["MODEL", *(_title(board, key, listed) for key in columns)]
    if listed:
        header.insert(2, "BY TIME")
    header += ["PARAMETERS", "SECONDS", "SEEDS", ""]
    rows = [_row(board, place, columns, listed) for place in board.places]
    ceiling = board.ceiling.get(board.headline)
    if ceiling:
        cells = [_number(ceiling.scalar), *([_each(ceiling.value)] if listed else [])]
        rows.append(tuple(["(ceiling)", *cells, *[""] * (len(header) - 1 - len(cells))]))
    better = "larger" if board.larger_is_better else "smaller"
    several = any(place.seeds > 1 for place in board.places)
    spread = "standard deviation over seeds" if several else "standard error over blocks of the test split"
    note = f"{better} is better; ± {spread}" + (
        "; ceiling: what the noise of the data leaves to a perfect model" if ceiling else ""
    )
    return Table(f"{board.dataset} · {board.task}", tuple(header), rows, note)


def _row(board: Board, place: Place, columns: list[str], listed: bool) -> tuple[str, ...]:
    cells = [cell_text(place.cells.get(key)) for key in columns]
    if listed:
        headline = place.cells.get(board.headline)
        cells.insert(1, _each(headline.value) if headline else "–")
    parameters = "–" if place.parameters is None else f"{place.parameters:,}"
    seconds = "–" if place.seconds is None else f"{place.seconds:.1f}"
    seeds = str(place.seeds) if place.parameters is not None else ""
    remark = f"FAILED: {place.error}" if place.error else "best" if place.best else ""
    if not remark and place.fitted:
        remark = "closed form"
    return (place.model, *cells, parameters, seconds, seeds, remark)


def cell_text(cell: Cell | None) -> str:
    """`0.1234 ± 0.005`; a list is averaged over its targets, its spread left to the list."""
    if cell is None or cell.scalar is None:
        return "–"
    if cell.spread is None or isinstance(cell.value, list):
        return _number(cell.scalar)
    return f"{_number(cell.scalar)} ± {cell.spread:.1g}"


def _is_list(board: Board, key: str) -> bool:
    return any(isinstance(p.cells[key].value, list) for p in board.places if key in p.cells)


def _title(board: Board, key: str, listed: bool) -> str:
    unit = next((p.cells[key].unit for p in board.places if key in p.cells), "1")
    average = " (mean over times)" if listed and key == board.headline else ""
    return key + average + ("" if unit == "1" else f" ({unit})")


def _each(value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    return " ".join("–" if v is None else f"{v:.2f}" for v in values)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
