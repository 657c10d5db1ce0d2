"""The documentation: its tutorial runs, its generated pages are current, and what it names exists."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted(
    [*DOCS.rglob("*.md"), *(REPOSITORY / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG"))]
)
sys.path[:0] = [str(DOCS), str(Path(__file__).parent)]

from pages.commands import verbs  # noqa: E402
from walk import blocks, lines  # noqa: E402


def relative(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def child(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "ZOO_PLUGINS": "none", "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, env=env, capture_output=True, text=True, timeout=250
    )


#: Pages whose blocks run, and a file that one of their commands leaves.
WALKED = {
    "tutorial.md": "report.html",
    "conformations.md": "inside/insulin/conformations.html",
    "latent.md": "runs/rings/inside/latent.html",
    "layers.md": "looks/layers.html",
}


@pytest.mark.parametrize("page", WALKED)
def test_page_runs(page: str, tmp_path: Path) -> None:
    done = child(str(Path(__file__).with_name("walk.py")), str(DOCS / page), cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert (tmp_path / WALKED[page]).is_file()


def test_walk_stops_at_the_first_block_that_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for failing in ("```bash\nzoo show nowhere\n```", "```bash\nfalse\n```", "```python\n1 / 0\n```"):
        page.write_text(f"# Page\n\n```python\nx = 1\n```\n\n{failing}\n\n```bash\ntouch reached\n```\n")
        done = child(str(Path(__file__).with_name("walk.py")), str(page), cwd=tmp_path)
        assert done.returncode == 1
        assert "line 8: this block failed" in done.stderr
        assert not (tmp_path / "reached").exists()


def test_generated_pages_are_current() -> None:
    done = child(str(DOCS / "generate.py"), "--check", cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr


def test_each_built_in_has_a_page() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {
        f"{group.removeprefix('zoo.')}/{name}.md"
        for group, entries in project["entry-points"].items()
        for name in entries
    }
    written = {path.relative_to(DOCS / "entries").as_posix() for path in (DOCS / "entries").glob("*/*.md")}
    assert written == declared


# --- commands ------------------------------------------------------------------------------------

COMMANDS = verbs()


def commands_of(page: Path) -> list[str]:
    """Every `zoo …` of a page: lines of fenced blocks, and code within the text."""
    fenced = [line for block in blocks(page, ("bash", "text", "console")) for line in lines(block.text)]
    prose = re.sub(r"^```.*?^```\s*$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    found = [re.sub(r"^(\w+=\S+ )+", "", text) for text in [*fenced, *re.findall(r"`([^`\n]+)`", prose)]]
    return [text for text in found if re.match(r"zoo( |$)", text)]


def problem(text: str) -> str:
    """What is wrong with a command, "" if nothing: its verb, sub-verb, options, and settings."""
    words = shlex.split(text.replace("…", "").split(" > ")[0], comments=True)[1:]
    if not words or words[0].startswith("-") or words[0] == "VERB":
        return ""
    name = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]
    if name not in COMMANDS:
        below = [command for command in COMMANDS if command.startswith(f"{name} ")]
        return "" if below and len(words) == 1 else f"no verb {name!r}"
    command = COMMANDS[name]
    options = {option for parameter in command.params for option in parameter.opts} | {"--debug", "--help"}
    for word in words:
        if word.startswith("--") and word.split("=")[0] not in options:
            return f"{name} has no option {word}"
    for before, after in pairwise(words):
        if before == "--set" and name == "train" and "=" in after and not is_setting(words, after):
            return f"no setting {after}"
    return ""


def is_setting(words: list[str], assignment: str) -> bool:
    """Whether a `--set` of `zoo train MODEL DATASET` names a field of the settings or of the model."""
    from zoo.config import RunConfig
    from zoo.registry import REGISTRY

    section, _, key = assignment.split("=")[0].partition(".")
    if section == "model":
        return key in REGISTRY.load_config(REGISTRY.get("models", words[1])).model_fields
    if section == "dataset":
        return key == "weights"
    if section == "task":
        specs = [REGISTRY.get("tasks", task) for task in REGISTRY.get("models", words[1]).tasks]
        return any(key in REGISTRY.load_config(spec).model_fields for spec in specs)
    annotation = RunConfig.model_fields[section].annotation if section in RunConfig.model_fields else None
    kinds = (annotation, *get_args(annotation))  # settings that may be absent
    return any(key in getattr(kind, "model_fields", {}) for kind in kinds)


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_commands_exist(page: Path) -> None:
    wrong = {text: found for text in commands_of(page) if (found := problem(text))}
    assert not wrong


@pytest.mark.parametrize(
    "text",
    [
        "zoo fly schnet",
        "zoo data fly",
        "zoo train schnet alanine-dipeptide --epoch 3",
        "zoo train schnet alanine-dipeptide --set train.epoch=3",
        "zoo train schnet alanine-dipeptide --set model.hidden=3",
        "zoo train schnet alanine-dipeptide --set nothing.lr=3",
    ],
)
def test_wrong_commands_are_noticed(text: str) -> None:
    assert problem(text)


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.M))
    named = set()
    for page in PAGES:
        for command in re.findall(
            r"(?:^|`)make ((?:[a-z]+ ?)+)(?=`|\s|$)", page.read_text(encoding="utf-8"), re.M
        ):
            named |= set(command.split())
    assert {"demo", "test"} <= named <= targets


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_python_of_the_pages_imports_what_exists(page: Path) -> None:
    for block in blocks(page, ("python",)):
        for node in ast.walk(ast.parse(block.text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("zoo"):
                module = import_module(node.module or "")
                assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "zoo"
            ):
                assert hasattr(import_module("zoo"), node.attr), ast.unparse(node)


# --- links ---------------------------------------------------------------------------------------


def slugs(page: Path) -> set[str]:
    """Anchors of a page's headings, as Markdown processors make them."""
    prose = re.sub(r"^```.*?^```\s*$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    titles = re.findall(r"^#+ (.*)$", prose, re.M)
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower()) for title in titles}


def broken_links(page: Path) -> list[str]:
    """Links to files or headings that are not there."""
    prose = re.sub(r"^```.*?^```\s*$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    out = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or (anchor and anchor not in slugs(target)):
            out.append(link)
    return out


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    assert not broken_links(page)


def test_broken_links_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# Some title\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#some-title) [c](gone.md) [d](there.md#other) [e](https://x.org)\n"
    )
    assert broken_links(page) == ["gone.md", "there.md#other"]


def test_every_page_is_in_the_navigation() -> None:
    config = yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8"))
    named = set(re.findall(r"[\w/-]+\.md", str(config["nav"])))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    pages = {page for page in pages if not page.startswith("checks/")}  # parts of data.md
    assert pages == named | {page for page in pages if re.match(r"entries/\w+/", page)}  # added by the hook


def test_nothing_is_fetched_from_elsewhere() -> None:
    """The pages open offline: no font, script or picture of another host in theme or pages."""
    config = yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8"))
    assert config["theme"]["font"] is False
    assert all(
        (DOCS / name).is_file() for key in ("extra_css", "extra_javascript") for name in config.get(key, [])
    )
    for page in PAGES:
        assert not re.findall(r"!\[[^]]*\]\(https?://|<script|<img", page.read_text(encoding="utf-8")), page
