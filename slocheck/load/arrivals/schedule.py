"""When arrivals are to begin: an absolute schedule that no response can move. No Locust here.

Arrival k of the whole run comes at the time at which the rate, summed from the load's begin, reaches k
(uniform), or a sum of k exponential variates of mean 1 (Poisson: the time change of a unit process,
Lewis and Shedler 1979). Worker w of N takes the arrivals k with k mod N = w: together they send exactly
what one worker would.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from slocheck.documents.units import NS_PER_SECOND
from slocheck.spec.model.load_profile import ArrivalProcess, Stage

_BLOCK = 256
"""Arrivals reckoned in one go: about 0.1 ms, for which requests wait that are due."""

Floats = NDArray[np.float64]


def arrivals(
    stages: Sequence[Stage], spread: ArrivalProcess, *, seed: int, index: int, processes: int
) -> Iterator[int]:
    """Yield one worker's arrivals, nanoseconds since the load's begin, ascending, until the stages end."""
    course = _Course(stages)
    random = np.random.Generator(np.random.Philox(key=seed % 2**64))
    first, reached = 0, 0.0
    while True:
        numbers = np.arange(first, first + _BLOCK)
        if spread is ArrivalProcess.UNIFORM:
            targets = numbers.astype(np.float64)
        else:
            targets = reached + np.cumsum(random.exponential(size=_BLOCK))
            reached = float(targets[-1])
        within = targets < course.total
        mine = within & (numbers % processes == index)
        yield from np.round(course.times(targets[mine]) * NS_PER_SECOND).astype(np.int64).tolist()
        if not within.all():
            return
        first += _BLOCK


class _Course:
    """Stages, and the rate summed over them.

    Attributes:
        total: Arrivals of the whole course.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._begin = np.array([stage.begin for stage in stages], dtype=np.float64)
        self._end = np.array([stage.end for stage in stages], dtype=np.float64)
        self._seconds = np.array([stage.seconds for stage in stages], dtype=np.float64)
        amounts = (self._begin + self._end) / 2 * self._seconds
        self._amounts = np.concatenate(([0.0], np.cumsum(amounts)))
        self._starts = np.concatenate(([0.0], np.cumsum(self._seconds)))
        self.total = float(self._amounts[-1])

    def times(self, targets: Floats) -> Floats:
        """Return when the summed rate reaches each target, seconds; targets are below `total`."""
        stage = np.searchsorted(self._amounts, targets, side="right") - 1
        begin, slope = self._begin[stage], (self._end - self._begin)[stage] / self._seconds[stage]
        left = targets - self._amounts[stage]
        root = begin + np.sqrt(np.maximum(begin**2 + 2 * slope * left, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = np.where(left > 0, 2 * left / root, 0.0)
        return np.asarray(self._starts[stage] + inside, dtype=np.float64)
