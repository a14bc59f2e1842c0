"""A server in a closed loop: how often its mean rate is called met if the limit is the true mean."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from slocheck.documents.position import Position
from slocheck.documents.units import ComparisonOperator
from slocheck.grading.assessment import Side, Verdict
from slocheck.grading.verdict import grade_sample
from slocheck.indicators.samples import Rate, shortfall
from slocheck.spec.model import Indicator, IndicatorKind, Limit
from slocheck.statistics.confidence import criterion_for
from tests.simulation.models import Floats, Ints
from tests.simulation.rates import CONFIDENCE, Rates

RPS = Indicator(IndicatorKind.RPS_PER_INSTANCE)
FASTEST = 100.0
"""Requests a second outside of the slow phases."""


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """A server whose users wait for it; at random moments it is slower for a while.

    Attributes:
        name: As in the table.
        slow: The rate in the slow phases, relative to the rate outside of them.
        lasts_s: Mean length of a slow phase, seconds.
        every_s: Mean time between two of them, seconds; both are exponential.
        even: Requests are served at even distances; else at random moments.
    """

    name: str
    slow: float
    lasts_s: float
    every_s: float
    even: bool = False

    @property
    def mean(self) -> float:
        """The true mean, 1/s."""
        share = self.lasts_s / (self.lasts_s + self.every_s)
        return FASTEST * (1 - share + share * self.slow)

    def draw(self, rng: np.random.Generator, runs: int, seconds: int) -> Ints:
        """Return requests served, shape (runs, seconds)."""
        work = np.stack([self._work(rng, seconds) for _ in range(runs)])
        if not self.even:
            return rng.poisson(FASTEST * np.diff(work, axis=1))
        done: Ints = np.floor(FASTEST * work + rng.random((runs, 1))).astype(np.int64)
        return np.diff(done, axis=1)

    def _work(self, rng: np.random.Generator, seconds: int) -> Floats:
        """Return the work done until each whole second, in seconds at the fastest rate."""
        most = int(4 * seconds / (self.lasts_s + self.every_s)) + 20
        lengths = np.empty(2 * most)
        lengths[::2] = rng.exponential(self.every_s, most)
        lengths[1::2] = rng.exponential(self.lasts_s, most)
        lengths[0] *= rng.random() >= self.lasts_s / (self.lasts_s + self.every_s)
        speeds = np.tile([1.0, self.slow], most)
        ends = np.concatenate(([0.0], np.cumsum(lengths)))
        done = np.concatenate(([0.0], np.cumsum(lengths * speeds)))
        return np.interp(np.arange(seconds + 1), ends, done)

    def rates(
        self, rng: np.random.Generator, runs: int, seconds: int, limit: float = 1.0, scrape_s: int = 0
    ) -> Rates:
        """Grade windows as the product does; `limit` is relative to the true mean.

        With `scrape_s` a server's counter is graded that is scraped so often, under arrivals of a schedule.
        """
        criterion = criterion_for(CONFIDENCE, (float(seconds),), 0.0)
        value = Fraction(limit * self.mean)
        least = Limit(ComparisonOperator.GE, value, f">= {float(value):g}", Position(1, 1))
        found = [
            grade_sample(Side.CLIENT, sample(row, scrape_s), RPS, least, criterion).verdict
            for row in self.draw(rng, runs, seconds).reshape(runs, -1, scrape_s or 1).sum(axis=2).tolist()
        ]
        return Rates(runs, found.count(Verdict.MET), found.count(Verdict.BREACHED))


def sample(served: list[int], scrape_s: int = 0) -> Rate:
    """Return what a client counts of requests that all succeed; with `scrape_s` what a server counts."""
    slice_s = scrape_s or 1
    slices, seconds = shortfall(served, slice_s=float(slice_s)), len(served) * slice_s
    rate, ceiling = Fraction(sum(served), seconds), Fraction(sum(slices.n), seconds)
    if scrape_s:
        return Rate(rate, rate, Fraction(FASTEST), ceiling, slices, server_alone=True)
    return Rate(rate, rate, rate, ceiling, slices, closed=True)


CLOSED_LOOPS = (
    ClosedLoop("evenly, stops of 0.5 s, 30 s apart", 0.0, 0.5, 30.0, even=True),
    ClosedLoop("evenly, stops of 2 s, 120 s apart", 0.0, 2.0, 120.0, even=True),
    ClosedLoop("evenly, half as fast for 5 s, 60 s apart", 0.5, 5.0, 60.0, even=True),
    ClosedLoop("evenly, half as fast for 30 s, 120 s apart", 0.5, 30.0, 120.0, even=True),
    ClosedLoop("at random", 1.0, 1.0, 1000.0),
    ClosedLoop("at random, stops of 2 s, 120 s apart", 0.0, 2.0, 120.0),
    ClosedLoop("at random, half as fast for 30 s, 120 s apart", 0.5, 30.0, 120.0),
)
