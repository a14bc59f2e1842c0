"""Compares the machines' clocks with this one's, before the load and after it."""

import time
from collections.abc import Callable, Iterable

import gevent

from slocheck.load.master.remote.clock_offset import ROUNDS, ClockOffset, RoundTrip, clock_offset
from slocheck.load.messaging.machine_messages import AskTime, TellTime

SILENT_S = 2.0
"""A machine that does not answer for this long is not asked again."""
_POLL_S = 0.005


class MachineClocks:
    """The clocks of the machines that have joined.

    Attributes:
        before: The offset of each machine's clock by the first comparison; None: it did not respond.
        after: The same by the last one.
    """

    def __init__(self, ask: Callable[[bytes, AskTime], object]) -> None:
        """Take a function that sends a question to a machine."""
        self.before: dict[bytes, ClockOffset | None] = {}
        self.after: dict[bytes, ClockOffset | None] = {}
        self._ask = ask
        self._asked: dict[bytes, int] = {}
        self._rounds: dict[bytes, list[RoundTrip]] = {}

    def compare(self, machines: Iterable[bytes], within_s: float) -> None:
        """Ask each machine that many times, and wait for the answers at most this long."""
        self._rounds = {machine: [] for machine in machines}
        for machine in self._rounds:
            self._ask_again(machine)
        until = time.monotonic() + within_s
        while self._asked and time.monotonic() < until:
            gevent.sleep(_POLL_S)
            self._forget_silent()
        self._asked = {}
        found = {machine: clock_offset(rounds) for machine, rounds in self._rounds.items()}
        self.before, self.after = self.before or found, found

    def _ask_again(self, machine: bytes) -> None:
        self._asked[machine] = time.monotonic_ns()
        self._ask(machine, AskTime(self._asked[machine]))

    def _forget_silent(self) -> None:
        latest = time.monotonic_ns() - round(SILENT_S * 1e9)
        self._asked = {machine: asked for machine, asked in self._asked.items() if asked > latest}

    def take(self, machine: bytes, told: TellTime) -> None:
        """Take an answer, if it is to the machine's last question."""
        now = time.monotonic_ns()
        if self._asked.get(machine) != told.asked_ns:
            return
        del self._asked[machine]
        rounds = self._rounds[machine]
        rounds.append(RoundTrip(told.asked_ns, told.there_ns, now))
        if len(rounds) < ROUNDS:
            self._ask_again(machine)

    def ahead_ns(self, machine: bytes) -> int:
        """Return how far a machine's clock is ahead of this one; 0 if it is not known."""
        offset = self.before.get(machine)
        return offset.ahead if offset else 0

    @property
    def longest_ns(self) -> int:
        """The longest of the machines' shortest round trips."""
        return max((2 * offset.bound for offset in self.before.values() if offset), default=0)
