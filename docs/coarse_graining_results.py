"""Keep the tables that `docs/coarse-graining.md` shows, from a finished benchmark, in `docs/results/`.

zoo bench coarse-graining --out bench --json > FOLDER/tables.json
python docs/coarse_graining_results.py FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from boltzmann_results import keep


def main(folder: Path) -> None:
    """Write the tables as the benchmark printed them."""
    found = json.loads((folder / "tables.json").read_text(encoding="utf-8"))
    tables = [{key: table[key] for key in ("title", "header", "rows", "note")} for table in found["tables"]]
    keep("coarse-graining", {"command": "zoo bench coarse-graining", "tables": tables})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
