"""Calls of a Locust file that would end its process, or send load outside of the plan.

The former end the run cleanly, as `sys.exit` does; the latter are refused where they are made.
"""

import functools
import os
import signal
from collections.abc import Callable
from typing import Any, Never

import locust
import locust.debug
from locust.env import Environment

from slocheck.load.file_calls.home_thread import HomeThread
from slocheck.load.own_code import caller

_HARMLESS = frozenset({0, signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH})
_BY_SIGNAL = 128
"""The exit code of a process that a signal ends, less the signal's number."""

ExitCode = Callable[..., int | None]
"""Returns the exit code with which a call would end this process, from its arguments; None if it does not."""


class OwnRunError(RuntimeError):
    """The Locust file starts load outside of the plan."""


class ProcessExits:
    """Watches the calls that would end this process.

    Attributes:
        on_exit: Called with such a call, as ``os._exit(3) in scenario.py:12``, which then raises SystemExit.
    """

    def __init__(self) -> None:
        self.on_exit: Callable[[str], object] = str
        self._pid = os.getpid()
        self._home = HomeThread()

    def install(self) -> None:
        """Watch them for the life of this process; processes that it forks may end as they like."""
        watched: tuple[tuple[Any, str, ExitCode], ...] = (
            (os, "_exit", int),
            (os, "abort", lambda: _BY_SIGNAL + signal.SIGABRT),
            (os, "kill", self._killed),
            (os, "killpg", lambda group, number: _by(number) if group in (0, os.getpgrp()) else None),
            (signal, "raise_signal", _by),
        )
        for owner, name, exit_code in watched:
            shown = f"{owner.__name__}.{name}"
            setattr(owner, name, self._ends_the_run(getattr(owner, name), shown, exit_code))
        create_runner = "_create_runner"  # Locust has no public name for it
        refused = _refused(getattr(Environment, create_runner), "makes its own runner")
        setattr(Environment, create_runner, refused)
        run_alone = _refused(locust.run_single_user, "calls run_single_user()")
        locust.run_single_user = locust.debug.run_single_user = run_alone

    def _ends_the_run(
        self, original: Callable[..., Any], name: str, exit_code: ExitCode
    ) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            args = (*args, *kwargs.values())
            place = caller() if os.getpid() == self._pid else ""
            code = exit_code(*args) if place else None
            if code is None:
                return original(*args)
            self._home.call(self.on_exit, f"{name}({_shown(name, args)}) in {place}")
            raise SystemExit(code)

        return call

    def _killed(self, process: int, number: int) -> int | None:
        ours = (0, -1, self._pid, os.getppid(), -os.getpgrp())
        return _by(number) if process in ours else None


def _by(number: int) -> int | None:
    """Return the exit code of a signal; None if it does not end this process, or the file handles it."""
    if number in _HARMLESS or number not in signal.valid_signals():
        return None
    handler = signal.getsignal(number)
    handled = callable(handler) or handler is signal.SIG_IGN
    return None if handled and number != signal.SIGINT else _BY_SIGNAL + number


def _shown(name: str, args: tuple[Any, ...]) -> str:
    """Return the arguments to show of a call: an exit code, or a signal's name."""
    if not args or name == "os._exit":
        return ", ".join(map(str, args))
    named = (each.name for each in signal.Signals if each == args[-1])
    return next(named, str(args[-1]))


def _refused(original: Callable[..., Any], what: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def refuse(*_: object, **__: object) -> Never:
        raise OwnRunError(
            f"{what}, which would send load outside of the plan; "
            "put the call under `if __name__ == '__main__':`"
        )

    return refuse
