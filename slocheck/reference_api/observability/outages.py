"""An outage is logged once, and its end once: not for each request that notices.

The naive form logs each failure. While a server is down that is a line per request or per attempt to
connect, which hides the cause. How often something failed belongs in the metrics.
"""

import logging


class Outage:
    """Logs one line when something fails, and one when it works again.

    Args:
        log: The logger.
        what: Names it, at the beginning of the line.
    """

    def __init__(self, log: logging.Logger, what: str) -> None:
        self._log = log
        self._what = what
        self._lasts = False

    def begin(self, why: object) -> None:
        """Log why it fails, unless it did before."""
        if not self._lasts:
            self._lasts = True
            self._log.warning("%s fails: %s", self._what, " ".join(str(why).split()))

    def end(self) -> None:
        """Log that it works again, if it failed."""
        if self._lasts:
            self._lasts = False
            self._log.warning("%s works again", self._what)
