from __future__ import annotations

import json
import os
import time
from collections import defaultdict

from fabricate import DIAGNOSES, distribution, plugin, zoo, zoological_horrors

from zoo.registry.discovery import DISTRIBUTION


def running(marker: str) -> list[str]:
    """Command lines of the processes that mention `marker`."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if marker in line:
            found.append(line)
    return found


def test_the_doctor_names_each_fault_in_time(tmp_path):
    zoological_horrors(tmp_path, marker=f"{tmp_path} 600")
    started = time.monotonic()
    done = zoo("doctor", "--json", folder=tmp_path)
    assert time.monotonic() - started < 30  # the limit
    assert done.returncode == 1
    checks = json.loads(done.stdout)
    seen = defaultdict(set)
    for check in checks:
        if check["distribution"] != DISTRIBUTION:
            seen[check["name"]].add(check["status"])
    assert seen == {name: {status} for name, status in DIAGNOSES.items()}
    told = {c["name"]: c for c in checks if c["distribution"] != DISTRIBUTION}
    assert "ValueError: boom" in told["raising"]["detail"]
    assert "Traceback" in told["raising"]["traceback"]
    assert "SIGSEGV" in told["crashing"]["detail"]
    assert "exit status 0" in told["quitting"]["detail"]
    assert "sys.exit(0)" in told["exiting"]["detail"]
    assert "twin-a:twin" in told["twin"]["detail"] and "twin-b:twin" in told["twin"]["detail"]
    assert told["extra"]["repair"] == "pip install 'extra[simulate]'."
    assert all(c["repair"] for c in checks if c["status"] != "ok")
    # What the hanging plugin started is gone with it.
    assert not running(f"{tmp_path} 600")


def test_entries_after_one_that_kills_the_process_are_tried_too(tmp_path):
    points = "[zoo.models]\na = bad:SPEC\nb = good:SPEC\nc = bad:SPEC\nd = good:OTHER\n"
    good = "from zoo.registry.spec import *\n" + "".join(
        f"{label} = ModelSpec(name='{name}', summary='', target='builtins:dict', tasks=('t',))\n"
        for label, name in (("SPEC", "b"), ("OTHER", "d"))
    )
    files = {"bad.py": "import os\nos._exit(7)\n", "good.py": good}
    distribution(tmp_path, "mixed", points, files)
    hollow_builtins(tmp_path)
    checks = json.loads(zoo("doctor", "--json", folder=tmp_path).stdout)
    status = {c["name"]: c["status"] for c in checks if c["distribution"] == "mixed"}
    assert status == {"a": "crashed", "b": "ok", "c": "crashed", "d": "ok"}


def hollow_builtins(folder, source: str = "raise RuntimeError('all is lost')\n") -> None:
    """Hide the real built-ins behind a broken distribution of the same name (first on the path)."""
    plugin(folder, DISTRIBUTION, "schnet", source)


def test_the_doctor_works_when_everything_is_broken(tmp_path):
    hollow_builtins(tmp_path)
    plugin(tmp_path, "raises", "raising", "raise ValueError('boom')\n")
    distribution(tmp_path, "garbled", "[zoo.models]\nthis is no entry point\n")
    done = zoo("doctor", "--traceback", folder=tmp_path)
    assert done.returncode == 1
    for told in ("RuntimeError: all is lost", "ValueError: boom", "garbled", "Traceback"):
        assert told in done.stdout
    assert "3 of 3 to be repaired" in done.stdout


def test_the_doctor_is_content_with_sound_entries(tmp_path):
    plugin(tmp_path, DISTRIBUTION, "schnet")
    plugin(tmp_path, "sound", "m")
    done = zoo("doctor", folder=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "All is in order" in done.stdout


def test_what_is_left_out_is_not_tried(tmp_path):
    plugin(tmp_path, DISTRIBUTION, "schnet")
    plugin(tmp_path, "raises", "raising", "raise ValueError('boom')\n")
    done = zoo("doctor", "--json", folder=tmp_path, ZOO_PLUGINS="none")
    assert done.returncode == 0
    assert {c["name"]: c["status"] for c in json.loads(done.stdout)} == {
        "schnet": "ok",
        "raising": "off",
    }


def test_time_that_runs_out_is_said_of_every_entry_left(tmp_path):
    plugin(tmp_path, DISTRIBUTION, "schnet")
    points = "[zoo.models]\na = hanging_module:SPEC\nb = hanging_module:SPEC\n"
    files = {"hanging_module.py": "import time\ntime.sleep(600)\n"}
    distribution(tmp_path, "hangs", points, files)
    done = zoo("doctor", "--json", "--seconds", "5", folder=tmp_path)
    told = {c["name"]: c for c in json.loads(done.stdout)}
    assert (told["a"]["status"], told["b"]["status"]) == ("timeout", "timeout")
    assert "not reached" in told["b"]["detail"]
