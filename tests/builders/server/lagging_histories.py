"""Synthetic histories of pages that lag behind what was served: flushed, or served from a cache."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import floor

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.lag import longest_wait, measured_lag, settlement
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.server_side import ServerSide
from tests.builders.server.histories import PRESET, T0, Instance, Process, Request, scrape

METRICS = frozenset({"http_requests_total", f"{PRESET.histogram}_bucket"})
LONGEST = 90.0
ROUNDING = 0.001


@dataclass(frozen=True)
class LaggingHistory:
    """A load with a warm-up on a service whose pages lag.

    Attributes:
        series: What a source delivers that waits as the real ones do.
        client: What the client counted.
        requests: Those of ours in the window that the delivered series can show.
        waited: How long after the load the last sample is, seconds.
        background: Whether somebody else uses the service.
    """

    series: ServerSeries
    client: ClientCounts
    requests: tuple[Request, ...]
    waited: float
    background: bool


def make_lagging_history(seed: int, *, cold: bool | None = None, hidden: bool = False) -> LaggingHistory:
    """Return one history; the seed decides about the kind of page, the scrapes and other traffic.

    Args:
        seed: Of all choices.
        cold: Whether exactly the requests of the warm-up are slow; None: by chance.
        hidden: The page lags by at most a scrape interval, and nothing says by how much.
    """
    chance = random.Random(seed)
    interval, period = chance.choice([1.0, 5.0]), chance.choice([1.0, 5.0, 10.0])
    own_times = period == 10.0 and chance.random() < 0.7
    named = chance.random() < 0.6 or (
        period <= interval and not own_times
    )  # a shorter lag shows in no sample
    if hidden:
        period, own_times, named = chance.choice([0.3, 0.9]) * interval, False, False
    start, end = T0 + chance.choice([4.0, 10.0]), T0 + chance.choice([40.0, 70.0])
    shift = chance.uniform(0, period)

    def told(time: float) -> float:
        """Return the last time before a scrape at which the page was rendered."""
        return T0 + floor((time - T0 - shift) / period) * period + shift

    instances = [
        Instance(f"api-{at}", chance.uniform(0, interval), [Process("p", T0 - 500)]) for at in range(2)
    ]
    ours = _traffic(
        chance, T0, end, rate=20.0, until=start, cold=cold or (cold is None and chance.random() < 0.5)
    )
    background = named and chance.random() < 0.3
    others = _traffic(chance, T0 - 5 * interval, end + LONGEST, rate=2.0) if background else []
    for request in sorted([*ours, *others], key=lambda one: one.time):
        chance.choice(instances).processes[0].requests.append(request)
    series = scrape(
        instances, interval=interval, end=end + LONGEST, missed=set(), told=told, own_times=own_times
    )
    preset = replace(PRESET, name="custom" if hidden else PRESET.name, lag=period if named else 0.0)
    raw = ServerSeries("scrape", preset, T0, start, end, tuple(series), interval)
    delivered = _waited_for(raw, sent=len(ours))
    client = ClientCounts(len(ours), 0, sum(one.time >= start for one in ours), end - start)
    waited = max(one.times[-1] for one in delivered.series) - end
    return LaggingHistory(delivered, client, _window(instances, delivered, told), waited, background)


def _traffic(
    chance: random.Random, begin: float, end: float, *, rate: float, until: float = 0.0, cold: bool = False
) -> list[Request]:
    """Return requests, some slow or failed; with `cold` exactly those before `until` are slow."""
    slow = chance.choice([0.0, 0.02, 0.2])
    return [
        Request(
            time,
            (7.0 if time < until else 0.03) if cold else (7.0 if chance.random() < slow else 0.03),
            500 if not cold and chance.random() < 0.01 else 200,
            ours=until > 0,
        )
        for time in (chance.uniform(begin, end) for _ in range(int(rate * (end - begin))))
    ]


def _waited_for(raw: ServerSeries, *, sent: int) -> ServerSeries:
    """Return the samples up to when a source stops waiting, as the sources do."""
    limit = longest_wait(raw.scrape_interval, raw.preset)
    now = raw.end
    while True:
        now += raw.scrape_interval
        found = replace(raw, series=tuple(filter(None, (_until(one, now) for one in raw.series))))
        state = settlement(found, METRICS, sent=sent, limit=limit)
        if state.whole or now > raw.end + limit:
            reason = (state.reason,) if state.reason else ()
            return replace(
                found, lag=measured_lag(found, METRICS), whole_from=state.reached, incomplete=reason
            )


def _until(series: RawSeries, now: float) -> RawSeries | None:
    times = [time for time in series.times if time <= now]
    return replace(series, times=tuple(times), values=series.values[: len(times)]) if times else None


def _window(
    instances: list[Instance], series: ServerSeries, told: Callable[[float], float]
) -> tuple[Request, ...]:
    """Return our requests of the window that come after the sample from which the server's window counts."""
    server = ServerSide(series)
    found = []
    for instance in instances:
        scrapes = server.target(f"api/{instance.name}", "http_requests_total").scrapes
        first = min((time for time in scrapes if time >= server.window_start), default=series.end)
        begin = max(series.start, told(first + ROUNDING))
        found += [one for p in instance.processes for one in p.requests if one.ours and one.time > begin]
    return tuple(found)
