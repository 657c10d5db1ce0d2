"""Leaderboards as text for the terminal."""

from __future__ import annotations

from zoo.bench.suite import Table
from zoo.verbs.compare import Board, Cell, Place

NOTHING = Cell(None, None, "")


def board_table(board: Board) -> Table:
    """Return a leaderboard as a table: the headline first, then the task's other numbers.

    Of metrics that are lists over times, only the headline is shown: its average and each time.
    """
    listed = board.listed(board.headline)
    columns = [key for key in board.columns if key == board.headline or not board.listed(key)]
    header = ["MODEL", *(_title(board, key) for key in columns)]
    if listed:
        header.insert(2, "AT EACH TIME")
    header += ["PARAMETERS", "SECONDS", "SEEDS", ""]
    rows = [_row(board, place, columns, listed) for place in board.places]
    ceiling = board.ceiling.get(board.headline)
    if ceiling:
        cells = [ceiling.text(), *([ceiling.each()] if listed else [])]
        rows.append(("(ceiling)", *cells, *[""] * (len(header) - 1 - len(cells))))
    return Table(f"{board.dataset} · {board.task}", tuple(header), rows, board.note())


def _row(board: Board, place: Place, columns: list[str], listed: bool) -> tuple[str, ...]:
    cells = [place.cells.get(key, NOTHING).text() for key in columns]
    if listed:
        cells.insert(1, place.cells.get(board.headline, NOTHING).each())
    parameters = "–" if place.parameters is None else f"{place.parameters:,}"
    seconds = "–" if place.seconds is None else f"{place.seconds:.1f}"
    remark = f"FAILED: {place.error}" if place.error else "best" if place.best else ""
    if not remark and place.fitted:
        remark = "closed form"
    return (place.label, *cells, parameters, seconds, str(place.seeds or ""), remark)


def _title(board: Board, key: str) -> str:
    average = ", mean over times" if board.listed(key) else ""
    unit = board.unit(key)
    return f"{key}{average}" + (f" ({unit})" if unit else "")
