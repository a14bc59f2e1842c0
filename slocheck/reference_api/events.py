"""Domain events: handlers neither know each other nor can harm the emitter.

The part that stores an order need not know what mails and what counts. The naive form, an emitter that calls
its handlers one after the other, ties them all together: the first that raises keeps the event from the
others and fails a request whose order is stored, and the slowest is waited for.

Here each handler runs in its own task, with a copy of the payload and a time limit, after the response.
Events live in memory: what must not be lost when the process dies is noted in the database with the change
itself (`shop.followups`). In production that note is what an event bus (Kafka, NATS) publishes from.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from copy import deepcopy

from slocheck.reference_api.observability.metrics import EventMetrics
from slocheck.reference_api.observability.outages import Outage
from slocheck.reference_api.shop.repository import Row

Handler = Callable[[Row], Awaitable[None]]

TIMEOUT_S = 10.0
"""Longest that a handler may take."""

GRACE_S = 1.0
"""Seconds that handlers may go on after shutdown was requested."""

MOST_RUNNING = 1_000
"""Bound on the handlers that run at the same time; an event past it is dropped, and counted as such."""

_log = logging.getLogger(__name__)


class Events:
    """Handlers by the name of their event.

    Args:
        metrics: Counts how each handler ended: ``done``, ``failed``, ``late`` or ``dropped``.
        isolated: Whether handlers run by themselves; if not, they are called in turn: the naive form.
    """

    def __init__(self, metrics: EventMetrics, *, isolated: bool) -> None:
        self._handlers: dict[str, list[tuple[Handler, Outage]]] = {}
        self._handled = metrics.handled
        self._isolated = isolated
        self._running: set[asyncio.Task[None]] = set()

    def on(self, event: str, handler: Handler) -> None:
        """Call `handler` at each event of that name."""
        outage = Outage(_log, f"a handler of {event}")
        self._handlers.setdefault(event, []).append((handler, outage))

    async def emit(self, event: str, payload: Row) -> None:
        """Emit an event; returns before the handlers are done, and raises nothing that they raise.

        In the naive form it waits for them, and raises what one raises.
        """
        for handler, outage in self._handlers.get(event, []):
            if not self._isolated:
                await handler(payload)
            elif len(self._running) >= MOST_RUNNING:
                self._handled.labels(event, "dropped").inc()
            else:
                task = asyncio.create_task(self._run(event, handler, outage, deepcopy(payload)))
                self._running.add(task)  # asyncio itself keeps only a weak reference
                task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Wait a little for the handlers that run, then cancel them."""
        if self._running:
            await asyncio.wait(self._running, timeout=GRACE_S)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self, event: str, handler: Handler, outage: Outage, payload: Row) -> None:
        outcome = "done"
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await handler(payload)
        except TimeoutError:
            outcome = "late"
            outage.begin(f"not done within {TIMEOUT_S:g} s")
        except Exception as error:  # noqa: BLE001 - a handler may raise anything, and it ends here
            outcome = "failed"
            outage.begin(repr(error))
        else:
            outage.end()
        self._handled.labels(event, outcome).inc()
