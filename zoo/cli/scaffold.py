"""`zoo new`: write a plugin that installs, passes its own tests and trains as it is."""

from __future__ import annotations

import keyword
import re
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from zoo.errors import ConfigError
from zoo.registry import REGISTRY

app = typer.Typer(no_args_is_help=True, help="Write a plugin that works, to start from.")

Name = Annotated[str, typer.Argument(help="Its name in the registry, such as my-model.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to make; default: NAME.")]


@app.command("model")
def model(name: Name, out: Out = None) -> None:
    """Write the package of a model."""
    folder = new_model(name, out)
    _tell(folder, f"zoo train {name} alanine-dipeptide --epochs 1")


@app.command("dataset")
def dataset(name: Name, out: Out = None) -> None:
    """Write the package of a dataset."""
    folder = new_dataset(name, out)
    _tell(folder, f"zoo train schnet {name} --epochs 1")


def new_model(name: str, out: Path | None = None) -> Path:
    """Write the package of a model into the folder `out` (default: `name`) and return the folder.

    Raises:
        ConfigError: the name cannot be one, or is taken; or the folder exists.
    """
    return _write("model", name, out)


def new_dataset(name: str, out: Path | None = None) -> Path:
    """Write the package of a dataset into the folder `out` (default: `name`) and return the folder.

    Raises:
        ConfigError: the name cannot be one, or is taken; or the folder exists.
    """
    return _write("dataset", name, out)


def _write(kind: str, name: str, out: Path | None) -> Path:
    package = _check_name(kind, name)
    folder = Path(name) if out is None else Path(out)
    if folder.exists():
        raise ConfigError(f"{folder} exists already; choose another --out")

    from jinja2 import Environment, StrictUndefined

    from zoo.version import __version__

    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    words = {
        "kind": kind,
        "name": name,
        "package": package,
        "class_name": "".join(part.capitalize() for part in name.split("-")),
        "version": __version__,
    }
    templates = Path(__file__).parent.parent / "scaffold" / kind
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for template in sorted(templates.rglob("*.jinja")):
            path = template.relative_to(templates).with_suffix("")
            target = temporary.joinpath(*(package if part == "package" else part for part in path.parts))
            target.parent.mkdir(parents=True, exist_ok=True)
            text = environment.from_string(template.read_text(encoding="utf-8")).render(words)
            target.write_text(text, encoding="utf-8")
        temporary.chmod(0o755)
        temporary.rename(folder)
    except OSError as error:
        raise ConfigError(f"cannot write {folder}: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _check_name(kind: str, name: str) -> str:
    """Return the package for a name. Raises `ConfigError` if the name cannot be used."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        hint = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")
        suggestion = f", such as {hint!r}" if hint else ""
        raise ConfigError(
            f"{name!r} cannot be a name: small letters, digits and single '-' are fine{suggestion}"
        )
    package = name.replace("-", "_")
    taken = [e for e in REGISTRY.entries(f"{kind}s") if e.name == name]
    if taken:
        raise ConfigError(f"there is a {kind} {name!r} already, of {taken[0].source}; choose another name")
    if keyword.iskeyword(package) or package in sys.stdlib_module_names or find_spec(package) is not None:
        raise ConfigError(f"{package!r} is a Python module already; choose another name, such as 'my-{name}'")
    return package


def _tell(folder: Path, train: str) -> None:
    print(f"{folder} is written, and works as it is:\n")
    for line in (f"pip install -e {folder}", f"pytest {folder}", train):
        print(f"  {line}")
