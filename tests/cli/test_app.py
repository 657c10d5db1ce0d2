"""What becomes of an error, of Ctrl-C, of a pipe that closes; and that each verb can be reached."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import typer

from zoo.cli import app
from zoo.cli.output import Json, emit
from zoo.errors import DataError, RunFailed
from zoo.version import __version__


def wrong_request() -> None:
    raise DataError("frame 3 holds NaN.\nRun zoo data check.")


def failed_run() -> None:
    raise RunFailed("the loss is NaN in batch 7")


def bug() -> None:
    raise KeyError("a bug\nof ours")


def interrupted() -> None:
    raise KeyboardInterrupt


def told_to_stop(status: int) -> None:
    raise typer.Exit(status)


def talkative(json: Json = False) -> None:
    print("a remark")
    emit({"answer": 42})


group = typer.Typer()


@group.command()
def inner(count: int = 1) -> None:
    print("inner", count)


@pytest.fixture(autouse=True)
def verbs(monkeypatch):
    for name in ("wrong_request", "failed_run", "bug", "interrupted", "told_to_stop", "talkative"):
        monkeypatch.setitem(app.VERBS, name, app.Verb(f"{__name__}:{name}", ""))
    monkeypatch.setitem(app.VERBS, "group", app.Verb(f"{__name__}:group", ""))
    monkeypatch.setitem(app.VERBS, "gone", app.Verb("zoo.cli.no_such_file:verb", "not there"))
    monkeypatch.delenv("ZOO_DEBUG", raising=False)


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["wrong_request"], 2, "zoo: frame 3 holds NaN.\nRun zoo data check.\n"),
        (["failed_run"], 1, "zoo: the loss is NaN in batch 7\n"),
        (["interrupted"], 130, "zoo: interrupted\n"),
        (["told_to_stop", "3"], 3, ""),
        (["told_to_stop", "0"], 0, ""),
        (["lits"], 2, "zoo: no command 'lits'. Did you mean 'list'?\nSee zoo --help\n"),
        (["list", "--jsn"], 2, "zoo: No such option: --jsn"),
        (["told_to_stop", "x"], 2, "zoo: Invalid value for 'status'"),
        (["told_to_stop"], 2, "zoo: Missing argument 'status'"),
        (["group", "iner"], 2, "zoo: No such command 'iner'"),
    ],
)
def test_errors_are_one_or_two_lines_and_a_status(capsys, arguments, status, told):
    assert app.main(arguments) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.lower().startswith(told.lower())
    assert len(captured.err.splitlines()) <= 2
    assert "Traceback" not in captured.err


def test_a_bug_is_one_line_and_says_how_to_see_more(capsys):
    assert app.main(["bug"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("zoo: internal error: KeyError") and "--debug" in line


@pytest.mark.parametrize("arguments", [["--debug", "bug"], ["bug", "--debug"]])
def test_debug_shows_the_traceback_wherever_it_stands(capsys, arguments):
    assert app.main(arguments) == 1
    told = capsys.readouterr().err
    assert "Traceback" in told and "in bug" in told


def test_debug_after_a_double_dash_is_an_argument(capsys):
    assert app._take_debug(["a", "--", "--debug"]) == (False, ["a", "--", "--debug"])


def test_a_verb_with_subverbs(capsys):
    assert app.main(["group", "inner", "--count", "3"]) == 0
    assert capsys.readouterr().out == "inner 3\n"


def test_a_missing_file_breaks_its_own_verb_only(capsys):
    assert app.main(["--help"]) == 0
    assert "not there" in capsys.readouterr().out
    assert app.main(["gone"]) == 1
    assert app.main(["list", "--json"]) == 0


def test_json_is_alone_on_standard_output(capsys):
    assert app.main(["talkative", "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.out == '{\n  "answer": 42\n}\n' and "a remark" in captured.err


def test_version(capsys):
    assert app.main(["--version"]) == 0
    assert capsys.readouterr().out == f"zoo {__version__}\n"


def test_no_arguments_show_the_help(capsys):
    assert app.main([]) == 2
    captured = capsys.readouterr()
    assert "doctor" in captured.out + captured.err


@pytest.mark.parametrize("verb", [v for v in app.VERBS])
def test_each_verb_can_be_reached(capsys, verb):
    assert app.main([verb, "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
@pytest.mark.parametrize("arguments", ["'list'", "'list', '--json'", "'--help'"])
def test_a_pipe_that_closes_is_no_error_message(arguments):
    code = f"import sys; from zoo.cli.app import main; sys.exit(main([{arguments}]))"
    read, write = os.pipe()
    os.close(read)  # whoever was to read has gone
    try:
        done = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (app.PIPE_CLOSED, "")
