"""Asking the scheduler to let a worker in at once when it wakes up, without a larger share of the core."""

import contextlib
import ctypes
import os
import platform
import struct

SLICE_NS = 100_000
"""The shortest slice that Linux grants."""
_CALL_NUMBERS = {"x86_64": 314, "aarch64": 274}
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
"""struct sched_attr: size, policy, flags, nice, priority, runtime, deadline, period."""


def ask_for_short_slices() -> None:
    """Ask for short slices for the calling thread, which needs the core briefly and at once.

    A waking thread then interrupts one with a longer slice, such as the command line on the same core, as
    long as it has not had more than its share. Since Linux 6.12 (`sched_runtime` of sched_setattr); elsewhere
    it has no effect.
    """
    number = _CALL_NUMBERS.get(platform.machine())
    if number is None or not hasattr(os, "sched_getscheduler") or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    wanted = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, SLICE_NS, 0, 0)
    with contextlib.suppress(AttributeError, OSError):  # a libc without it
        ctypes.CDLL(None).syscall(number, 0, wanted, 0)
