"""Ends a worker whose master is silent: nothing would stop its load or count it."""

import os
import sys
import time

import gevent

from slocheck.load.messaging.parent_pipe import PARENT_GONE

SILENCE_S = 4.0
"""The master responds to each heartbeat, once a second; a pause this long is not just a late response."""

_LOOK_EVERY_S = 0.25


class MasterWatch:
    """Measures how long the master was silent, counting only time in which this process itself ran.

    If all processes were stopped together, by job control or with the machine, the master was not silent.
    """

    def __init__(self) -> None:
        self._heard = self._over = False

    def end(self) -> None:
        """Stop watching: this process no longer sends load, and the master no longer responds to it."""
        self._over = True

    def hear(self) -> None:
        """Note a message of the master."""
        self._heard = True

    def keep(self) -> None:
        """Watch until the load is over; end the process if the master is silent."""
        silent_s, before = 0.0, time.monotonic()
        while silent_s < SILENCE_S:
            gevent.sleep(_LOOK_EVERY_S)
            if self._over:
                return
            now = time.monotonic()
            silent_s = 0.0 if self._heard else silent_s + min(now - before, 2 * _LOOK_EVERY_S)
            self._heard, before = False, now
        sys.stderr.write(f"the load's master was silent for {SILENCE_S:g} s; this worker stops its load\n")
        sys.stderr.flush()
        os._exit(PARENT_GONE)
