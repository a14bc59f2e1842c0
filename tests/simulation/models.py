"""Servers whose latency distribution is known; arrays of many runs at once.

All have open arrivals, spread as slocheck does by default, and are in their steady state. Times are seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import exp, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from slocheck.spec.model.load_profile import ArrivalProcess

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ARRIVALS = 100.0
"""Requests a second."""

SERVERS = 8
STALL_S, STALL_EVERY_S, BASE_S = 1.0, 30.0, 0.010
"""A pause of a second about every 30 s, of a server that otherwise responds in 10 ms on average."""

SLOW_S, SLOW_EVERY_S, SLOWNESS = 5.0, 60.0, 40
"""A few seconds about every minute in which that server takes forty times as long."""

RHYTHM_SLOW_S, RHYTHM_DELAY_S = 0.012, 0.050
"""A server with a rhythm: at the start of each period it lets requests wait."""

_BURN_IN_S = 40.0
"""For queues, started empty: some ten relaxation times of the slowest one."""

_LONG_RUNS, _LONG_PARTS, _LONG_S = 400, 8, 500
"""From which a queue's true latencies are taken: 20 million requests."""

Latencies = Callable[[np.random.Generator, Floats], Floats]
"""Arrival times of shape (runs, requests), ascending along a run, to latencies of the same shape."""


@dataclass(frozen=True)
class Model:
    """A server under load.

    Attributes:
        name: As in the table.
        latencies: Draws them for given arrival times.
        tail: P(latency >= t), exact; None: no formula is known for these arrivals, a long run is used.
        lead_s: Seconds of arrivals before the window that the model needs to forget its start.
        spread: How arrivals are spread.
        rate: Requests a second.
    """

    name: str
    latencies: Latencies
    tail: Callable[[float], float] | None = None
    lead_s: float = 0.0
    spread: ArrivalProcess = ArrivalProcess.JITTERED
    rate: float = ARRIVALS

    def limit(self, share: float) -> float:
        """Return the limit at or over which `share` of the requests lie: exactly, or in a long run."""
        if self.tail is None:
            return float(np.quantile(_long_run(self), 1 - share))
        tail = self.tail
        return float(brentq(lambda t: tail(t) - share, 1e-9, 100.0, xtol=1e-12))


