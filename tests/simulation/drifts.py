"""Windows that are not steady: how often the tests for drift say so, and what is met all the same."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log

import numpy as np

from slocheck.evidence.recording import FailureClass
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome
from slocheck.grading.validity.steady_state import MATERIAL_SHARE
from slocheck.statistics.blocking import MIN_SLICES
from slocheck.statistics.trend import LAST, detect_drift
from tests.builders.evidence import make_evidence
from tests.builders.recordings import MS, make_recording, make_slice
from tests.builders.specs import make_spec
from tests.simulation.models import ARRIVALS, BASE_S, Floats

SERIES = 2
"""Tested in each window: the mean latency, and one share of bad requests."""

SLACKS = (1, 4)
"""How many times what is bad at the window's end a limit allows: it just breaks it, or is far from it."""

SLOW = 0.05
"""The share of slow requests that the limit on the latency allows: it is one of p95."""


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

    def met(self, rng: np.random.Generator, runs: int, seconds: int, slack: float) -> int:
        """Return on how many of so many windows a limit is met.

        Args:
            rng: Draws the requests.
            runs: How many windows.
            seconds: Length of each.
            slack: The limit allows so many times what is bad at the window's end.
        """
        return sum(self._is_met(rng, seconds, slack) for _ in range(runs))

    def _is_met(self, rng: np.random.Generator, seconds: int, slack: float) -> bool:
        each, over = round(ARRIVALS), (np.arange(seconds) + 0.5) / seconds
        failed, pace = rng.binomial(each, self.failing(over)), self.slowness(over) * BASE_S * 1000
        limit_us = round(-log(SLOW / slack) * float(pace[-1]) * 1000)
        slow = rng.binomial(each - failed, np.exp(-limit_us / 1000 / pace))
        thresholds = (limit_us * MS // 1000,)
        middle = pace * rng.gamma(each, 1 / each, seconds)
        parts = [
            make_slice(
                second,
                {float(middle[second]): each - int(bad) - int(late), limit_us / 1000: int(late)},
                failures={FailureClass.STATUS: int(bad)},
                statuses={200: each - int(bad), 500: int(bad)},
                thresholds=thresholds,
            )
            for second, (bad, late) in enumerate(zip(failed, slow, strict=True))
        ]
        recording = replace(make_recording(parts), thresholds_ns=thresholds)
        allowed = slack * float(self.failing(np.ones(1))[0])
        objective = (
            f'error_rate: {{silver: "<= {allowed:.4%}"}}'
            if allowed
            else f'latency_p95: {{silver: "< {limit_us}us"}}'
        )
        spec = make_spec(f"  {objective}\n", more="confidence: 95%\n")
        return assess(spec, make_evidence(recording)).outcome is Outcome.PASS

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
