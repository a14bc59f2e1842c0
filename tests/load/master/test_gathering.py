"""Reports of many machines are read as one, and what is wrong in one of them costs that one alone."""

from collections.abc import Callable
from typing import Any

import msgpack  # type: ignore[import-untyped]  # ships no types; comes with Locust
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck.evidence.merge import Delta
from slocheck.evidence.recording import ErrorExample, FailureClass, SliceCounts
from slocheck.load.master.remote.gathering import Gathered, gathered
from slocheck.load.messaging.deltas import plain_array, plain_delta, plain_lags, read_array
from slocheck.load.recording.lags import Lags
from slocheck.spec.model import Endpoint

A, B = Endpoint("GET", "/a"), Endpoint("GET", "/b")
HISTOGRAMS = st.dictionaries(st.integers(0, 5000), st.integers(1, 1 << 40) | st.integers(1, 9), max_size=4)
SLICES = st.builds(
    SliceCounts,
    second=st.integers(-1, 5),
    ok=st.integers(0, 1 << 40),
    over=st.just((3, 1)),
    statuses=st.dictionaries(st.sampled_from([200, 503]), st.integers(1, 70_000)),
    latencies=HISTOGRAMS,
    total_ns=st.integers(0, 1 << 40),
)
SENT = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from([A, B]), SLICES), max_size=3),
        st.dictionaries(st.integers(0, 9), HISTOGRAMS, max_size=2),
    ),
    max_size=5,
)
COUNTS = SliceCounts(1, ok=2, statuses={200: 2}, latencies={3: 2, 9: 1}, over=(1,))
NAMES, SIZES, SECOND, PLACES, WIDE, NARROW, STATUS_ENDS, STATUSES, STATUS_COUNTS, ENDS, KEYS, OF_KEYS = range(
    12
)


def on_the_way(plain: Any) -> Any:
    """Return what msgpack makes of a plain value."""
    return msgpack.loads(msgpack.dumps(plain))


def counted(found: Gathered) -> list[tuple[int, Endpoint, SliceCounts]]:
    """Return whose each row is, and what it counts."""
    owners = found.owners.tolist()
    return [(owner, *row) for owner, row in zip(owners, found.delta.batch.slices, strict=True)]


@settings(deadline=None)
@given(SENT)
def test_all_of_it_is_there_in_its_order(sent: list[tuple[list[Any], dict[int, dict[int, int]]]]) -> None:
    """Whoever sent nothing, whatever the endpoints and the sizes of the numbers are."""
    plain = [on_the_way([plain_delta(Delta.of(rows)), plain_lags(Lags.of(lags))]) for rows, lags in sent]
    found = gathered([(delta, lag) for delta, lag in plain], 2)
    rows = [
        (number, *row) for number, (slices, _) in enumerate(sent) for row in Delta.of(slices).batch.slices
    ]
    assert counted(found) == rows
    delays = [(number, *each) for number, (_, lags) in enumerate(sent) for each in lags.items()]
    histograms = [
        (owner, second, found.lags.counts.row(row))
        for row, (owner, second) in enumerate(
            zip(found.lag_owners.tolist(), found.lags.seconds.tolist(), strict=True)
        )
    ]
    assert histograms == delays
    assert not found.lost + found.unseen


def change(array: int, at: int, number: int) -> Callable[[list[Any]], object]:
    """Return what changes a number of a batch."""

    def changing(batch: list[Any]) -> None:
        size = len(batch[array][1]) // np.dtype(batch[array][0]).itemsize
        values = read_array(batch[array], size).astype(np.int64)
        values[at] = number
        batch[array] = plain_array(values)

    return changing


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(change(SECOND, 0, 10**8), id="a second after all"),
        pytest.param(change(PLACES, 0, 1), id="an endpoint of another report"),
        pytest.param(change(PLACES, 0, -1), id="an endpoint below 0"),
        pytest.param(change(WIDE, 2, -1), id="bytes below 0"),
        pytest.param(change(NARROW, 0, -1), id="a count below 0"),
        pytest.param(change(STATUSES, 0, 1000), id="no such status"),
        pytest.param(change(STATUS_ENDS, 0, 0), id="a status of the next report"),
        pytest.param(change(ENDS, 0, 3), id="a bucket of the next report"),
        pytest.param(change(ENDS, 0, -1), id="a bucket of the report before"),
        pytest.param(change(KEYS, 0, 9), id="a bucket twice"),
        pytest.param(change(KEYS, 1, 1 << 16), id="a bucket that 16 bits would take for the first"),
        pytest.param(lambda batch: batch[NAMES].__setitem__(0, None), id="a name that is none"),
        pytest.param(lambda batch: batch[SIZES].__setitem__(0, 1 << 40), id="a size that is not so"),
        pytest.param(lambda batch: batch.__setitem__(NARROW, ["u1", b""]), id="too few bytes"),
        pytest.param(lambda batch: batch.clear(), id="nothing at all"),
    ],
)
def test_what_is_damaged_costs_its_own_report_alone(damage: Callable[[list[Any]], object]) -> None:
    """And is known to be missing, with its sender; an empty batch misses nothing."""
    sent = [[plain_delta(Delta.of(((endpoint, COUNTS),))), plain_lags(Lags())] for endpoint in (A, B, A)]
    arrived = on_the_way(sent)
    damage(arrived[1][0][0])
    found = gathered([(delta, lag) for delta, lag in arrived], 1)
    assert counted(found) == [(0, A, COUNTS), (2, A, COUNTS)]
    assert [number for number, _ in found.lost] == ([1] if arrived[1][0][0] else [])


def test_other_parts_are_lost_by_themselves() -> None:
    """Counts against other thresholds, delays, and an error example, which is only shown."""
    error = ErrorExample(A, FailureClass.RESET, 1, "reset", 1)
    rows = ((A, COUNTS),)
    misfit = Delta.of(((A, SliceCounts(1, ok=2, over=(1, 1, 1))),))
    lags = plain_lags(Lags.of({1: {5: 1}}))
    sent = [[plain_delta(each), lags] for each in (Delta.of(rows, (error,)), misfit, Delta.of(rows))]
    arrived = on_the_way(sent)
    arrived[0][0][1][0][3] = -1
    arrived[2][1][2] = None
    found = gathered([(delta, lag) for delta, lag in arrived], 1)
    assert counted(found) == [(0, A, COUNTS), (2, A, COUNTS)]
    assert [(number, text.partition(":")[0]) for number, text in found.lost] == [(1, "requests"), (2, "lag")]
    assert [(number, text.partition(":")[0]) for number, text in found.unseen] == [(0, "error")]
    assert found.lag_owners.tolist() == [0, 1]
