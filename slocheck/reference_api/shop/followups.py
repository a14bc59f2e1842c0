"""What follows from an order, after the customer has the response."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

FULFIL = "fulfil"
"""The name of the job that does it."""


class Followups(Protocol):
    """The orders whose follow-up is open, kept with the orders; each method may raise Unavailable."""

    async def fulfil(self, order_id: int) -> bool:
        """Do what follows from an order, exactly once however often it is called; False if it was done."""

    async def overdue(self, older_than_s: float, limit: int) -> list[int]:
        """Take open orders that were submitted more than this many seconds ago.

        They are marked as submitted now; two concurrent callers get different orders.
        """

    async def give_up(self, order_id: int) -> None:
        """Note that an order's job has failed for good; a later `fulfil` still does it."""


def job_of(order_id: int) -> dict[str, Any]:
    """Return the payload of an order's job."""
    return {"order": order_id}


def handlers_of(followups: Followups) -> dict[str, Callable[[dict[str, Any]], Awaitable[object]]]:
    """Return the handlers of the shop's jobs, by name."""

    async def fulfil(payload: dict[str, Any]) -> None:
        """Do what follows from an order."""
        await followups.fulfil(payload["order"])

    return {FULFIL: fulfil}


def given_up_in(followups: Followups) -> Callable[[str, dict[str, Any]], Awaitable[None]]:
    """Return the handler of the shop's jobs that failed for good."""

    async def note(name: str, payload: dict[str, Any]) -> None:
        """Keep it from being resubmitted."""
        if name == FULFIL:
            await followups.give_up(payload["order"])

    return note
