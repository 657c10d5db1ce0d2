"""The settings of a run, drawn from `RunConfig`."""

from __future__ import annotations

from pages.markup import NOTICE, options_table
from zoo.config import RunConfig

_ENTRIES = """\
`model`, `task` and `dataset` hold the `name` of an entry. The options of a model and of a task
(`--set model.cutoff=5`, `--set task.energy_weight=0.1`) stand on the
[pages of the entries](../entries/index.md) and in `zoo show NAME`.
"""


def page() -> str:
    """Return the page."""
    parts = [
        NOTICE,
        "# Settings",
        "What `--set KEY=VALUE` and the YAML file of `--config` may hold; how they go together is told",
        "under [Training](../training.md). An unknown key is an error that names the nearest one.\n",
        "## model, task, dataset\n",
        _ENTRIES,
    ]
    for name in ("optim", "train"):
        kind = RunConfig.model_fields[name].annotation
        parts += [f"## {name}\n", f"{(kind.__doc__ or '').strip()}\n", options_table(kind, f"{name}.")]
    return "\n".join(parts)
