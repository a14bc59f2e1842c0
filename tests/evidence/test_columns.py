"""Columns hold what slices hold, and add up to the same numbers, to the last request."""

import tracemalloc
from collections.abc import Sequence
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.columns import CLASSES, Columns, Counts, Sparse, sparse_of
from slocheck.evidence.histogram import count_at_or_over, merge
from slocheck.evidence.merge import add_slices
from slocheck.evidence.parts.growing import GrowingColumns
from slocheck.evidence.recording import (
    EndpointRecording,
    FailureClass,
    Recording,
    SliceCounts,
    columns_of,
)
from slocheck.evidence.scope import Scope
from slocheck.spec.model import Endpoint

LIST, ITEM = Endpoint("GET", "/items"), Endpoint("GET", "/items/{id}")
COUNT = st.one_of(st.integers(0, 5), st.sampled_from([65_535, 65_536, 1 << 32, 1 << 50]))
HISTOGRAM = st.dictionaries(st.integers(0, 14_000), st.integers(1, 70_000), max_size=4)
SLICES = st.builds(
    SliceCounts,
    second=st.integers(-1, 6),
    ok=COUNT,
    failures=st.dictionaries(st.sampled_from(FailureClass), st.integers(1, 9), max_size=3),
    statuses=st.dictionaries(st.sampled_from([0, 200, 404, 503]), st.integers(1, 9)),
    unserved=COUNT,
    over=st.tuples(COUNT, COUNT),
    latencies=HISTOGRAM,
    failed_latencies=HISTOGRAM,
    total_ns=st.integers(0, 1 << 55),
    max_ns=st.integers(0, 1 << 55),
    cache_hits=COUNT,
    cache_misses=COUNT,
    bytes_received=COUNT,
    service_times=HISTOGRAM,
)
MANY = st.lists(SLICES, max_size=8)


def summed(slices: Sequence[SliceCounts]) -> list[SliceCounts]:
    """Add up slices of the same second, in the order of seconds."""
    seconds = sorted({part.second for part in slices})
    return [reduce(add_slices, (part for part in slices if part.second == at)) for at in seconds]


def test_the_classes_of_failure_have_a_column_each() -> None:
    """A new class needs a place in the order of columns, which is also that of the archive."""
    assert tuple(FailureClass) == CLASSES


@given(MANY)
def test_slices_become_columns_and_slices_again(slices: list[SliceCounts]) -> None:
    """In order of seconds, those of the same second added up."""
    assert list(EndpointRecording.of(LIST, slices).slices) == summed(slices)


@given(st.lists(MANY, min_size=1, max_size=6))
def test_what_was_handed_out_of_growing_columns_stays(parts: list[list[SliceCounts]]) -> None:
    """However often they are asked for, and grow or change to wider numbers in between."""
    growing = GrowingColumns(2)
    handed, until = [], list[SliceCounts]()
    for part in parts:
        if part:
            growing.extend(columns_of(part))
            until += part
            handed.append((EndpointRecording(LIST, growing.columns()), summed(until)))
    for recording, expected in handed:
        assert list(recording.slices) == expected


def test_growing_columns_are_added_up_where_workers_repeat_a_second() -> None:
    """Rows do not grow with the number of workers."""
    growing = GrowingColumns(0)
    for second in range(20):
        for _ in range(50):
            growing.extend(columns_of([SliceCounts(second, ok=1, statuses={200: 1})]))
    columns = growing.columns()
    assert len(columns.seconds) < 2 * 20 + 65
    assert columns.counts.ok.sum() == 1000
    assert columns.added_up().counts.ok.tolist() == [50] * 20


