"""The listeners of a Locust file: their failures are seen, and cannot cost a finished run."""

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import locust
from locust.env import Environment
from locust.event import EventHook
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser

import slocheck
from slocheck.evidence.model import FileResult
from slocheck.load.own_code import caller, place_of
from slocheck.load.recording.outcome import message_of

LISTENER_S = 10.0
"""How long a listener may take once the result is complete."""
_MEANT = (StopUser, StopTest, RescheduleTask, RescheduleTaskImmediately, InterruptTaskSet)
"""Exceptions of a listener that are meant for the code that fired the event."""
_LEAVING = (SystemExit, KeyboardInterrupt)
_MAX_CODE = (1 << 31) - 1
_CODE_KEY = "slocheck_exit_code"
_NOT_THE_FILES = tuple(f"{Path(str(package.__file__)).parent}/" for package in (locust, slocheck))

Observer = Callable[[str], object]
"""Called before each listener, with its name, its event and its place."""


class Listeners:
    """Watches the listeners of this process, and the exit code that the file sets.

    Attributes:
        exit_code: The last exit code that the file set or left with; 0: none.
        exit_place: Where it did so, as ``file:line``.
        unfinished: Listeners that took too long at the end.
    """

    def __init__(self) -> None:
        self.exit_code = 0
        self.exit_place = ""
        self.unfinished: list[str] = []
        self._errors: dict[str, int] = {}

    @property
    def result(self) -> FileResult:
        """What the file says about the run until now."""
        return FileResult(self.exit_code, self.exit_place, dict(self._errors))

    def take_errors(self) -> dict[str, int]:
        """Return the exceptions of listeners since the last call, from text to count."""
        errors, self._errors = self._errors, {}
        return errors

    def install(self) -> None:
        """Watch listeners' exceptions and the exit codes that are set, for the life of this process."""

        def fire(hook: EventHook, *, reverse: bool = False, **arguments: Any) -> None:
            for handler in _handlers(hook, reverse=reverse):
                try:
                    handler(**arguments)
                except _MEANT:
                    raise
                except Exception as error:  # noqa: BLE001 - whatever a listener raises
                    self._failed(hook, handler, error)

        def exit_code(environment: Environment) -> object:
            return environment.__dict__.get(_CODE_KEY)

        def set_exit_code(environment: Environment, code: object) -> None:
            environment.__dict__[_CODE_KEY] = code
            self._exits(code, caller())

        EventHook.fire = fire  # type: ignore[method-assign, assignment] # Locust has no other way in
        Environment.process_exit_code = property(exit_code, set_exit_code)  # type: ignore[assignment]

    def finish(
        self, hook: EventHook, *, observer: Observer = str, reverse: bool = False, **arguments: Any
    ) -> None:
        """Fire one of the last events; no listener may end this process, or take longer than `LISTENER_S`."""
        for handler in _handlers(hook, reverse=reverse):
            name = _described(hook, handler)
            observer(name)
            running = gevent.spawn(self._finish_one, hook, handler, arguments)
            running.join(LISTENER_S)
            if not running.ready():
                self.unfinished.append(name)
                running.kill(block=False)

    def _finish_one(self, hook: EventHook, handler: Callable[..., object], arguments: dict[str, Any]) -> None:
        try:
            handler(**arguments)
        except _LEAVING as leaving:
            self._exits(exit_code_of(leaving), place_of(leaving.__traceback__))
        except gevent.GreenletExit:
            raise  # it took too long
        except BaseException as error:  # noqa: BLE001 - whatever a listener raises
            self._failed(hook, handler, error)

    def _exits(self, code: object, place: str) -> None:
        self.exit_code = as_exit_code(code)
        self.exit_place = place if self.exit_code else ""

    def _failed(self, hook: EventHook, handler: Callable[..., object], error: BaseException) -> None:
        traceback.print_exception(error)
        if _source(handler)[0].startswith(_NOT_THE_FILES):
            return
        what, place = message_of(error).removesuffix(": "), place_of(error.__traceback__)
        text = f"{what} ({place}) in {_named(hook, handler)}"
        self._errors[text] = self._errors.get(text, 0) + 1


def as_exit_code(code: object) -> int:
    """Return the exit code for an argument of `sys.exit`; a text, or a number out of range, is 1."""
    if code is None:
        return 0
    return int(code) if isinstance(code, int) and abs(code) <= _MAX_CODE else 1


def exit_code_of(leaving: BaseException) -> object:
    """Return the argument of a `SystemExit`; None for a `KeyboardInterrupt`."""
    return leaving.code if isinstance(leaving, SystemExit) else 1


def _handlers(hook: EventHook, *, reverse: bool) -> Iterator[Callable[..., object]]:
    """Yield from a copy, so that listeners may add and remove listeners."""
    handlers = list(hook._handlers)  # noqa: SLF001 - Locust has no public name for it
    return reversed(handlers) if reverse else iter(handlers)


def _source(handler: Any) -> tuple[str, int]:
    """Return file and line of a listener; an empty file if it has none."""
    code = getattr(getattr(handler, "__func__", handler), "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code is not None else ("", 0)


def _named(hook: EventHook, handler: Any) -> str:
    event = next((name for name, each in vars(locust.events).items() if each is hook), "an event")
    return f"{getattr(handler, '__name__', type(handler).__name__)}, a listener of {event}"


def _described(hook: EventHook, handler: Any) -> str:
    file, line = _source(handler)
    return f"{_named(hook, handler)} ({file}:{line})" if file else _named(hook, handler)
