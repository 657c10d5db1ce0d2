"""`zoo new`: what it writes installs, passes its own tests and trains as generated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fabricate import environment, zoo

from zoo.cli.scaffold import new_dataset, new_model
from zoo.errors import ConfigError

#: Alanine dipeptide and a model made here, one epoch of few frames.
FEW = ("--epochs", "1", "--set", "train.frames=32", "--set", "train.batch_size=16")


def installed(package: Path, site: Path) -> None:
    """Install a package beside the environment, as pip would into it."""
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*pip, "--disable-pip-version-check", "--target", str(site), str(package)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def own_tests(package: Path, site: Path) -> str:
    """Run the tests that come with a package, as its author does; return pytest's report."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(package)],
        env=environment(site, XDG_CACHE_HOME=str(site / "cache")),
        cwd=package,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_new_model_installs_and_trains(tmp_path: Path) -> None:
    site = tmp_path / "site"
    package = new_model("tiny-net", tmp_path / "source")
    installed(package, site)
    assert "passed" in own_tests(package, site)
    trained = zoo("train", "tiny-net", "alanine-dipeptide", *FEW, "--out", "run", folder=site, timeout=200)
    assert trained.returncode == 0, trained.stderr
    assert "force_mae" in trained.stdout
    assert (site / "run" / "results.json").is_file()


def test_new_dataset_installs_and_trains(tmp_path: Path) -> None:
    site = tmp_path / "site"
    package = new_dataset("three-springs", tmp_path / "source")
    installed(package, site)
    assert "passed" in own_tests(package, site)
    cache = str(tmp_path / "cache")
    trained = zoo(
        "train", "schnet", "three-springs", *FEW, "--out", "run",
        folder=site, timeout=200, XDG_CACHE_HOME=cache,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    assert "force_mae" in trained.stdout


def test_what_is_written_is_said(tmp_path: Path) -> None:
    done = zoo("new", "model", "some-net", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "pip install -e some-net" in done.stdout
    assert "zoo train some-net alanine-dipeptide --epochs 1" in done.stdout
    files = {str(p.relative_to(tmp_path / "some-net")) for p in (tmp_path / "some-net").rglob("*.*")}
    assert {"pyproject.toml", "src/some_net/spec.py", "src/some_net/model.py"} <= files
    assert not [f for f in files if "jinja" in f or "package" in f]
    assert not list(tmp_path.glob(".some-net*")), "a temporary folder is left"


def test_model_fits_a_page(tmp_path: Path) -> None:
    """The template is to be read: model.py of at most 60 lines."""
    package = new_model("some-net", tmp_path / "x")
    assert len((package / "src/some_net/model.py").read_text().splitlines()) <= 60


def test_what_is_written_is_formatted(tmp_path: Path) -> None:
    ruff = pytest.importorskip("ruff", reason="ruff is not installed")
    new_model("some-net", tmp_path / "a")
    new_dataset("some-data", tmp_path / "b")
    command = [ruff.__name__, "format", "--isolated", "--check", "--line-length", "110", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("My Net", "such as 'my-net'"),
        ("2net", "such as 'net'"),
        ("net_", "cannot be a name"),
        ("a--b", "such as 'a-b'"),
        ("../up", "such as 'up'"),
        ("", "cannot be a name"),
        ("schnet", "already, of molzoo"),
        ("torch", "is a Python module already"),
        ("class", "is a Python module already"),
        ("json", "is a Python module already"),
    ],
)
def test_names_that_cannot_be(name: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=says):
        new_model(name, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_name_of_a_dataset_may_be_that_of_a_model(tmp_path: Path) -> None:
    """Groups have names of their own; but the package's name must be free."""
    assert new_dataset("harmonic", tmp_path / "x").is_dir()
    with pytest.raises(ConfigError, match="alanine-dipeptide"):
        new_dataset("alanine-dipeptide", tmp_path / "y")


def test_folder_that_exists_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(ConfigError, match="exists already"):
        new_model("some-net", tmp_path / "mine")
    assert not list((tmp_path / "mine").iterdir())


def test_refused_from_the_command_line(tmp_path: Path) -> None:
    done = zoo("new", "model", "Some Net", folder=tmp_path)
    assert done.returncode == 2 and "some-net" in done.stderr and "Traceback" not in done.stderr
