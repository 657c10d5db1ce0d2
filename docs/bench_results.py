"""Keep the tables that a page shows, from a finished benchmark, in `docs/results/NAME.json`.

zoo bench coarse-graining --out bench --json > FOLDER/tables.json
python docs/bench_results.py coarse-graining FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from boltzmann_results import keep


def main(name: str, folder: Path) -> None:
    """Write the tables as the benchmark, or a script beside this one, printed them."""
    found = json.loads((folder / "tables.json").read_text(encoding="utf-8"))
    tables = [{key: table[key] for key in ("title", "header", "rows", "note")} for table in found["tables"]]
    keep(name, {"command": found.get("command", f"zoo bench {name}"), "tables": tables})


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
