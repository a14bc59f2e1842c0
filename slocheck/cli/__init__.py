"""The command line: parse the options, choose the adapters, turn outcomes into exit codes.

Only this package knows the adapters by name, and only this module ends the process.
"""

import os
import sys
import threading
from typing import Annotated

import typer

from slocheck import __version__
from slocheck.cli import streams
from slocheck.cli.commands import (
    compare,
    demo,
    grade,
    history,
    init,
    prune,
    report,
    run,
    runs,
    schema,
    validate,
)
from slocheck.cli.commands import version as version_command
from slocheck.cli.commands.machines import export, token, worker
from slocheck.cli.help import Command, Commands, mend_zsh
from slocheck.cli.messages import say, say_end_of_thread, say_traceback
from slocheck.cli.options import options_apart
from slocheck.errors import SaveError, SlocheckError
from slocheck.pipeline.interrupts import Interrupted, Interrupts

mend_zsh()
app = typer.Typer(
    name="slocheck",
    cls=Commands,
    help="Does your API meet its SLOs under load? Drives Locust, reads Prometheus, grades tiers.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for _name, _command in (
    ("run", run.run),
    ("grade", grade.grade),
    ("report", report.report),
    ("list", runs.runs),
    ("history", history.history),
    ("compare", compare.compare),
    ("prune", prune.prune),
    ("worker", worker.worker),
    ("token", token.token),
    ("export", export.export),
    ("validate", validate.validate),
    ("schema", schema.schema),
    ("init", init.init),
    ("demo", demo.demo),
    ("version", version_command.version),
):
    app.command(_name, cls=Command)(_command)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - the form Typer calls
    if wanted:
        print(f"slocheck {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool,
        typer.Option(
            "--version", "-V", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", envvar="SLOCHECK_DEBUG", help="Show the traceback of every error."),
    ] = False,
) -> None:
    """Does your API meet its SLOs under load?"""
    if debug:
        os.environ["SLOCHECK_DEBUG"] = "1"


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with the contract's exit code."""
    streams.guard()
    threading.excepthook = say_end_of_thread
    with Interrupts():  # Typer would end without a word
        code = exit_code_of(arguments)
    sys.exit(code)


def exit_code_of(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; every expected failure has a message."""
    try:
        words = options_apart(sys.argv[1:] if arguments is None else arguments)
        code: int | None = app(words, prog_name="slocheck", standalone_mode=False)
    except (typer.Exit, typer.Abort, typer.TyperException) as error:
        return _usage(error)
    except (SlocheckError, Interrupted) as error:
        return _complain(error, error.exit_code)
    except Exception as error:  # noqa: BLE001 - the one broad except: a defect of slocheck, exit 70
        say_traceback(error)
        name = type(error).__name__
        say(f"slocheck: a defect in slocheck itself ({name}); please report the lines above")
        return 70
    if lost := streams.lost_output():
        return _complain(streams.save_error(lost), SaveError.exit_code)
    return code or 0


def _usage(error: typer.Exit | typer.Abort | typer.TyperException) -> int:
    """Return what the command-line parser ends with: 0 after help and version, else 2 for wrong usage."""
    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, typer.Abort):
        return 130
    message = error.format_message()
    if possible := getattr(error, "possibilities", None):
        message = f"{error.message}; did you mean {' or '.join(possible)}?"
    if message.startswith("Usage:"):
        say(message)
    else:
        say(f"slocheck: {message}\nTry 'slocheck --help', or --help after a command.")
    return 2


def _complain(error: BaseException, code: int) -> int:
    if os.environ.get("SLOCHECK_DEBUG"):
        say_traceback(error)
    say(f"slocheck: {error}")
    if isinstance(error, SlocheckError):
        from slocheck.cli.github import tell_error  # noqa: PLC0415 - --help stays light

        tell_error(error)
    return code
