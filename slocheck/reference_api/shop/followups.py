"""What follows from an order, after the customer has the response."""

from typing import Protocol

FULFIL = "fulfil"
"""The job's name; its payload is ``{"order": id}``."""


class Followups(Protocol):
    """The orders whose follow-up is open, kept with the orders; each method may raise Unavailable."""

    async def fulfil(self, order_id: int) -> bool:
        """Do what follows from an order, exactly once however often it is called; False if it was done."""

    async def overdue(self, older_than_s: float, limit: int) -> list[int]:
        """Take open orders that were submitted more than so many seconds ago.

        They are noted as submitted now; two that ask at the same time get different orders.
        """

    async def give_up(self, order_id: int) -> None:
        """Note that an order's job has failed for good; a later `fulfil` still does it."""
