"""Keep the results that `docs/boltzmann.md` shows, from finished runs, in `docs/results/`.

python docs/boltzmann_results.py bench FOLDER              table and populations of `zoo bench boltzmann`
python docs/boltzmann_results.py runs NAME COMMAND RUN...  a line for each run, docs/results/NAME.json
python docs/boltzmann_results.py data NAME COMMAND RUN...  likelihood and shapes of each run
python docs/boltzmann_results.py shares NAME COMMAND RUN...  basins of each run, raw and reweighted
"""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

os.environ["ZOO_PLUGINS"] = "none"

RESULTS = Path(__file__).resolve().parent / "results"
SHOWN = ("αR", "C7ax", "αL", "φ>0", "cis 1", "cis 2")


def machine() -> str:
    """The processor, in words."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return f"{len(names)} cores of {names[0].split(':')[1].strip()}" if names else platform.processor()


def keep(name: str, record: dict[str, Any]) -> None:
    """Write one record."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **record}, ensure_ascii=False, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def bench(folder: Path) -> None:
    """Table of a benchmark, and the populations of all its rows beside the replica exchange."""
    from zoo.bench.boltzmann.table import boltzmann_table

    records = json.loads((folder / "records.json").read_text(encoding="utf-8"))
    tables = [{"header": t.header, "rows": t.rows, "note": t.note} for t in boltzmann_table(records)]
    command = "zoo bench boltzmann"
    keep("bench", {"command": command, "tables": tables})
    keep("populations", {"command": command, "header": ("method", *SHOWN), "rows": _populations(records)})


def _populations(records: list[dict[str, Any]]) -> list[list[str]]:
    from zoo.bench.boltzmann.table import row_name

    rows: list[list[str]] = []
    for record in records:
        basins = record["metrics"].get("basins", {"value": {}})["value"]
        if not basins:
            continue
        if not rows:
            rows.append(
                ["replica exchange in torch, MBAR", *(_percent(basins[n]["reference"]) for n in SHOWN)]
            )
            rows.append(["OpenMM, second halves of 32 short runs", *_openmm()])
        if all("reweighted" in basins[n] for n in SHOWN) and _speaks(record):
            rows.append([row_name(record), *(_percent(basins[n]["reweighted"]) for n in SHOWN)])
    return rows


def _speaks(record: dict[str, Any]) -> bool:
    """Whether a row's weights say anything: no basin dropped, or the control, and not a handful of draws."""
    metrics = record["metrics"]
    whole = metrics["mode_drop"]["value"].startswith("all basins") or record["model"] == "laplace"
    return bool(whole and metrics["ess"]["value"] > 0.01)


def _openmm() -> list[str]:
    """Share of αR among φ < 0: runs of some ten ps never cross to φ > 0, nor to cis."""
    import numpy as np

    import zoo
    from zoo.analysis.basins import molecular_basins
    from zoo.analysis.peptides import named_torsions
    from zoo.analysis.populations import population
    from zoo.physics.torsions import torsions

    data = zoo.load_dataset("alanine-dipeptide")
    names = named_torsions(data.system)
    angles = torsions(data.array("positions").astype(np.float64), list(names.values()))
    run, time = data.array("run"), data.array("time")
    late = time > np.median(time)
    members = molecular_basins(list(names), angles)
    found = population(members["αR"], late & ~members["φ>0"], None, run)
    return [f"{_percent([found.share, found.error])} (of φ < 0)", *["–"] * (len(SHOWN) - 1)]


def runs(name: str, command: str, folders: list[Path]) -> None:
    """One line for each finished run."""
    from zoo.run import Run

    lines = []
    for folder in folders:
        run = Run(folder)
        results = run.results
        metrics = results["metrics"]
        control = results["baselines"].get("laplace", {})
        lines.append(
            {
                "system": results["dataset"],
                "model": results["model"],
                "seconds": f"{results['seconds']:.0f}",
                "evaluations": _number(metrics, "energy_evaluations", ".2g"),
                "ESS %": _number(metrics, "ess", ".3g", 100),
                "ESS of the control %": _number(control, "ess", ".2g", 100),
                "log Z": _number(metrics, "log_z", ".2f"),
                "verdict": metrics.get("mode_drop", {"value": "–"})["value"],
            }
        )
    keep(name, {"command": command, "runs": lines})


def shares(name: str, command: str, folders: list[Path]) -> None:
    """Raw and reweighted shares of finished runs, below the reference's."""
    from zoo.run import Run

    rows: list[list[str]] = []
    for folder in folders:
        results = Run(folder).results
        basins = results["metrics"]["basins"]["value"]
        if not rows:
            rows.append(["reference", *(_percent(basins[n]["reference"]) for n in SHOWN)])
        for kind in ("raw", "reweighted"):
            rows.append([f"{folder.name}, {kind}", *(_percent(basins[n][kind]) for n in SHOWN)])
    keep(name, {"command": command, "header": ("share, %", *SHOWN), "rows": rows})


def data(name: str, command: str, folders: list[Path]) -> None:
    """Likelihoods and shapes of runs, scored anew."""
    import zoo
    from zoo.run import Run

    header = ("system", "model", "seconds", "NLL", "NLL of the control", "Rg", "bonds", "contacts", "ESS %")
    rows = []
    for folder in folders:
        results, metrics = Run(folder).results, zoo.evaluate(folder)
        keys = [f"{key}_distance" for key in ("radius_of_gyration", "bond_length", "contacts")]
        shapes = [f"{_number(metrics, k, '.3g')} ({_number(metrics, f'{k}_floor', '.2g')})" for k in keys]
        control = results["baselines"].get("laplace", {})
        nll = [_number(m, "nll", ".2f") for m in (metrics, control)]
        ess = _number(metrics, "ess", ".2g", 100)
        rows.append([results["dataset"], results["model"], f"{results['seconds']:.0f}", *nll, *shapes, ess])
    keep(name, {"command": command, "header": header, "rows": rows})


def _number(metrics: dict[str, Any], key: str, form: str, factor: float = 1.0) -> str:
    found = metrics.get(key)
    if found is None or found["value"] is None:
        return "–"
    text, error = format(factor * found["value"], form), found.get("error")
    return text if error is None else f"{text} ± {factor * error:.1g}"


def _percent(pair: list[float | None]) -> str:
    share, error = pair
    if share is None:
        return "–"
    return f"{100 * share:.3g} ± {100 * error:.1g}" if error is not None else f"{100 * share:.3g}"


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    if kind == "bench":
        bench(Path(rest[0]))
    elif kind == "data":
        data(rest[0], rest[1], [Path(folder) for folder in rest[2:]])
    elif kind == "shares":
        shares(rest[0], rest[1], [Path(folder) for folder in rest[2:]])
    else:
        runs(rest[0], rest[1], [Path(folder) for folder in rest[2:]])
