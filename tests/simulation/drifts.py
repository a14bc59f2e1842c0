"""Windows that are not steady: how often the tests for drift say so."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from slocheck.grading.validity.steady_state import MATERIAL_SHARE
from slocheck.statistics.blocking import MIN_SLICES
from slocheck.statistics.trend import LAST, detect_drift
from tests.simulation.models import ARRIVALS, BASE_S, Floats

SERIES = 2
"""Tested in each window: the mean latency, and one share of bad requests."""


@dataclass(frozen=True, slots=True)
class Change:
    """Independent requests whose failures or latencies change within the window.

    Attributes:
        name: As in the table.
        failing: Share of failed requests, by the part of the window that is over, 0..1.
        slowness: Factor of the latencies, likewise.
        allowed: The share that the limit allows to fail.
    """

    name: str
    failing: Callable[[Floats], Floats]
    slowness: Callable[[Floats], Floats]
    allowed: float

    def alarms(self, rng: np.random.Generator, runs: int, seconds: int) -> int:
        """Return how many of `runs` windows are called unsteady."""
        return sum(self._alarm(rng, seconds) for _ in range(runs))

    def _alarm(self, rng: np.random.Generator, seconds: int) -> bool:
        each, over = round(ARRIVALS), (np.arange(seconds) + 0.5) / seconds
        failed = rng.binomial(each, self.failing(over))
        ok = np.maximum(1, each - failed)
        means = self.slowness(over) * rng.gamma(ok, BASE_S / ok)
        found = [detect_drift(means.tolist(), series=SERIES)]
        if np.count_nonzero(failed) >= MIN_SLICES:
            share = (failed / each).tolist()
            found.append(detect_drift(share, series=SERIES, material=MATERIAL_SHARE * self.allowed))
        return any(drift is not None and not drift.steady for drift in found)


def _same(over: Floats) -> Floats:
    return np.ones_like(over)


def _none(over: Floats) -> Floats:
    return np.zeros_like(over)


def _at_the_end(value: float) -> Callable[[Floats], Floats]:
    return lambda part: np.where(part > 1 - LAST, value, 1.0)


DRIFTS = (
    Change("failures rise from 0 to 2 %, 2 % allowed", lambda part: 0.02 * part, _same, 0.02),
    Change("failures rise from 0.5 to 1 %, 1 % allowed", lambda part: 0.005 * (1 + part), _same, 0.01),
    Change(
        "2 % fail in the last tenth, 0.5 % before", lambda over: 0.005 * _at_the_end(4.0)(over), _same, 0.01
    ),
    Change("latency three times as high in the last tenth", _none, _at_the_end(3.0), 0.01),
    Change("latency a tenth higher in the last tenth", _none, _at_the_end(1.1), 0.01),
    Change("latency rises by a fifth", _none, lambda part: 1 + 0.2 * part, 0.01),
)
