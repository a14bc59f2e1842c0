"""What is gone for a while is said once, and once that it is back: not for each request that notices.

The naive form logs each failure. While a server is down that is a line a request or a line an attempt to
connect, in which nobody finds the cause. How often something failed is for the metrics.
"""

import logging


class Outage:
    """Notes in one line that something fails, and in one that it works again.

    Args:
        log: Where.
        what: Names it, at the beginning of the line.
    """

    def __init__(self, log: logging.Logger, what: str) -> None:
        self._log = log
        self._what = what
        self._lasts = False

    def begin(self, why: object) -> None:
        """Say why it fails, unless it did before."""
        if not self._lasts:
            self._lasts = True
            self._log.warning("%s fails: %s", self._what, " ".join(str(why).split()))

    def end(self) -> None:
        """Say that it works again, if it failed."""
        if self._lasts:
            self._lasts = False
            self._log.warning("%s works again", self._what)
