"""The recording over time: percentiles are not averaged, and no spike is lost."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.histogram import bucket_index, merge, quantile_bounds
from slocheck.evidence.recording import EndpointRecording, Recording, SliceCounts
from slocheck.reporters.html.charts.timeline import decimated, timeline
from slocheck.spec.model import Endpoint
from tests.builders.traffic import recording


@pytest.mark.parametrize("step", [1, 5, 7])
def test_counts_are_kept_at_any_step(step: int) -> None:
    """Rows add up to the recording, however wide they are."""
    found = recording()
    time = timeline(found, step)
    assert time.counts["sent"].sum() == sum(part.sent for item in found.endpoints for part in item.slices)
    assert time.counts["status"].sum() == 12
    assert time.counts["timeout"].sum() == 4
    assert time.seconds.tolist() == list(range(0, 45, step))


def test_percentiles_of_a_row_are_those_of_its_merged_histogram() -> None:
    """Five seconds' p95 is not the mean of five p95."""
    found = recording()
    time = timeline(found, 5)
    histogram = merge(
        part.latencies for item in found.endpoints for part in item.slices if 25 <= part.second < 30
    )
    assert time.quantiles["p95"][5] == sum(quantile_bounds(histogram, Fraction(19, 20))) / 2


def test_a_second_without_a_request_is_a_gap() -> None:
    """Its counts are zero, its percentiles are unknown."""
    parts = tuple(SliceCounts(second, ok=1, latencies={bucket_index(1000): 1}) for second in (0, 2))
    time = timeline(Recording((), (EndpointRecording.of(Endpoint("GET", "/"), parts),), (), 0, 3))
    assert time.counts["sent"].tolist() == [1, 0, 1]
    assert np.isnan(time.quantiles["p50"]).tolist() == [False, True, False]


@given(
    st.lists(st.one_of(st.floats(0, 1e9), st.just(float("nan"))), min_size=1, max_size=400),
    st.integers(2, 60),
)
def test_decimation_keeps_extremes_order_and_size(values: list[float], most: int) -> None:
    """The largest and smallest values survive, in place, and no more points than asked for."""
    column = np.asarray(values)
    kept = decimated(column, most)
    assert len(kept) <= most
    assert kept.tolist() == sorted(set(kept.tolist()))
    if not np.isnan(column).all():
        assert np.nanmax(column[kept]) == np.nanmax(column)
        assert np.nanmin(column[kept]) == np.nanmin(column)


def test_decimation_keeps_gaps() -> None:
    """A stretch without values is not bridged by a line."""
    column = np.asarray([*range(50), *[np.nan] * 50, *range(50)], dtype=float)
    assert np.isnan(column[decimated(column, 30)]).any()
