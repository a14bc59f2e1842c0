"""Which lines belong to the Locust file, and not to Python, an installed package or slocheck."""

import sys
import sysconfig
import traceback
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from types import FrameType, TracebackType

from greenlet import getcurrent  # type: ignore[import-untyped]  # ships no types

import slocheck

_PATHS = sysconfig.get_paths()
_FOREIGN = tuple(
    f"{folder}/"
    for folder in dict.fromkeys(
        (*(_PATHS[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")), *slocheck.__path__)
    )
)
_ENGINE = tuple(
    f"{Path(str(spec.origin)).parent}/" for name in ("locust", "slocheck") if (spec := find_spec(name))
)
"""Found without an import: Locust patches the process that imports it."""
_INSTALLED = ("/site-packages/", "/dist-packages/")


def is_own(file: str) -> bool:
    """Tell whether a source file belongs to the user: the Locust file, or a module that comes with it.

    A compiled module names its source by a path that is not on this machine, such as ``src/gevent/hub.py``.
    """
    if file.startswith("<") or ("/" in file and not file.startswith("/") and not Path(file).exists()):
        return False
    path = str(Path(file).absolute())
    return not path.startswith(_FOREIGN) and not any(part in path for part in _INSTALLED)


def place_of(trace: TracebackType | None) -> str:
    """Return ``file:line`` of a traceback: the innermost line of the user's, else any, else empty."""
    steps = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(trace)]
    return _innermost(steps) or (f"{steps[-1][0]}:{steps[-1][1]}" if steps else "")


def caller() -> str:
    """Return ``file:line`` of the user's innermost line that is being run; empty without one.

    If none is being run, it is the line that started the current greenlet: `gevent.spawn_later`,
    `threading.Timer` and the like may call any function.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the cheap way to walk the stack
    while frame is not None:
        if is_own(frame.f_code.co_filename):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return _starter()


def _starter() -> str:
    """Return ``file:line`` of the user's that started this greenlet; empty if Locust or slocheck did."""
    frame = getattr(getcurrent(), "spawning_stack", None)
    while frame is not None:
        file = frame.f_code.co_filename
        if is_own(file):
            return f"{file}:{frame.f_lineno}"
        if file.startswith(_ENGINE):
            return ""
        frame = frame.f_back
    return ""


def is_own_fault(trace: TracebackType | None) -> bool:
    """Tell whether a traceback ends in a line of the user's: the exception was not raised in a library."""
    steps = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(trace)]
    return bool(steps) and is_own(steps[-1])


def _innermost(steps: Iterable[tuple[str, int]]) -> str:
    own = [(file, line) for file, line in steps if is_own(file)]
    return f"{own[-1][0]}:{own[-1][1]}" if own else ""
