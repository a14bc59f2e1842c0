"""Failures that come in outages: how often their share is judged wrongly at its exact limit."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log

import numpy as np

from slocheck.statistics.confidence import criterion_for
from slocheck.statistics.proportion import compare_proportion
from tests.simulation.models import ARRIVALS, Ints
from tests.simulation.rates import Rates, counted


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
        criterion = criterion_for(level, (float(self.window_s),), bursts_s)
        sent = [round(ARRIVALS)] * self.window_s
        return counted(
            [compare_proportion(sent, row.tolist(), self.share, criterion) for row in self.draw(rng, runs)]
        )
