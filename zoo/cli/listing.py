"""`zoo list`, `zoo plugins`, `zoo doctor`: what there is, and whether it works."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli.output import Json, emit, note, table
from zoo.errors import EntryError, UnknownName
from zoo.registry import GROUPS, REGISTRY, Entry
from zoo.registry.discovery import PLUGINS_VARIABLE, allowed_plugins, normalise

if TYPE_CHECKING:
    from zoo.registry.doctor import Check


def list_entries(
    group: Annotated[
        str | None, typer.Argument(help="models, datasets, tasks or benchmarks; default: all.")
    ] = None,
    json: Json = False,
) -> None:
    """List the entries that are installed. Nothing of a plugin is imported."""
    if group is not None and group not in GROUPS:
        raise UnknownName("group", group, GROUPS)
    shown = {g: [_row(e) for e in REGISTRY.entries(g)] for g in GROUPS if group in (None, g)}
    if json:
        emit(shown)
        return
    for key, rows in shown.items():
        cells = [(r["name"], r["summary"] or r["note"], _from(r)) for r in rows]
        if cells:
            # Where all are built-ins, the column that says so is left out.
            columns = 3 if any(cell[2] for cell in cells) else 2
            table((key.upper(), "", "FROM")[:columns], [cell[:columns] for cell in cells])
            print()
        else:
            print(f"{key.upper()}: none\n")
    for name, reason in REGISTRY.found.unreadable:
        note(f"zoo: {name}: {reason}")
    if any(rows for rows in shown.values()):
        print("zoo show NAME says more.")


def _row(entry: Entry) -> dict[str, Any]:
    """One line of the list; only a built-in's (light) spec is imported, for its summary."""
    summary, remark = "", REGISTRY.clash(entry)
    if entry.builtin or entry.spec is not None:
        try:
            summary = REGISTRY.spec(entry).summary
        except EntryError:
            remark = "cannot be used: zoo doctor says why"
    return {
        "name": REGISTRY.call_name(entry),
        "entry": entry.name,
        "summary": summary,
        "distribution": entry.distribution,
        "version": entry.version,
        "builtin": entry.builtin,
        "note": remark,
    }


def _from(row: dict[str, Any]) -> str:
    return "" if row["builtin"] else f"{row['distribution']} {row['version']}".strip()


def plugins(json: Json = False) -> None:
    """List the distributions that add entries, and what they add. Nothing of them is imported."""
    found = REGISTRY.found
    rows: dict[str, dict[str, Any]] = {}
    for on, entries in ((True, found.entries), (False, found.off)):
        for entry in entries:
            if entry.builtin:
                continue
            fresh = {"version": entry.version, "on": on, "entries": []}
            row = rows.setdefault(entry.distribution, {"distribution": entry.distribution, **fresh})
            call = REGISTRY.call_name(entry) if on else entry.qualified
            row["entries"].append({"group": entry.group, "name": call})
    for name, reason in found.unreadable:
        nothing = {"version": "", "on": False, "entries": [], "note": reason}
        rows[name] = {"distribution": name, **nothing}
    missing = sorted((allowed_plugins() or set()) - {normalise(name) for name in rows})
    if missing:
        note(f"zoo: {PLUGINS_VARIABLE} names what is not installed: {', '.join(missing)}")
    if json:
        emit(list(rows.values()))
    elif not rows:
        print("No plugins are installed; all entries are built-ins.")
    else:
        cells = [(r["distribution"], r["version"], _state(r), _added(r)) for r in rows.values()]
        table(("DISTRIBUTION", "VERSION", "", "ADDS"), cells)


def _state(row: dict[str, Any]) -> str:
    return "unreadable" if "note" in row else "on" if row["on"] else f"off ({PLUGINS_VARIABLE})"


def _added(row: dict[str, Any]) -> str:
    kinds = (f"{e['group'].removesuffix('s')} {e['name']}" for e in row["entries"])
    return ", ".join(kinds) or row.get("note", "")


def doctor(
    json: Json = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where each broken entry fails.")
    ] = False,
    seconds: Annotated[
        float, typer.Option(help="Time for all checks; more for a slow machine.", min=1.0)
    ] = 26.0,
) -> None:
    """Try each entry in a process of its own and say what is wrong. Exit status 1: something is."""
    from zoo.registry.doctor import examine

    checks = examine(REGISTRY, seconds)
    ill = [c for c in checks if not c.fine]
    if json:
        emit([{**asdict(c), "fine": c.fine} for c in checks])
    else:
        _print_checks(checks, traceback)
    if ill:
        raise typer.Exit(1)


def _print_checks(checks: list[Check], traceback: bool) -> None:
    rows = [(f"{c.group}/{c.name}" if c.name else "–", c.distribution, c.status) for c in checks]
    table(("ENTRY", "FROM", "STATUS"), rows)
    for check in (c for c in checks if c.status not in ("ok", "off")):
        what = f"{check.group}/{check.name} of " if check.name else ""
        print(f"\n{check.status}: {what}{check.distribution} {check.version}".rstrip())
        print(f"  {check.detail}\n  To repair it: {check.repair}")
        if traceback and check.traceback:
            print("  " + check.traceback.strip().replace("\n", "\n  "))
    ill = [c for c in checks if not c.fine]
    print(f"\n{len(ill)} of {len(checks)} to be repaired." if ill else "\nAll is in order.")
    if not traceback and any(c.traceback for c in ill):
        print("zoo doctor --traceback shows where each fails.")
