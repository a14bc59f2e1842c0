"""A worker process that has ended, in words. No Locust here."""

from dataclasses import dataclass

from slocheck.load.messaging.parent_pipe import PARENT_GONE


@dataclass(frozen=True, slots=True)
class EndedWorker:
    """A worker process that has ended.

    Attributes:
        name: Such as ``worker process 1 of 2``.
        code: Its exit code; below 0 for a signal.
    """

    name: str
    code: int

    def how(self, *, declarative: bool) -> str:
        """Say how it ended; a declarative scenario has no code that could end it."""
        if self.code < 0:
            return f"was killed by signal {-self.code}"
        if self.code == PARENT_GONE:
            return (
                "ended itself, as the load's master was silent: it was stopped, or the machine is overloaded"
            )
        left = "" if declarative else "; the Locust file or one of its libraries ended the process"
        return f"ended with exit code {self.code}{left}"
