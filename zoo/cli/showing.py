"""`zoo show`: one entry, its options and how to cite it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from zoo.cli.output import Json, emit, note, table
from zoo.errors import EntryError, UnknownName
from zoo.registry import GROUPS, REGISTRY, Entry, Spec


def show(
    name: Annotated[str, typer.Argument(help="An entry's name, or GROUP/NAME, NAME/VARIANT.")],
    json: Json = False,
) -> None:
    """Show what an entry is, its options with their defaults, and how to cite it."""
    entry, variant = _find(name)
    spec = REGISTRY.spec(entry)
    options, problem = _options(spec)
    if problem:
        note(f"zoo: {problem}")
    if json:
        fields = {**asdict(spec), "group": entry.group, "distribution": entry.distribution}
        fields |= {"version": entry.version, "builtin": entry.builtin, "variant": variant}
        emit({**fields, "options": options, "problem": problem})
        return
    title = spec.name if variant is None else f"{spec.name}/{variant}"
    print(f"{title} ({entry.group.removesuffix('s')} of {entry.source})\n  {spec.summary}\n")
    if variant is not None:
        print(f"  {variant}: {getattr(spec, 'variants', {})[variant]}\n")
    for key, value in asdict(spec).items():
        if key in ("name", "summary", "variants", "default_variant", "sources", "api_version") or not value:
            continue
        text = ", ".join(value) if isinstance(value, tuple | list) else str(value)
        print(f"  {key:<11} {text}")
    variants = getattr(spec, "variants", {})
    if variants:
        print("\n  variants")
        for key, text in variants.items():
            print(f"    {spec.name}/{key:<20} {text}")
    sources = getattr(spec, "sources", ())
    if sources:
        print(f"\n  public files: zoo data fetch {spec.name} --source …")
        for source in sources:
            print(f"    {source.name:<20} {source.summary}; {source.license}")
    if options:
        print()
        rows = [(f"  {o['name']}", o["type"], o["default"], o["description"]) for o in options]
        table(("  OPTION", "TYPE", "DEFAULT", ""), rows)


def _find(name: str) -> tuple[Entry, str | None]:
    """The entry that `name` means, in whatever group, and a dataset's variant."""
    head, slash, tail = name.partition("/")
    if slash and head in GROUPS:
        groups, name = [head], tail
    else:
        groups = list(GROUPS)
    bare, _, variant = name.partition("/")
    found: list[Entry] = []
    clash: EntryError | None = None
    for group in groups:
        try:
            found.append(REGISTRY.find(group, bare))
        except UnknownName:
            continue
        except EntryError as error:
            clash = error
    if clash is not None and not found:
        raise clash
    if len(found) > 1:
        choices = " or ".join(f"{e.group}/{name}" for e in found)
        raise UnknownName("one entry", bare, [], f" There are several; say {choices}.")
    if not found:
        known = {n for group in groups for n in REGISTRY.names(group)}
        kind = groups[0].removesuffix("s") if len(groups) == 1 else "entry"
        if len(groups) == 1:
            REGISTRY.find(groups[0], bare)  # raises, with the hints of that group
        raise UnknownName(kind, bare, known)
    if not variant:
        return found[0], None
    if found[0].group != "datasets":
        raise UnknownName(f"variant of {bare!r}", variant, [])
    REGISTRY.split_variant(name)
    return found[0], variant


def _options(spec: Spec) -> tuple[list[dict[str, Any]] | None, str]:
    """Name, type, default and meaning of each option of the config model; or why there are none."""
    try:
        config = REGISTRY.load_config(spec)
    except EntryError as error:
        return None, str(error)
    fields = getattr(config, "model_fields", None)
    if fields is None:
        return [], ""
    described = [
        {
            "name": key,
            "type": _type_name(field.annotation),
            "default": "required" if field.is_required() else _default(field),
            "description": field.description or "",
        }
        for key, field in fields.items()
    ]
    return described, ""


def _default(field: Any) -> Any:
    value = field.get_default(call_default_factory=True)
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    return value


def _type_name(annotation: Any) -> str:
    """`int`, `float | None`, `'silu', 'relu'` …: as it would be written, without module names."""
    if getattr(annotation, "__origin__", None) is not None or not isinstance(annotation, type):
        text = str(annotation).replace("typing.", "").replace("NoneType", "None")
        if text.startswith("Literal["):
            return text.removeprefix("Literal[").removesuffix("]")
        return text
    return annotation.__name__
