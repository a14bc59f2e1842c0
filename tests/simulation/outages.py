"""Failures in outages, or with a wandering share: how often the verdict at the limit is wrong."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, exp, log, sqrt

import numpy as np

from slocheck.indicators.outages import requests_in_outages
from tests.simulation.many import Flags, many_verdicts
from tests.simulation.models import ARRIVALS, Counts, Ints
from tests.simulation.rates import Rates, Windows

PART = 2_000
"""Windows that are judged at once: bounds the memory."""


@dataclass(frozen=True, slots=True)
class Outages:
    """A server that at random moments fails every request for some seconds.

    Attributes:
        share: True share of failed requests; the limit is the same.
        lasts_s: Length of an outage, seconds; those that overlap are one.
        window_s: Length of the window, seconds.
    """

    share: float
    lasts_s: float
    window_s: int

    def draw(self, rng: np.random.Generator, runs: int) -> Ints:
        """Return failed requests per second, shape (runs, seconds)."""
        rate, length = round(ARRIVALS), self.window_s + self.lasts_s
        each_second = -log(1 - self.share) / self.lasts_s
        bad = np.zeros((runs, self.window_s), dtype=np.int64)
        for row, count in enumerate(rng.poisson(each_second * length, runs)):
            begins = rng.random(count) * length - self.lasts_s
            failed = np.zeros(self.window_s * rate, dtype=bool)
            for begin in begins:
                failed[max(0, ceil(begin * rate)) : max(0, ceil((begin + self.lasts_s) * rate))] = True
            bad[row] = failed.reshape(self.window_s, rate).sum(axis=1)
        return bad

    def rates(self, rng: np.random.Generator, runs: int, level: Fraction, bursts_s: float = 0.0) -> Rates:
        """Judge windows as the product does, with or without a condition on bursts."""
        failed, found = self.draw(rng, runs), Rates(0)
        for part in np.array_split(failed, ceil(runs / PART)):
            n = np.full_like(part, round(ARRIVALS))
            window = Windows(self.share, Counts(n, part[None], n.astype(np.float64)), None, bursts_s, level)
            met, breached = many_verdicts(window)
            down = broken_by_outages(window)
            found += Rates(len(part), int((met & ~down).sum()), int((breached | down).sum()))
        return found


def broken_by_outages(window: Windows) -> Flags:
    """Return in which windows the target was down for longer than the limit allows, by exact counts."""
    n = window.counts.n
    seen = zip(n, window.bad, ((n > 0) & (n == window.bad)).any(axis=1), strict=True)
    lost = [
        requests_in_outages(sent.tolist(), bad.tolist(), bursts_s=window.bursts_s) if any_down else 0
        for sent, bad, any_down in seen
    ]
    return np.asarray(np.asarray(lost) > window.share * n.sum(axis=1))


@dataclass(frozen=True, slots=True)
class Wandering:
    """Independent requests whose chance to be bad has a memory, as under a load from elsewhere.

    Attributes:
        share: Its mean, 0..1.
        memory_s: After so many seconds the logarithm of the chance is correlated by 1/e (AR(1)).
        spread: Standard deviation of the logarithm.
    """

    share: float
    memory_s: float
    spread: float

    def windows(self, rng: np.random.Generator, runs: int, seconds: int) -> Windows:
        """Draw windows at the exact limit."""
        kept = exp(-1 / self.memory_s)
        noise = rng.normal(size=(seconds, runs))
        level = noise[0]
        bad = np.empty((runs, seconds), dtype=np.int64)
        for second in range(seconds):
            level = kept * level + sqrt(1 - kept**2) * noise[second] if second else level
            chance = self.share * np.exp(self.spread * level - self.spread**2 / 2)
            bad[:, second] = rng.binomial(round(ARRIVALS), np.minimum(1.0, chance))
        n = np.full_like(bad, round(ARRIVALS))
        return Windows(self.share, Counts(n, bad[None], n.astype(np.float64)))


WANDERING = tuple(
    Wandering(share, memory_s, spread)
    for share, spread in ((0.05, 1.0), (0.01, 0.5))
    for memory_s in (5.0, 20.0, 60.0)
)
