"""A page for each built-in entry, drawn from its spec, its config model and its packaged sample."""

from __future__ import annotations

import inspect
from typing import Any

from pages import sample
from pages.markup import NOTICE, code, options_table, prose, table
from zoo.registry import GROUPS, REGISTRY, Entry
from zoo.registry.spec import BenchmarkSpec, DatasetSpec, ModelSpec, Spec, TaskSpec


def pages() -> dict[str, str]:
    """Return path and text of the page of each built-in entry, and of the index."""
    builtin = [entry for entry in REGISTRY.entries() if entry.builtin]
    out = {"entries/index.md": _index(builtin)}
    for entry in builtin:
        out[f"entries/{entry.group}/{entry.name}.md"] = _page(entry)
    return out


def _index(builtin: list[Entry]) -> str:
    parts = [
        NOTICE,
        "# Entries",
        "What comes with the tool. `zoo list` shows what plugins add, `zoo show NAME` one entry.\n",
    ]
    for group in GROUPS:
        parts.append(f"## {group.capitalize()}\n")
        rows = [
            (f"[{e.name}]({group}/{e.name}.md)", REGISTRY.spec(e).summary)
            for e in builtin
            if e.group == group
        ]
        parts.append(table(("name", ""), rows))
    return "\n".join(parts)


def _page(entry: Entry) -> str:
    spec = REGISTRY.spec(entry)
    parts = [NOTICE, f"# {spec.name}\n", f"{spec.summary}\n"]
    parts += ["```bash", *_commands(entry.group, spec), "```\n"]
    if isinstance(spec, ModelSpec | TaskSpec):
        parts.append(f"{prose(REGISTRY.load_target(spec))}\n")
    parts.append(table((entry.group.removesuffix("s"), code(spec.name)), _facts(spec)))
    if isinstance(spec, DatasetSpec) and spec.variants:
        parts += [
            "## Variants\n",
            table(("name", ""), [(code(f"{spec.name}/{k}"), v) for k, v in spec.variants.items()]),
        ]
    if isinstance(spec, TaskSpec):
        parts += ["## Metrics\n", f"{prose(REGISTRY.load_target(spec).metrics)}\n"]
    config = REGISTRY.load_config(spec)
    if config is not None and config.model_fields:
        kind = {ModelSpec: "model.", TaskSpec: "task."}.get(type(spec), "")
        parts += ["## Options\n", f"{prose(config)}\n", options_table(config, kind)]
    if isinstance(spec, ModelSpec) and spec.recipes:
        parts += [
            "## Recipes\n",
            "Settings that the model brings for a task; yours win over them.\n",
            _recipes(spec),
        ]
    if isinstance(spec, DatasetSpec):
        parts.append(sample.section(spec))
    return "\n".join(parts).rstrip() + "\n"


def _commands(group: str, spec: Spec) -> list[str]:
    name = spec.name
    if isinstance(spec, ModelSpec):
        pairs = [(task, data) for task in spec.tasks if (data := _example("datasets", task))]
        return [
            f"zoo train {name} {data}" + (f" --task {task}" if i else "")
            for i, (task, data) in enumerate(pairs)
        ] or [f"zoo show {group}/{name}"]
    if isinstance(spec, DatasetSpec):
        lines = [f"zoo data make {name}", f"zoo data check {name}"]
        trainee = _example("models", spec.tasks[0]) if spec.tasks else None
        return [f"zoo train {trainee} {name}", *lines] if trainee else lines
    if isinstance(spec, TaskSpec):
        model, data = _example("models", name), _example("datasets", name)
        return [f"zoo train {model} {data} --task {name}"] if model and data else [f"zoo show tasks/{name}"]
    return [f"zoo bench {name}"]


def _example(group: str, task: str) -> str | None:
    """A built-in that serves a task: the first by name among those that are trained, `schnet` if it does."""
    names = [
        spec.name
        for spec in (REGISTRY.spec(e) for e in REGISTRY.entries(group) if e.builtin)
        if task in getattr(spec, "tasks", ()) and not getattr(spec, "fitted", False)
    ]
    return "schnet" if "schnet" in names else next(iter(names), None)


def _facts(spec: Spec) -> list[tuple[str, str]]:
    rows: list[tuple[str, Any]] = []
    if isinstance(spec, ModelSpec):
        rows += [("tasks", _links("tasks", spec.tasks)), ("symmetries", ", ".join(spec.symmetries) or "none")]
        rows += [("found by", "a fit in closed form" if spec.fitted else "gradient descent")]
    if isinstance(spec, DatasetSpec):
        rows += [("tasks", _links("tasks", spec.tasks)), ("units", code(spec.units))]
    if isinstance(spec, TaskSpec):
        rows += [("baselines", _links("models", spec.baselines))]
        better = "larger" if spec.larger_is_better else "smaller"
        rows += [("ranked by", f"{code(spec.headline)}, {better} is better")]
    if isinstance(spec, BenchmarkSpec):
        rows += [("what it does", prose(inspect.getmodule(REGISTRY.load_target(spec))))]
    rows += [
        (
            "to make it" if isinstance(spec, DatasetSpec) else "needs",
            ", ".join(code(f"molzoo[{e}]") for e in spec.extras),
        )
    ]
    rows += [("cite", spec.citation), ("licence", spec.license), ("target", code(spec.target))]
    return [(key, str(value)) for key, value in rows if value]


def _links(group: str, names: tuple[str, ...]) -> str:
    there = {e.name for e in REGISTRY.entries(group) if e.builtin}
    return ", ".join(f"[{n}](../{group}/{n}.md)" if n in there else code(n) for n in names)


def _recipes(spec: ModelSpec) -> str:
    rows = [
        (task, code(key), code(value))
        for task, recipe in spec.recipes.items()
        for key, value in recipe.items()
    ]
    return table(("task", "setting", "value"), rows)
