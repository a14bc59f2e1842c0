"""A worker whose master has fallen silent ends: nobody would stop its load, and nobody counts it."""

import os
import sys
import time

import gevent

from slocheck.load.messaging.parent_pipe import PARENT_GONE

SILENCE_S = 4.0
"""The master responds to each heartbeat, one a second; a pause this long is not a late one."""

_LOOK_EVERY_S = 0.25


class MasterWatch:
    """Measures how long nothing was heard, in the time that this process itself was running.

    Where all processes were stopped together, by a job control signal or with the machine, no one was silent.
    """

    def __init__(self) -> None:
        self._heard = self._over = False

    def end(self) -> None:
        """Watch no longer: this process sends no load any more, and the master no longer responds to it."""
        self._over = True

    def hear(self) -> None:
        """Note a message of the master."""
        self._heard = True

    def keep(self) -> None:
        """Look until the load is over; end the process where the master is silent."""
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
