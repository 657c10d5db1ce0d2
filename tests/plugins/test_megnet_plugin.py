"""The complete third-party package in `plugins/`: found, sound, trained; nothing of it is in `zoo/`."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from fabricate import with_plugins

import zoo
from zoo.registry import REGISTRY
from zoo.registry.doctor import examine

PLUGIN = Path(__file__).resolve().parents[2] / "plugins" / "molzoo-megnet"

pytestmark = pytest.mark.skipif(
    find_spec("molzoo_megnet") is None,
    reason="the plugin is not installed: pip install --no-deps --no-build-isolation ./plugins/molzoo-megnet",
)


def test_found_by_its_metadata() -> None:
    for group, name in (("models", "megnet"), ("datasets", "argon")):
        entry = REGISTRY.find(group, name)
        assert entry.distribution == "molzoo-megnet" and not entry.builtin
        assert REGISTRY.find(group, f"molzoo-megnet:{name}") == entry


def test_the_doctor_finds_it_sound() -> None:
    checks = [c for c in examine(REGISTRY) if c.distribution == "molzoo-megnet"]
    assert {c.name: c.status for c in checks} == {"megnet": "ok", "argon": "ok"}


def test_the_zoo_does_not_know_it() -> None:
    sources = Path(zoo.__file__).parent.rglob("*.py")
    knows = [path for path in sources if "molzoo_megnet" in path.read_text(encoding="utf-8")]
    assert not knows


def test_its_own_tests_pass(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(PLUGIN)],
        env=with_plugins(tmp_path),
        cwd=PLUGIN,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_trains_on_its_own_dataset(tmp_path: Path) -> None:
    settings = {"train.frames": 24, "train.batch_size": 4, "model.channels": 16, "model.num_blocks": 2}
    run = zoo.train("megnet", "argon", settings=settings, epochs=1, accelerator="cpu", out=tmp_path / "run")
    assert run.results["metrics"]["force_mae"]["unit"] == "eV/Å"
    assert run.card["distribution"] == "molzoo-megnet"
    assert zoo.load(run.path).info.types == [18]


def test_trains_on_the_zoo_s_datasets(tmp_path: Path) -> None:
    few = {"train.frames": 16, "train.batch_size": 8, "model.channels": 8, "model.num_blocks": 1}
    run = zoo.train(
        "megnet", "alanine-dipeptide", settings=few, epochs=1, accelerator="cpu", out=tmp_path / "a"
    )
    assert "force_mae" in run.results["metrics"]
    few |= {"train.frames": 2, "train.batch_size": 1}
    run = zoo.train("megnet", "kob-andersen", settings=few, epochs=1, accelerator="cpu", out=tmp_path / "k")
    assert "pearson_mean_A" in run.results["metrics"]