@cache
def _long_run(model: Model) -> Floats:
    """Return the latencies of 20 million requests, always the same ones."""
    rng, parts = np.random.default_rng(20260102), []
    for _ in range(_LONG_PARTS):
        arrivals = drawn(rng, model.spread, _LONG_RUNS // _LONG_PARTS, _LONG_S + model.lead_s, model.rate)
        parts.append(model.latencies(rng, arrivals)[arrivals >= model.lead_s].astype(np.float32))
    return np.concatenate(parts)


@dataclass(frozen=True)
class Counts:
    """What a client would have counted.

    Attributes:
        n: Requests, shape (runs, seconds).
        over: At or over each threshold, shape (thresholds, runs, seconds).
        total: Sums of latencies, shape (runs, seconds).
    """

    n: Ints
    over: Ints
    total: Floats


def observe(
    model: Model, rng: np.random.Generator, *, runs: int, seconds: int, thresholds: tuple[float, ...]
) -> Counts:
    """Drive `runs` windows of `seconds` one-second slices and count against ascending thresholds."""
    arrivals = drawn(rng, model.spread, runs, seconds + model.lead_s, model.rate)
    latencies = model.latencies(rng, arrivals)
    second = np.floor(arrivals - model.lead_s).astype(np.int64)
    inside = (second >= 0) & (second < seconds)
    cell = (np.arange(runs)[:, None] * seconds + second)[inside]
    kept = latencies[inside]
    bins = len(thresholds) + 1
    reached = np.searchsorted(np.asarray(thresholds), kept, side="right")
    table = np.bincount(cell * bins + reached, minlength=runs * seconds * bins).reshape(runs, seconds, bins)
    at_or_over = table[:, :, ::-1].cumsum(axis=2)[:, :, ::-1]
    total: Floats = np.bincount(cell, weights=kept, minlength=runs * seconds).astype(np.float64)
    return Counts(at_or_over[:, :, 0], np.moveaxis(at_or_over[:, :, 1:], 2, 0), total.reshape(runs, seconds))


def drawn(
    rng: np.random.Generator, spread: ArrivalProcess, runs: int, seconds: float, rate: float = ARRIVALS
) -> Floats:
    """Return arrival times of shape (runs, requests), ascending along a run."""
    slots = np.arange(round(rate * seconds))
    if spread is ArrivalProcess.POISSON:
        most = int(rate * seconds + 6 * sqrt(rate * seconds))
        return np.cumsum(rng.exponential(1 / rate, (runs, most)), axis=1)
    within = rng.random((runs, len(slots))) if spread is ArrivalProcess.JITTERED else np.zeros((runs, 1))
    return np.asarray((slots + within) / rate, dtype=np.float64)


def independent() -> Model:
    """Every request is served independently: the case for which an i.i.d. interval is right."""
    mean = 0.010
    return Model(
        "independent requests",
        lambda rng, arrivals: rng.exponential(mean, arrivals.shape),
        lambda t: exp(-t / mean),
    )


def one_server(load: float) -> Model:
    """One server with exponential service times, at a utilisation of `load`."""
    service = ARRIVALS / load

    def latencies(rng: np.random.Generator, arrivals: Floats) -> Floats:
        """Lindley's recursion, written as a running maximum."""
        services = rng.exponential(1 / service, arrivals.shape)
        steps = np.zeros_like(arrivals)
        steps[:, 1:] = np.cumsum(services[:, :-1] - np.diff(arrivals, axis=1), axis=1)
        return steps + np.maximum.accumulate(-steps, axis=1) + services

    return Model(f"one server at {load:g}", latencies, lead_s=_BURN_IN_S)


def many_servers(load: float) -> Model:
    """Eight servers with exponential service times, first come first served."""
    service = ARRIVALS / load / SERVERS

    def latencies(rng: np.random.Generator, arrivals: Floats) -> Floats:
        """Each request goes to the server that is free first."""
        services = rng.exponential(1 / service, arrivals.shape)
        free = np.zeros((len(arrivals), SERVERS))
        rows = np.arange(len(arrivals))
        found = np.empty_like(arrivals)
        for at in range(arrivals.shape[1]):
            chosen = free.argmin(axis=1)
            ended = np.maximum(free[rows, chosen], arrivals[:, at]) + services[:, at]
            free[rows, chosen] = ended
            found[:, at] = ended - arrivals[:, at]
        return found

    return Model(f"eight servers at {load:g}", latencies, lead_s=_BURN_IN_S)


def stalling() -> Model:
    """Independent requests, but at random moments the server stops for a second, and all wait."""
    stalled = STALL_S / (STALL_S + STALL_EVERY_S)

    def latencies(rng: np.random.Generator, arrivals: Floats) -> Floats:
        """Wait for the end of the stall that is under way, if one is."""
        runs, longest = len(arrivals), float(arrivals[:, -1].max())
        most = int(longest / STALL_EVERY_S + 8 * sqrt(longest / STALL_EVERY_S)) + 8
        between = rng.exponential(STALL_EVERY_S, (runs, most))
        # in the steady state the window begins inside a stall with that probability
        first = np.where(
            rng.random(runs) < stalled, -rng.random(runs) * STALL_S, rng.exponential(STALL_EVERY_S, runs)
        )
        begins = np.hstack((first[:, None], first[:, None] + np.cumsum(between + STALL_S, axis=1)))
        found = rng.exponential(BASE_S, arrivals.shape)
        for row in range(runs):
            index = np.searchsorted(begins[row], arrivals[row], side="right") - 1
            ends = np.where(index >= 0, begins[row][index] + STALL_S, 0.0)
            found[row] += np.maximum(0.0, ends - arrivals[row])
        return found

    def tail(t: float) -> float:
        short = min(t, STALL_S)
        waited = (STALL_S - short + BASE_S * (exp((short - t) / BASE_S) - exp(-t / BASE_S))) / STALL_S
        return (1 - stalled) * exp(-t / BASE_S) + stalled * waited

    return Model(f"stalls of {STALL_S:g} s, {STALL_EVERY_S:g} s apart", latencies, tail)


def phased() -> Model:
    """Independent requests, but at random moments all of them are slow for some seconds."""
    slow = SLOW_S / (SLOW_S + SLOW_EVERY_S)

    def latencies(rng: np.random.Generator, arrivals: Floats) -> Floats:
        """Phases of both kinds are exponential, so the window may begin within one."""
        found = rng.exponential(BASE_S, arrivals.shape)
        for row, arrived in enumerate(arrivals):
            most = int(3 * arrived[-1] / (SLOW_S + SLOW_EVERY_S)) + 20
            calm, lasts = rng.exponential(SLOW_EVERY_S, most), rng.exponential(SLOW_S, most)
            calm[0] *= rng.random() >= slow
            begins = np.cumsum(calm) + np.concatenate(([0.0], np.cumsum(lasts)[:-1]))
            index = np.searchsorted(begins, arrived, side="right") - 1
            within = (index >= 0) & (arrived < (begins + lasts)[np.maximum(index, 0)])
            found[row] *= np.where(within, SLOWNESS, 1)
        return found

    def tail(t: float) -> float:
        return (1 - slow) * exp(-t / BASE_S) + slow * exp(-t / BASE_S / SLOWNESS)

    return Model(f"slow phases of {SLOW_S:g} s, {SLOW_EVERY_S:g} s apart", latencies, tail)


def rhythmic(period_s: float, spread: ArrivalProcess = ArrivalProcess.JITTERED) -> Model:
    """Independent requests, but at the start of each period the server lets them wait for a while."""
    slow = RHYTHM_SLOW_S / period_s

    def latencies(rng: np.random.Generator, arrivals: Floats) -> Floats:
        """Each run meets the rhythm at a random phase, and keeps it if its arrivals do."""
        phase = (arrivals + rng.random((len(arrivals), 1)) * period_s) % period_s
        found = rng.exponential(BASE_S, arrivals.shape)
        return found + np.where(phase < RHYTHM_SLOW_S, RHYTHM_DELAY_S, 0.0)

    def tail(t: float) -> float:
        return (1 - slow) * exp(-t / BASE_S) + slow * exp(-max(0.0, t - RHYTHM_DELAY_S) / BASE_S)

    return Model(
        f"a rhythm of {period_s * 1000:g} ms, {spread.value} arrivals", latencies, tail, spread=spread
    )


MODELS = (
    independent(),
    one_server(0.5),
    one_server(0.8),
    one_server(0.95),
    many_servers(0.8),
    stalling(),
    phased(),
    rhythmic(0.1),
    rhythmic(0.07),
)

EVEN_MODELS = tuple(rhythmic(period_s, ArrivalProcess.EVEN) for period_s in (0.1, 0.07))
"""The same servers with even arrivals: why these are not the default."""
