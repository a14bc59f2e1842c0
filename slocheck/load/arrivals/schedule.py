"""When arrivals begin: a fixed schedule that no response can delay. No Locust here.

Arrival k of the whole run comes when the integral of the rate since the load began reaches a target:

- even: k;
- jittered: k plus a random fraction. Each interval of 1/rate has one arrival, so the counts equal those
  of even arrivals, but the load does not lock to one phase of any rhythm of the target;
- Poisson: a sum of k exponential variates of mean 1 (time change of a unit process, Lewis and Shedler
  1979).

All of it depends only on the seed and k. Worker w of N takes the arrivals with k mod N = w, so together
the workers send exactly what one worker would.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from slocheck.documents.units import NS_PER_SECOND
from slocheck.spec.model.load_profile import ArrivalProcess, Stage, expected_arrivals

_BLOCK = 256
"""Arrivals computed at a time. It takes about 0.1 ms, during which requests that are due have to wait."""

Floats = NDArray[np.float64]


def arrivals(
    stages: Sequence[Stage], spread: ArrivalProcess, *, seed: int, index: int, processes: int
) -> Iterator[int]:
    """Yield one worker's arrivals, nanoseconds since the load began, ascending, until the stages end."""
    return chain.from_iterable(_blocks(stages, spread, seed=seed, index=index, processes=processes))


def _blocks(
    stages: Sequence[Stage], spread: ArrivalProcess, *, seed: int, index: int, processes: int
) -> Iterator[list[int]]:
    """Yield the arrivals in blocks, each as a list."""
    profile = _Profile(stages)
    random = np.random.Generator(np.random.Philox(key=seed % 2**64))
    first, reached = 0, 0.0
    while True:
        numbers = np.arange(first, first + _BLOCK)
        if spread is ArrivalProcess.POISSON:
            targets = reached + np.cumsum(random.exponential(size=_BLOCK))
            reached = float(targets[-1])
        else:
            targets = numbers.astype(np.float64)
        within = targets < profile.total
        if spread is ArrivalProcess.JITTERED:  # the last interval may be cut short by the end
            targets += random.random(_BLOCK) * np.clip(profile.total - targets, 0.0, 1.0)
            targets = np.minimum(targets, np.nextafter(profile.total, 0.0))
        mine = within & (numbers % processes == index)
        yield np.round(profile.times(targets[mine]) * NS_PER_SECOND).astype(np.int64).tolist()
        if not within.all():
            return
        first += _BLOCK


class _Profile:
    """Stages, and the rate summed over them.

    Attributes:
        total: Arrivals of all stages.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._begin = np.array([stage.begin for stage in stages], dtype=np.float64)
        self._end = np.array([stage.end for stage in stages], dtype=np.float64)
        self._seconds = np.array([stage.seconds for stage in stages], dtype=np.float64)
        arrivals_of = [expected_arrivals((stage,), 0.0, stage.seconds) for stage in stages]
        self._reached = np.concatenate(([0.0], np.cumsum(arrivals_of)))
        self._starts = np.concatenate(([0.0], np.cumsum(self._seconds)))
        self.total = float(self._reached[-1])

    def times(self, targets: Floats) -> Floats:
        """Return when the summed rate reaches each target, seconds; targets are below `total`."""
        stage = np.searchsorted(self._reached, targets, side="right") - 1
        begin, slope = self._begin[stage], (self._end - self._begin)[stage] / self._seconds[stage]
        left = targets - self._reached[stage]
        root = begin + np.sqrt(np.maximum(begin**2 + 2 * slope * left, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = np.where(left > 0, 2 * left / root, 0.0)
        return np.asarray(self._starts[stage] + inside, dtype=np.float64)
