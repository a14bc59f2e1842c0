"""A kernel timer, late by tens of microseconds; the event loop's own timer rounds to 1 ms."""

import ctypes
import os
from array import array
from collections.abc import Callable
from typing import Any

import gevent

_MONOTONIC = 1
_ABSOLUTE = 1
_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000
_NS = 1_000_000_000
_READ = 1


class KernelTimer:
    """Calls back at a set time of the monotonic clock; `close` it at the end.

    Without such a timer in the system, the event loop's own is used, which is up to a millisecond late.
    """

    def __init__(self, on_time: Callable[[], None]) -> None:
        self._on_time = on_time
        self._loop = gevent.get_hub().loop
        self._fallback: Any = None
        self._watcher: Any = None
        self._descriptor = -1
        libc = ctypes.PyDLL(None)  # neither call waits, so the interpreter lock is kept
        if hasattr(libc, "timerfd_create"):
            self._descriptor = libc.timerfd_create(_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._descriptor >= 0:
            self._set = libc.timerfd_settime
            self._set.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
            self._moment = array("l", [0, 0, 0, 0])  # struct itimerspec: interval and value
            self._address = self._moment.buffer_info()[0]
            self._watcher = self._loop.io(self._descriptor, _READ)
            self._watcher.start(on_time)

    def at(self, moment_ns: int, now_ns: int) -> None:
        """Call back once at this time, or immediately if it has passed.

        The callback has to call `at` or `rest`; either clears the pending expiry.
        """
        if self._watcher is None:
            self._fallback = self._loop.timer(max(0.0, (moment_ns - now_ns) / _NS))
            self._fallback.start(self._on_time)
            return
        self._moment[2], self._moment[3] = divmod(moment_ns, _NS)
        if self._set(self._descriptor, _ABSOLUTE, self._address, None):
            raise OSError("timerfd_settime: the timer cannot be set")

    def rest(self) -> None:
        """Do not call back until `at` is called again."""
        if self._watcher is not None:
            self.at(0, 0)

    def close(self) -> None:
        """Never call back again."""
        if self._fallback is not None:
            self._fallback.stop()
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            os.close(self._descriptor)
            self._watcher = None
