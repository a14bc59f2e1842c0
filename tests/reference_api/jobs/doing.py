"""Handlers of tests that note what they do."""

import asyncio
from dataclasses import dataclass, field

from slocheck.reference_api.shop.repository import Row


@dataclass
class Doing:
    """What handlers did.

    Attributes:
        done: Payloads' numbers, in the order in which they were done.
        tries: How often each was tried.
        most: Most that ran at the same time.
        given_up: Names and numbers of those that were given up.
        release: Set: those that wait go on.
    """

    done: list[int] = field(default_factory=list)
    tries: dict[int, int] = field(default_factory=dict)
    most: int = 0
    given_up: list[tuple[str, int]] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    _running: int = 0

    async def do(self, job: Row) -> None:
        """Do a job; it fails as often as its payload says."""
        number = job["number"]
        self.tries[number] = self.tries.get(number, 0) + 1
        if self.tries[number] <= job.get("fails", 0):
            raise ValueError(f"attempt {self.tries[number]}")
        self.done.append(number)

    async def wait(self, job: Row) -> None:
        """Do a job once it is released."""
        self._running += 1
        self.most = max(self.most, self._running)
        await self.release.wait()
        self._running -= 1
        self.done.append(job["number"])

    async def note(self, name: str, job: Row) -> None:
        """Note that a job was given up."""
        self.given_up.append((name, job["number"]))
