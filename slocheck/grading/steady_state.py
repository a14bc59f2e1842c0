"""Was the window one steady state? Two alarms on its per-second mean latencies; either keeps MET away.

The first fifth of the window is compared with the rest, by Student's t at the widest error that blocks of
1, 2, 4 ... seconds show (Flyvbjerg and Petersen's blocking, as in `statistics`). A drift through the whole
window is sought by Mann's and Kendall's rank test on blocks of 5 s, which has to hold at 10 s, 20 s ... too:
neighbouring blocks of a busy queue are alike, and plain blocks of 5 s alarm where nothing drifts. The
suggested warm-up is the cut of MSER-5 (White 1997).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

import numpy as np
from scipy.special import ndtri, stdtrit

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.model import Evidence
from slocheck.grading.assessment import ObjectiveResult, SteadyState
from slocheck.grading.withhold import withhold_met
from slocheck.indicators.client import mean_latencies
from slocheck.spec.formatting import format_value
from slocheck.spec.model import IndicatorKind, Spec
from slocheck.statistics.proportion import MIN_SLICES, Floats, blocks

ALPHA = 0.01
"""Two-sided error rate of each alarm."""

FIRST = 0.2
"""The share of the window that is compared with the rest."""

BLOCK = 5
"""Seconds of the shortest block of the trend test and of MSER-5."""

MOST_BLOCKS = 240
"""The trend test compares all pairs; in windows over 20 minutes its blocks are longer than `BLOCK`."""

MATERIAL = 0.05
"""A smaller change, relative to the mean, is no alarm however sure it is: no server is that steady."""


MOST_CUTS = 20
"""So many cuts are tried where MSER-5 finds none."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What the slices say of the window's steadiness; values in the unit of the series.

    Attributes:
        seconds: How many of the window's seconds are in its first part.
        first: Mean of the first part.
        rest: Mean of the rest.
        differs: The two differ, materially and beyond chance.
        trend: 1 where the series rises through the whole window, -1 where it falls, else 0.
        cut: Seconds after which the series is steadiest; None where that is not in its first half.
    """

    seconds: int
    first: float
    rest: float
    differs: bool
    trend: int
    cut: int | None

    @property
    def steady(self) -> bool:
        """Whether neither alarm was raised."""
        return not self.differs and not self.trend


def detect_drift(means: Sequence[float | None]) -> Drift | None:
    """Judge per-second mean latencies in order; None stands for a second without a successful request.

    Returns None where there are too few seconds for a test. The unit of `means` does not matter.
    """
    present = [second for second, mean in enumerate(means) if mean is not None]
    series = np.asarray([mean for mean in means if mean is not None], dtype=np.float64)
    if len(series) < MIN_SLICES:
        return None
    split = round(FIRST * len(series))
    first, rest = float(series[:split].mean()), float(series[split:].mean())
    cut = _cut(series)
    return Drift(
        present[split],
        first,
        rest,
        _differs(series),
        _trend(series),
        None if cut is None else present[cut] if cut else 0,
    )


def _differs(series: Floats) -> bool:
    """Tell whether the means of the series' first part and of its rest differ.

    The variance of a sum is estimated from each part's deviations from its own mean, so that the very
    difference that is sought does not hide itself.
    """
    split = round(FIRST * len(series))
    early, late = series[:split], series[split:]
    difference = abs(float(early.mean() - late.mean()))
    if difference <= MATERIAL * float(series.mean()):
        return False
    errors = np.concatenate((early - early.mean(), late - late.mean()))
    scale = (1 / len(early) + 1 / len(late)) / len(series)
    for starts in blocks([len(early), len(late)]):
        degrees = len(starts) - 2
        squares = float(np.sum(np.add.reduceat(errors, starts) ** 2))
        spread = sqrt((degrees + 2) / degrees * squares * scale)
        if difference <= float(stdtrit(degrees, 1 - ALPHA / 2)) * spread:
            return False
    return True


def _trend(series: Floats) -> int:
    """Return the sign of a monotone trend that blocks of every length show; 0 where there is none."""
    size = max(BLOCK, -(-len(series) // MOST_BLOCKS))
    signs: list[int] = []
    while len(series) // size >= MIN_SLICES:
        signs.append(_mann_kendall(_block_means(series, size)))
        size *= 2
    edge = round(FIRST * len(series))
    change = abs(float(series[-edge:].mean() - series[:edge].mean()))
    if not signs or len(set(signs)) > 1 or change <= MATERIAL * float(series.mean()):
        return 0
    return signs[0]


def _block_means(series: Floats, size: int) -> Floats:
    """Return the means of consecutive blocks; a remainder at the end is left out."""
    count = len(series) // size
    means: Floats = series[: count * size].reshape(count, size).mean(axis=1)
    return means


def _mann_kendall(values: Floats) -> int:
    """Return the sign of the trend by Mann and Kendall's test, 0 where it may be chance.

    Normal approximation with the continuity correction; ties make it cautious.
    """
    count = len(values)
    earlier, later = np.triu_indices(count, 1)
    score = float(np.sign(values[later] - values[earlier]).sum())
    deviation = sqrt(count * (count - 1) * (2 * count + 5) / 18)
    significant = (abs(score) - 1) / deviation > float(ndtri(1 - ALPHA / 2))
    return int(np.sign(score)) if significant else 0


def _cut(series: Floats) -> int | None:
    """Return how many slices to cut off: MSER-5's cut, that before the tail whose mean is known best.

    MSER-5 looks as far as the middle. Its best cut there is no answer, and comes by chance where blocks are
    few: then it is the shortest cut after which neither alarm is raised; None where there is none.
    """
    values = _block_means(series, BLOCK)
    last = len(values) // 2
    scores = [float(np.var(values[cut:])) / (len(values) - cut) for cut in range(last + 1)]
    best = int(np.argmin(scores))
    if best < last:
        return best * BLOCK
    for cut in range(0, last, -(-max(1, last) // MOST_CUTS)):
        tail = series[cut * BLOCK :]
        if len(tail) >= MIN_SLICES and not _differs(tail) and not _trend(tail):
            return cut * BLOCK
    return None


def alarms(spec: Spec, runs: Sequence[Evidence]) -> tuple[SteadyState, ...]:
    """Return what each run that is long enough says of its window; nothing where the spec does not ask."""
    if not spec.validity.steady:
        return ()
    found = []
    for number, run in enumerate(runs, start=1):
        drift = detect_drift(mean_latencies(run.recording))
        if drift is not None:
            name = f"run {number}: " if len(runs) > 1 else ""
            warmup = run.recording.warmup_s + drift.cut if drift.cut else None
            found.append(SteadyState(drift.steady, name + _message(drift), None if drift.steady else warmup))
    return tuple(found)


def _message(drift: Drift) -> str:
    """Say in plain words what was seen."""
    early, late = (
        format_value(IndicatorKind.LATENCY, Fraction(round(mean), NS_PER_SECOND))
        for mean in (drift.first, drift.rest)
    )
    compared = f"mean latency {early} in the window's first {drift.seconds} s, {late} after"
    if drift.steady:
        return compared
    if not drift.differs:
        direction = "rose" if drift.trend > 0 else "fell"
        return f"unsteady: mean latency {direction} through the whole window"
    return f"unsteady: {compared}"


def suggestion(alarm: SteadyState) -> str:
    """Say what to do about an unsteady window."""
    if alarm.warmup_s is None:
        return "no warm-up that fits into this window cures it: run longer, or find out what drifts"
    return f"try workload.warmup: {alarm.warmup_s}s"


def capped(results: Sequence[ObjectiveResult], found: Sequence[SteadyState]) -> tuple[ObjectiveResult, ...]:
    """Return the results without any MET if a run was unsteady; what is breached stays so."""
    alarm = next((item for item in found if not item.steady), None)
    if alarm is None:
        return tuple(results)
    return withhold_met(results, f"{alarm.message}; {suggestion(alarm)}")
