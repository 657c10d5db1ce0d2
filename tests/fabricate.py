"""Distributions that look installed: a folder with `*.dist-info` and modules, put on the path.

What pip would leave in site-packages, without pip's seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from zoo.registry import DISTRIBUTION

#: The head of a light spec module.
IMPORTS = "from zoo.registry.spec import *\n"


def distribution(
    folder: Path,
    name: str,
    entry_points: str,
    modules: Mapping[str, str] | None = None,
    version: str = "1.0",
) -> None:
    """Write the metadata and modules of one distribution into `folder`.

    `entry_points` is the text of entry_points.txt; `modules` maps file names to source.
    """
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: fabricated\n"
    (info / "METADATA").write_text(metadata + "\nA long description.\n")
    (info / "entry_points.txt").write_text(textwrap.dedent(entry_points))
    for file, source in (modules or {}).items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(source)


def model(name: str, module: str, target: str = "Model", **fields: object) -> str:
    """Source of a module that holds the spec of a model, and its target."""
    fields = {"tasks": ("forces",), "summary": f"model {name}", **fields}
    given = ", ".join(f"{k}={v!r}" for k, v in fields.items())
    spec = f"SPEC = ModelSpec(name={name!r}, target='{module}:{target}', {given})\n"
    return IMPORTS + spec + "class Model:\n    pass\n"


def plugin(folder: Path, name: str, entry: str, source: str | None = None) -> None:
    """Write a distribution with one model, whose module is `source` (default: a sound one)."""
    module = name.replace("-", "_") + "_plugin"
    points = f"[zoo.models]\n{entry} = {module}:SPEC\n"
    text = model(entry, module) if source is None else source
    distribution(folder, name, points, {f"{module}.py": text})


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a child process that sees the distributions in `folder`, and no other plugin."""
    _hide_real_plugins(folder)
    return with_plugins(folder, **more)


def with_plugins(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a child process that sees what is in `folder` and what is installed."""
    path = os.pathsep.join(p for p in (str(folder), os.environ.get("PYTHONPATH", "")) if p)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ZOO_")}
    return {**kept, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **more}


def _hide_real_plugins(folder: Path) -> None:
    """Shadow what is installed here: of two distributions of one name the first on the path counts."""
    for real in metadata.distributions():
        name = real.metadata["Name"]
        adds = any(point.group.startswith("zoo.") for point in real.entry_points)
        info = folder / f"{name.replace('-', '_')}-{real.version}.dist-info"
        if adds and name != DISTRIBUTION and not list(folder.glob(f"{name.replace('-', '_')}-*.dist-info")):
            info.mkdir(parents=True)
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {real.version}\n")


def zoo(*arguments: str, folder: Path, timeout: float = 60, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a fresh interpreter that sees the distributions in `folder`."""
    code = "import sys; from zoo.cli.app import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment(folder, **more),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def best_time(*command: str, folder: Path) -> float:
    """Seconds of processor time that `command` takes, best of several runs.

    On a machine with nothing else to do that is the time on the clock (one thread, no waiting);
    unlike the clock, it says the same on a machine that runs other tests.
    """
    taken = []
    for _ in range(5):
        process = subprocess.Popen(command, env=environment(folder), cwd=folder, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        taken.append(usage.ru_utime + usage.ru_stime)
    return min(taken)


def zoological_horrors(folder: Path, marker: str = "600") -> None:
    """Install every sort of plugin that goes wrong, beside one that is sound.

    `marker` stands in the command line of the process that the hanging one leaves behind.
    """
    plugin(folder, "good-plugin", "good")
    plugin(folder, "raises", "raising", "raise ValueError('boom')\n")
    plugin(folder, "syntax", "unparsable", "def f(:\n")
    plugin(folder, "exits", "exiting", "import sys\nsys.exit(0)\n")
    plugin(folder, "os-exits", "quitting", "import os\nos._exit(0)\n")
    plugin(folder, "segfaults", "crashing", "import ctypes\nctypes.string_at(0)\n")
    plugin(folder, "lacks", "lacking", "import a_package_that_nobody_has\n")
    slow = "import time\ntime.sleep(10)\n" + model("sleeping", "sleeps_plugin")
    plugin(folder, "sleeps", "sleeping", slow)
    hang = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"code = 'import time; time.sleep(600) # {marker}'\n"
        "subprocess.Popen([sys.executable, '-c', code])\n"
        "time.sleep(600)\n"
    )
    plugin(folder, "hangs", "hanging", hang)
    plugin(folder, "future", "tomorrow", model("tomorrow", "future_plugin", api_version=99))
    plugin(folder, "usurper", "schnet")
    plugin(folder, "twin-a", "twin")
    plugin(folder, "twin-b", "twin")
    gone = model("gone", "gone_plugin", target="NoSuchClass")
    plugin(folder, "gone", "gone", gone)
    nowhere = model("nowhere", "no_such_module_anywhere")
    plugin(folder, "nowhere", "nowhere", nowhere)
    plugin(folder, "dict-type", "dictionary", "SPEC = {'name': 'dictionary'}\n")
    wrong = IMPORTS + "SPEC = TaskSpec(name='tasky', summary='', target='builtins:dict')\n"
    plugin(folder, "task-type", "tasky", wrong)
    plugin(folder, "misnamed", "misnamed", model("another-name", "misnamed_plugin"))
    loud = "import os\nprint('LOUD')\nos.write(1, b'LOUDER')\n" + model("loud", "loud_plugin")
    plugin(folder, "loud", "loud", loud)
    extra = model("extra", "extra_plugin", extras=("simulate",), requires=("a_package_that_nobody_has",))
    plugin(folder, "extra", "extra", extra)


#: What the doctor must say of each entry of `zoological_horrors`.
DIAGNOSES = {
    "good": "ok",
    "raising": "broken",
    "unparsable": "broken",
    "exiting": "broken",
    "quitting": "crashed",
    "crashing": "crashed",
    "lacking": "missing dependency",
    "sleeping": "slow",
    "hanging": "timeout",
    "tomorrow": "incompatible API",
    "schnet": "conflict",
    "twin": "conflict",
    "gone": "target missing",
    "nowhere": "target missing",
    "dictionary": "wrong type",
    "tasky": "wrong type",
    "misnamed": "broken",
    "loud": "ok",
    "extra": "missing extra",
}
