"""An event loop whose time jumps: a sleep of an hour is over at once, and in the right order."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

START_S = 1_000.0

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    """Does not wait: the time that it would wait is skipped."""

    now = START_S

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; if nothing is, skip `timeout` seconds."""
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "every task waits, and nothing will wake one"
            self.now += timeout
        return ready


class SimulatedTime(asyncio.SelectorEventLoop):
    """An event loop in simulated time; its `time` is the clock for what runs in it."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds, from `START_S` on."""
        return self._jumping.now


def clock() -> float:
    """Return the time of the running loop."""
    return asyncio.get_running_loop().time()


def simulate(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in simulated time."""
    with asyncio.Runner(loop_factory=SimulatedTime) as runner:
        return runner.run(main)
