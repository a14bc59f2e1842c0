"""Domain events: handlers that fail, hang or change the payload harm only themselves."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import CollectorRegistry

from slocheck.reference_api import events as domain
from slocheck.reference_api.events import Events
from slocheck.reference_api.observability.metrics import EventMetrics
from slocheck.reference_api.shop.repository import Row

Use = Callable[[Events], Awaitable[None]]


def use(steps: Use, *, isolated: bool = True) -> dict[str, float]:
    """Run the steps with fresh events; returns how often handlers of ``order`` ended in each way."""
    registry = CollectorRegistry()

    async def run() -> None:
        events = Events(EventMetrics(registry), isolated=isolated)
        try:
            await steps(events)
        finally:
            await events.close()

    asyncio.run(run())
    names = ("done", "failed", "late", "dropped")
    labels = [{"event": "order", "outcome": name} for name in names]
    values = [registry.get_sample_value("events_handled_total", each) or 0.0 for each in labels]
    return {name: value for name, value in zip(names, values, strict=True) if value}


async def fail(_: Row) -> None:
    """Raise an unexpected exception."""
    raise KeyError("planted")


async def hang(_: Row) -> None:
    """Never end."""
    await asyncio.Event().wait()


async def scribble(order: Row) -> None:
    """Change the payload."""
    order["lines"].append("scribble")


def test_one_handler_harms_neither_the_others_nor_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fails, one hangs, one changes the payload: the last still gets the event."""
    monkeypatch.setattr(domain, "TIMEOUT_S", 0.01)
    seen: list[Row] = []

    async def steps(events: Events) -> None:
        async def note(order: Row) -> None:
            seen.append(order)

        for handler in (fail, hang, scribble, note):
            events.on("order", handler)
        order = {"id": 7, "lines": [1]}
        await events.emit("order", order)
        await events.emit("nobody listens", order)
        assert seen == []
        assert order == {"id": 7, "lines": [1]}

    assert use(steps) == {"done": 2, "failed": 1, "late": 1}
    assert seen == [{"id": 7, "lines": [1]}]


def test_a_handler_that_goes_on_failing_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """A log line when it begins to fail, and one when it works again; the metrics count its failures."""

    async def steps(events: Events) -> None:
        async def careful(order: Row) -> None:
            if order["bad"]:
                raise ConnectionError("gone\nfor good")

        events.on("order", careful)
        for bad in (True, True, True, False, False):
            await events.emit("order", {"bad": bad})

    assert use(steps) == {"failed": 3, "done": 2}
    name = "a handler of order"
    assert [record.getMessage() for record in caplog.records] == [
        rf"{name} fails: ConnectionError('gone\nfor good')",
        f"{name} works again",
    ]


def test_in_the_naive_form_the_first_failure_ends_it() -> None:
    """An exception reaches the emitter, and the next handler does not get the event."""
    seen: list[Row] = []

    async def steps(events: Events) -> None:
        async def note(order: Row) -> None:
            seen.append(order)

        events.on("order", fail)
        events.on("order", note)
        with pytest.raises(KeyError):
            await events.emit("order", {})

    assert use(steps, isolated=False) == {}
    assert seen == []


def test_handlers_that_pile_up_are_bounded_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound events are dropped and counted, and the end does not wait for what hangs."""
    monkeypatch.setattr(domain, "MOST_RUNNING", 3)
    monkeypatch.setattr(domain, "GRACE_S", 0.01)

    async def steps(events: Events) -> None:
        events.on("order", hang)
        for _ in range(5):
            await events.emit("order", {})

    assert use(steps) == {"dropped": 2}, "those that hang are cancelled, and did not end by themselves"
