"""The standard error of a percentile within one run."""

from fractions import Fraction
from math import log, sqrt

import numpy as np
import pytest

from slocheck.evidence.histogram import bucket_bounds
from slocheck.evidence.recording import FailureClass, Recording
from slocheck.indicators.batches import BATCHES, log_percentile_error
from tests.builders.traffic import make_traffic, recorded

MEDIAN = Fraction(1, 2)


def traffic(seconds: int, *, rate: int = 100, failing: int = 0) -> Recording:
    """Return a recording; `failing` requests of each second fail."""
    bad = [(second, 0, FailureClass.STATUS) for second in range(seconds) for _ in range(failing)]
    return recorded(make_traffic(seconds=seconds, rate=rate, failing=bad), warmup=0, window=seconds)


def test_the_error_is_that_of_batches() -> None:
    """Twenty batches of two seconds: the spread of their logarithms over the root of their number."""
    recording = traffic(40)
    logs = []
    for batch in range(BATCHES):
        part = Recording(recording.thresholds_ns, recording.endpoints, (), warmup_s=2 * batch, window_s=2)
        values = [(index_middle(index), count) for index, count in part.scope().latencies.items()]
        latencies = np.sort(np.repeat([value for value, _ in values], [count for _, count in values]))
        logs.append(log(latencies[-(-len(latencies) // 2) - 1]))
    expected = float(np.std(logs, ddof=1)) / sqrt(BATCHES)
    assert log_percentile_error(recording, None, MEDIAN) == pytest.approx(expected)


def index_middle(index: int) -> float:
    """Return the middle of a histogram's bucket."""
    low, high = bucket_bounds(index)
    return (low + high - 1) / 2


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(traffic(BATCHES - 1), id="fewer seconds than batches"),
        pytest.param(traffic(20, rate=2, failing=20), id="most requests failed"),
    ],
)
def test_no_error_is_known_without_a_percentile_in_each_batch(recording: Recording) -> None:
    """None is not zero: such a run is not compared."""
    assert log_percentile_error(recording, None, MEDIAN) is None
