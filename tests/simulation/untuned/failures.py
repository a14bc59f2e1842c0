"""Systems whose requests fail: at the start, in a wave, after a deployment, in phases, or one by one."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tests.simulation.models import ARRIVALS, Counts, Floats, Ints
from tests.simulation.rates import Windows
from tests.simulation.untuned.phases import exponential, parts_of_seconds

Drawn = tuple[Ints, Ints]
"""Requests, and those of them that fail, each of shape (runs, seconds)."""

PERCENT = 0.01
COLD_S = 10
"""Seconds after the start in which requests fail."""

SWING = 0.9
"""Of a wave, relative to its mean."""

STEP = (0.5, 1.5)
"""Failures before and after a deployment, relative to their mean."""

PHASES = ((5.0, 60.0), (10.0, 120.0), (20.0, 20.0))
"""How long phases last and how long it is until the next one, on average; seconds."""

LONG_PHASES = ((40.0, 40.0), (60.0, 10.0))
"""The same, with failures for half of the time or more."""

STORM_S, STORM_EVERY_S = 1.0, 30.0
RETRIES = 2
"""After the first attempt; in a storm each attempt fails as often as not."""


@dataclass(frozen=True, slots=True)
class Failing:
    """A system, of which a limit allows exactly as many failures as there are.

    Attributes:
        name: As in the table.
        share: The true share of failed requests, 0..1.
        draw: Draws so many windows of so many seconds.
    """

    name: str
    share: float
    draw: Callable[[np.random.Generator, int, int], Drawn]

    def windows(self, rng: np.random.Generator, runs: int, seconds: int) -> Windows:
        """Draw windows at the exact limit."""
        n, bad = self.draw(rng, runs, seconds)
        return Windows(self.share, Counts(n, bad[None], n.astype(np.float64)))


def _failed(rng: np.random.Generator, chance: Floats) -> Drawn:
    """Let each request of a second fail by itself, at that second's chance."""
    n = np.full(chance.shape, round(ARRIVALS), dtype=np.int64)
    return n, rng.binomial(n, np.minimum(chance, 1.0))


def _over(runs: int, seconds: int) -> Floats:
    """Return the part of the window that is over at the middle of each second."""
    return np.tile((np.arange(seconds) + 0.5) / seconds, (runs, 1))


def _changing(chance: Callable[[Floats], Floats]) -> Callable[[np.random.Generator, int, int], Drawn]:
    return lambda rng, runs, seconds: _failed(rng, PERCENT * chance(_over(runs, seconds)))


def _cold(rng: np.random.Generator, runs: int, seconds: int) -> Drawn:
    second = np.tile(np.arange(seconds), (runs, 1))
    return _failed(rng, np.where(second < COLD_S, PERCENT * seconds / COLD_S, 0.0))


def _wave(periods: float) -> Callable[[np.random.Generator, int, int], Drawn]:
    """Return a wave that each window meets at a random phase."""

    def draw(rng: np.random.Generator, runs: int, seconds: int) -> Drawn:
        phase = periods * _over(runs, seconds) + rng.random((runs, 1))
        return _failed(rng, PERCENT * (1 + SWING * np.sin(2 * np.pi * phase)))

    return draw


def _broken_release(rng: np.random.Generator, runs: int, seconds: int) -> Drawn:
    """None fail until a random moment, and then as many as make up the share of the window."""
    begin = np.round(seconds * (0.2 + 0.6 * rng.random((runs, 1))))
    after = np.arange(seconds) >= begin
    return _failed(rng, np.where(after, PERCENT * seconds / (seconds - begin), 0.0))


def _in_phases(lasts_s: float, every_s: float) -> Callable[[np.random.Generator, int, int], Drawn]:
    """Return failures in phases that may begin and end at any moment."""

    def draw(rng: np.random.Generator, runs: int, seconds: int) -> Drawn:
        inside = parts_of_seconds(rng, runs, seconds, exponential(every_s), exponential(lasts_s))
        return _failed(rng, PERCENT * inside * (lasts_s + every_s) / lasts_s)

    return draw


def _storms(rng: np.random.Generator, runs: int, seconds: int) -> Drawn:
    """In a storm half of the attempts fail, and each failure is tried again at once."""
    part = parts_of_seconds(rng, runs, seconds, exponential(STORM_EVERY_S), exponential(STORM_S))
    tries = np.round(ARRIVALS * part).astype(np.int64)
    n, bad = np.full_like(tries, round(ARRIVALS)), np.zeros_like(tries)
    for attempt in range(1 + RETRIES):
        n += tries if attempt else 0
        tries = rng.binomial(tries, 0.5)
        bad += tries
    return n, bad


def _storm_share() -> float:
    """Return the true share: failures and attempts for each arrival."""
    part = STORM_S / (STORM_S + STORM_EVERY_S)
    failures = sum(0.5**attempt for attempt in range(1, 2 + RETRIES))
    more = sum(0.5**attempt for attempt in range(1, 1 + RETRIES))
    return part * failures / (1 + part * more)


def _phased(phases: Iterable[tuple[float, float]]) -> Iterator[Failing]:
    for lasts, every in phases:
        yield Failing(f"in phases of {lasts:g} s, {every:g} s apart", PERCENT, _in_phases(lasts, every))


FAILING = (
    Failing("one by one", 0.001, lambda rng, runs, seconds: _failed(rng, np.full((runs, seconds), 0.001))),
    Failing(f"in the first {COLD_S} s only", PERCENT, _cold),
    Failing("a wave, one period a window", PERCENT, _wave(1)),
    Failing("half a wave, rising", PERCENT, _changing(lambda over: 1 - SWING * np.cos(np.pi * over))),
    Failing("half a wave, at any phase; limit: mean of the wave", PERCENT, _wave(0.5)),
    Failing("three times as many after mid-window", PERCENT, _changing(lambda x: np.where(x < 1 / 2, *STEP))),
    Failing("a third after mid-window", PERCENT, _changing(lambda x: np.where(x < 1 / 2, *STEP[::-1]))),
    Failing("from a random moment on", PERCENT, _broken_release),
    *_phased(PHASES),
    Failing(f"storms of retries, {STORM_EVERY_S:g} s apart", _storm_share(), _storms),
    *_phased(LONG_PHASES),
)
