"""Run the checks that `docs/data.md` shows, and keep their results in `docs/checks/`.

python docs/data_page.py --check            those of samples that changed since
python docs/data_page.py --check all        those of all samples, as after a change of the checks
python docs/data_page.py --check NAME...    those of these samples
python docs/data_page.py                    say which results are missing or out of date: exit status 1

The checks take minutes; `docs/generate.py` draws the page from the kept results in a moment.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

os.environ["ZOO_PLUGINS"] = "none"
sys.path.insert(0, str(Path(__file__).resolve().parent))

from pages.data import RESULTS, out_of_date, record_path, sample_digest, samples


def run(name: str) -> int:
    """Check one packaged sample and write the results; return how many checks fail."""
    from zoo.verbs.checking import check_dataset

    start = time.perf_counter()
    checks = check_dataset(name)
    record = {
        "name": name,
        "manifest_sha256": sample_digest(name),
        "seconds": round(time.perf_counter() - start, 1),
        "checks": [asdict(check) for check in checks],
    }
    path = record_path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    failed = [check.name for check in checks if check.ok is False]
    print(f"{name}: {len(checks)} checks in {record['seconds']} s", *failed, sep="\n  FAILS ")
    return len(failed)


def main(arguments: list[str]) -> int:
    """Check, or tell what is out of date; return the exit status."""
    if arguments[:1] != ["--check"]:
        old = out_of_date()
        for name, reason in old.items():
            print(f"{name}: {reason}; run `make checks`", file=sys.stderr)
        return 1 if old else 0
    known = samples()
    names = known if arguments[1:] == ["all"] else arguments[1:] or [n for n in out_of_date() if n in known]
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(f"no packaged sample {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    for path in RESULTS.glob("*.json"):
        if path not in {record_path(name) for name in known}:
            path.unlink()
    return 1 if sum([run(name) for name in names]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