@given(MANY, MANY, st.integers(0, 3), st.integers(0, 5), st.sampled_from([LIST, ITEM, None]))
def test_a_scope_adds_up_endpoints_by_second(
    one: list[SliceCounts], two: list[SliceCounts], begin: int, length: int, endpoint: Endpoint | None
) -> None:
    """The same numbers as slice by slice, also if endpoints repeat seconds or have none."""
    items = (EndpointRecording(LIST, columns_of(one)), EndpointRecording.of(ITEM, two))
    scope = Recording((10, 20), items, (), begin, length).scope(endpoint)
    asked = [part for name, parts in ((LIST, one), (ITEM, two)) if endpoint in (None, name) for part in parts]
    inside = [part for part in asked if begin <= part.second < begin + length]
    for place, second in enumerate(range(begin, begin + length)):
        here = [part for part in inside if part.second == second]
        assert scope.counts.sent[place] == sum(part.sent for part in here)
        assert scope.counts.failed[place] == sum(part.failed for part in here)
        assert scope.counts.total_ns[place] == sum(part.total_ns for part in here)
        assert scope.counts.max_ns[place] == max((part.max_ns for part in here), default=0)
        over = [sum(part.over[number] for part in here) for number in range(scope.counts.thresholds)]
        assert scope.counts.over[place].tolist() == over
        bounds = [count_at_or_over(part.latencies, 5000) for part in here]
        fewest, most = scope.at_or_over(5000)
        assert (fewest[place], most[place]) == (
            sum(low for low, _ in bounds),
            sum(high for _, high in bounds),
        )
    assert scope.latencies == merge(part.latencies for part in inside)
    assert scope.statuses == merge(part.statuses for part in inside)
    assert scope.total.ok.tolist() == [sum(part.ok for part in inside)]
    assert scope.total_ns == sum(part.total_ns for part in inside)


@pytest.mark.parametrize("step", [1, 3, 260, 700])
def test_histograms_of_rows_of_seconds(step: int) -> None:
    """Each row is the merged histogram of its seconds, whatever is computed at once."""
    slices = [
        SliceCounts(second, ok=1, latencies={second % 7 + 2 * second: 2, 900: 1})
        for second in range(0, 600, 2)
    ]
    scope = Recording((), (EndpointRecording.of(LIST, slices),), (), 0, 600).scope()
    found: dict[int, dict[int, int]] = {}
    for first, lowest, counts in scope.histograms(step):
        for row, place in np.argwhere(counts).tolist():
            found.setdefault(first + row, {})[lowest + place] = int(counts[row, place])
    expected: dict[int, dict[int, int]] = {}
    for part in slices:
        row = part.second // step
        expected[row] = merge((expected.get(row, {}), part.latencies))
    assert found == expected


@pytest.mark.parametrize("widest", [9, 14_000])
def test_many_rows_are_added_up_as_few_are(widest: int) -> None:
    """Keys may be close together, so that a table of all of them is used, or far apart."""
    draw = np.random.default_rng(3)
    rows = [{int(key): int(key) << 40 for key in draw.integers(1, widest, 6)} for _ in range(200)]
    groups = draw.integers(0, 3, len(rows))
    added = sparse_of(rows).added(groups, 4)
    expected = [merge(row for row, group in zip(rows, groups, strict=True) if group == at) for at in range(4)]
    assert [added.row(at) for at in range(4)] == expected
    assert all(list(added.row(at)) == sorted(added.row(at)) for at in range(4))


def test_histograms_of_a_long_run_take_no_more_memory() -> None:
    """The day is read some minutes at a time, however many hours a row covers."""
    slices = [SliceCounts(second, ok=9, latencies=dict.fromkeys(range(600, 630), 1)) for second in range(512)]
    part, peaks = columns_of(slices), list[int]()
    for times in (1, 16):
        long = Columns(
            np.arange(512 * times),
            Counts(np.tile(part.counts.wide, (times, 1)), np.tile(part.counts.narrow, (times, 1))),
            tuple(
                Sparse(
                    np.cumsum(np.tile(np.diff(each.ends, prepend=0), times)),
                    np.tile(each.keys, times),
                    np.tile(each.counts, times),
                )
                for each in part.sparse
            ),
            whole=True,
        )
        scope = Scope([long], range(512 * times))
        tracemalloc.start()
        ((_, _, counts),) = scope.histograms(len(scope))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert counts.sum() == 512 * times * 30
    assert peaks[1] < 1.5 * peaks[0]
