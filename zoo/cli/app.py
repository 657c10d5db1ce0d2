"""The command line: which verbs there are, and what becomes of an error.

A verb's file is imported when the verb is used, so that `zoo --help` stays quick and one broken
file breaks its own verbs only. To add a verb: write a function with typer annotations in a file of
`zoo/cli/` (heavy imports inside the function), or a `typer.Typer` for a verb with sub-verbs, and
add its line to `VERBS`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from zoo.errors import ZooError, did_you_mean


class Verb(NamedTuple):
    """One line of `zoo --help`: where the verb lives (`module:function` or `module:Typer`)."""

    where: str
    help: str


VERBS = {
    "list": Verb("zoo.cli.listing:list_entries", "What there is: models, datasets, tasks, …"),
    "show": Verb("zoo.cli.showing:show", "One entry: what it is, its options, how to cite it."),
    "data": Verb("zoo.cli.data:app", "Datasets: make, import, check."),
    "train": Verb("zoo.cli.training:train", "Train a model on a dataset and evaluate it."),
    "eval": Verb("zoo.cli.training:evaluate", "Score a run on a split, or on another dataset."),
    "sample": Verb("zoo.cli.sampling:sample", "Draw configurations from a density run, with weights."),
    "bench": Verb("zoo.cli.bench:bench", "Run a benchmark: leaderboard, records, report."),
    "watch": Verb("zoo.cli.watching:watch", "Follow a run as it trains, on a local page."),
    "analyze": Verb("zoo.cli.analyzing:analyze", "Look inside: conformations, latent space, layers."),
    "report": Verb("zoo.cli.report:report", "Figures and tables of runs in one HTML file."),
    "new": Verb("zoo.cli.scaffold:app", "Write a plugin that works, to start from."),
    "plugins": Verb("zoo.cli.listing:plugins", "Distributions that add entries."),
    "doctor": Verb("zoo.cli.listing:doctor", "Check that each entry works; say how to repair it."),
}

#: Shell's status for a process that ended by SIGINT, by SIGPIPE.
INTERRUPTED, PIPE_CLOSED = 130, 141

# typer 0.16 and later carry their own copy of click, earlier ones import it: reached through typer.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]
ClickException: type[Exception] = typer.BadParameter.__mro__[2]


class VerbGroup(TyperGroup):
    """The verbs of `VERBS`, each imported when it is used."""

    _listing = False

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all verbs, in the order of a first reading."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The verb's command; while help is written, its name and one line only."""
        if cmd_name not in VERBS:
            return None
        verb = VERBS[cmd_name]
        if self._listing:
            return TyperCommand(cmd_name, help=verb.help)
        module, _, attribute = verb.where.partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):  # a group, be it of a single sub-verb
            command: Any = typer.main.get_group(found)
        else:
            single = typer.Typer(add_completion=False)
            single.command(cmd_name)(found)
            command = typer.main.get_command(single)
        command.name = cmd_name
        command.context_settings = {**SETTINGS, **command.context_settings}
        return command

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help of the tool itself, importing no verb."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As its base, with our own words for a verb that is none."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise UsageError(f"no command {args[0]!r}.{did_you_mean(args[0], VERBS)}")
        return super().resolve_command(ctx, args)


SETTINGS = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(cls=VerbGroup, add_completion=False, no_args_is_help=True, context_settings=SETTINGS)


def _version(value: bool) -> None:
    if value:
        from zoo.version import __version__

        print(f"zoo {__version__}")
        raise typer.Exit()


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks. Goes anywhere; also ZOO_DEBUG=1.")
    ] = False,
) -> None:
    """Models and datasets of molecules and soft matter: train, compare, look inside."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on `arguments` (default: the process's); return the exit status."""
    # Threads that wait shall sleep: on a busy machine those that spin make a step ten times slower.
    # OpenMP reads it when torch is loaded, which is later.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    args = list(sys.argv[1:] if arguments is None else arguments)
    debug, args = _take_debug(args)
    try:
        status = _run(args)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `zoo list | head -1`: the reader has what it wants
        # Python flushes once more at exit, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return PIPE_CLOSED
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # the same, as rich says it
            return PIPE_CLOSED
        raise
    except KeyboardInterrupt as error:
        return _complain(": ".join(["interrupted", *map(str, error.args)]), INTERRUPTED)
    except typer.Abort:
        return _complain("aborted", INTERRUPTED)
    except ZooError as error:
        _show_traceback(debug)
        return _complain(str(error), error.exit_code)
    except ClickException as error:
        return _usage(error)
    except OSError as error:  # a path that cannot be read or written
        _show_traceback(debug)
        return _complain(f"{error.filename or 'a file'}: {error.strerror or error}", 2)
    except Exception as error:
        _show_traceback(debug)
        where = "" if debug else " (--debug shows where)"
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return _complain(f"internal error: {text[:500]}{where}", 1)


def _run(args: list[str]) -> int:
    command = typer.main.get_command(app)
    try:
        with command.make_context("zoo", args) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return 0


def _take_debug(args: list[str]) -> tuple[bool, list[str]]:
    """Take `--debug` out of the arguments, wherever it stands before a `--`."""
    end = args.index("--") if "--" in args else len(args)
    debug = "--debug" in args[:end] or os.environ.get("ZOO_DEBUG", "") not in ("", "0")
    return debug, [a for a in args[:end] if a != "--debug"] + args[end:]


def _usage(error: Any) -> int:
    """What a wrong request comes to: its message, and where the right one is written."""
    message = error.format_message()
    context: Any = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # bare `zoo`, `zoo data`: help is the answer
        print(message or context.get_help(), file=sys.stderr)
        return 2
    path = context.command_path if context is not None else "zoo"
    return _complain(f"{message}\nSee {path} --help", error.exit_code)


def _complain(message: str, status: int) -> int:
    print(f"zoo: {message}", file=sys.stderr, flush=True)
    return status


def _show_traceback(debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exc()


if __name__ == "__main__":
    sys.exit(main())
