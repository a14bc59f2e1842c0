"""How a Locust file ends its run, in words."""

from typing import Any

from slocheck.load.listeners import Listeners, as_exit_code, exit_code_of
from slocheck.load.own_code import caller, place_of
from slocheck.load.recording.outcome import message_of


def called(call: str) -> str:
    """Return a call and the file's line that makes it."""
    place = caller()
    return f"{call} in {place}" if place else call


def decided_by_plan(call: str) -> str:
    """Return how a file ends its run that starts or stops users: the plan says how many there are."""
    return f"{called(call)}, where the plan says how many users there are"


def raised(error: BaseException) -> str:
    """Return what was raised and the file's line that did."""
    place = place_of(error.__traceback__)
    if isinstance(error, SystemExit | KeyboardInterrupt):
        text = f"sys.exit({as_exit_code(exit_code_of(error))})"
    else:
        text = message_of(error).removesuffix(": ")
    return f"{text} in {place}" if place else text


def initialised(environment: Any, runner: Any, listeners: Listeners) -> str:
    """Fire `init`; return why the file cannot be used, empty where it can."""
    try:
        environment.events.init.fire(environment=environment, runner=runner, web_ui=None)
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever the file raises
        return f"a listener of init raises {raised(error)}"
    return next(iter(listeners.take_errors()), "")
