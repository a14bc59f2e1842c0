"""What follows from an order, noted in the order's own transaction: the outbox of PostgreSQL.

The naive form stores the order and then adds a job to the queue. Between the two the process may die or the
queue be gone, and the customer never hears of the order. The other way round is no better: the job may run
for an order that was not stored. Here the note is stored with the order, or neither is. It is closed in the
transaction that does what follows, so a job that is delivered twice does it once, whatever the queue loses.

In production the note is passed on by reading the log (Debezium) if one query a second is too much.
"""

from slocheck.reference_api.database.pool import Connection
from slocheck.reference_api.database.replicas import Router
from slocheck.reference_api.database.statements import Statements

NOTE = "INSERT INTO followups (order_id) VALUES (%s)"

_CLOSE = "UPDATE followups SET done_at = now() WHERE order_id = %s AND done_at IS NULL"
# locked in the order of their ids: two orders of the same items never wait for each other in a circle
_SELL = """
WITH sold AS (
  SELECT item_id AS id, SUM(quantity) AS quantity FROM order_lines WHERE order_id = %s GROUP BY 1
), locked AS (SELECT id FROM items WHERE id IN (SELECT id FROM sold) ORDER BY id FOR UPDATE)
UPDATE items SET sold = items.sold + sold.quantity FROM sold JOIN locked USING (id) WHERE items.id = sold.id
"""
_CONFIRM = "INSERT INTO confirmations SELECT id, user_id FROM orders WHERE id = %s"
_OVERDUE = """
UPDATE followups SET submitted_at = now() WHERE order_id IN (
  SELECT order_id FROM followups
  WHERE done_at IS NULL AND failed_at IS NULL AND submitted_at <= now() - make_interval(secs => %s)
  ORDER BY submitted_at LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING order_id
"""
_GIVE_UP = "UPDATE followups SET failed_at = now() WHERE order_id = %s AND done_at IS NULL"


class PostgresFollowups:
    """A `Followups` of the orders of a `PostgresRepository`."""

    def __init__(self, router: Router, statements: Statements) -> None:
        self._router = router
        self._run = statements

    async def fulfil(self, order_id: int) -> bool:
        """Count what was sold and confirm the order, unless that is done."""

        async def do(on: Connection) -> bool:
            if not await self._run.change(on, "followup", _CLOSE, order_id):
                return False
            await self._run.change(on, "followup", _SELL, order_id)
            await self._run.change(on, "followup", _CONFIRM, order_id)
            return True

        return await self._router.write(do)

    async def overdue(self, older_than_s: float, limit: int) -> list[int]:
        """Take the orders that were submitted long ago and are not done; each taker gets others."""

        async def take(on: Connection) -> list[int]:
            rows = await self._run.rows(on, "followup", _OVERDUE, older_than_s, limit)
            return sorted(row["order_id"] for row in rows)

        return await self._router.write(take)

    async def give_up(self, order_id: int) -> None:
        """Note that the job failed for good: it is not resubmitted automatically."""
        await self._router.write(lambda on: self._run.change(on, "followup", _GIVE_UP, order_id))
