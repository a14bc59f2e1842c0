"""How a Locust file ends its run, in words."""

from typing import Any

from slocheck.load.listeners import Listeners, as_exit_code, exit_code_of
from slocheck.load.own_code import caller, place_of
from slocheck.load.recording.outcome import message_of


def called(call: str) -> str:
    """Return a call with the file's line that makes it."""
    place = caller()
    return f"{call} in {place}" if place else call


def decided_by_plan(call: str) -> str:
    """Say that a file ends its run by starting or stopping users, which the plan decides."""
    return f"{called(call)}, but the plan decides how many users run"


def raised(error: BaseException) -> str:
    """Return what was raised with the file's line that raised it."""
    place = place_of(error.__traceback__)
    if isinstance(error, SystemExit):
        text = f"sys.exit({as_exit_code(exit_code_of(error))})"
    else:
        text = message_of(error).removesuffix(": ")
    return f"{text} in {place}" if place else text


def initialised(environment: Any, runner: Any, listeners: Listeners) -> str:
    """Fire `init`; return why the file cannot be used, empty if it can."""
    try:
        environment.events.init.fire(environment=environment, runner=runner, web_ui=None)
    except BaseException as error:  # noqa: BLE001 - whatever the file raises
        return f"a listener of init raises {raised(error)}"
    return next(iter(listeners.take_errors()), "")
