"""Columns in messages: lengths are checked before anything is decoded; a wrong number costs its row."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgpack  # type: ignore[import-untyped]  # ships no types; comes with Locust
import numpy as np
import pytest

from slocheck.evidence.merge import Delta
from slocheck.evidence.model import LoadHealth
from slocheck.evidence.recording import FailureClass, SliceCounts
from slocheck.load.messaging import protocol
from slocheck.load.messaging.deltas import plain_array, read_array
from slocheck.load.messaging.messages import SecondPassed, WorkerReport
from slocheck.load.messaging.protocol import ProtocolError
from slocheck.spec.model import Endpoint

COUNTS = SliceCounts(1, ok=2, failures={FailureClass.RESET: 1}, statuses={200: 2}, latencies={3: 2, 9: 1})
TWO_SECONDS = Delta.of(
    ((Endpoint("GET", "/"), COUNTS), (Endpoint("GET", "/b"), replace(COUNTS, second=2))),
)
OTHER = TWO_SECONDS.counts[1:]


def received(change: Callable[[list[Any]], object]) -> WorkerReport:
    """Return what the master decodes from a report whose encoded batch was changed."""
    plain = protocol.encode(WorkerReport(1, False, TWO_SECONDS, 1, 0, 0, 0, 0))
    change(plain[3]["delta"][0])
    arrived = msgpack.loads(msgpack.dumps(plain), raw=False, strict_map_key=False)
    decoded = protocol.decode_worker_message(arrived, "w")
    assert isinstance(decoded, WorkerReport)
    return decoded


NAMES, SIZES, SECOND, PLACES, WIDE, NARROW, STATUS_ENDS, STATUSES, STATUS_COUNTS, ENDS, KEYS, OF_KEYS = range(
    12
)


@pytest.mark.parametrize(
    ("array", "at", "number"),
    [
        pytest.param(SECOND, 0, -2, id="a second before all"),
        pytest.param(SECOND, 0, 10**8, id="a second after all"),
        pytest.param(PLACES, 0, 2, id="of an endpoint that is not there"),
        pytest.param(PLACES, 0, -1, id="of an endpoint below 0"),
        pytest.param(WIDE, 2, -1, id="bytes below 0"),
        pytest.param(NARROW, 0, -1, id="a count below 0"),
        pytest.param(STATUSES, 0, 1000, id="no such status"),
        pytest.param(STATUS_COUNTS, 0, -5, id="a status counted below 0"),
        pytest.param(KEYS, 0, 9, id="a bucket twice"),
        pytest.param(KEYS, 0, -1, id="a bucket below 0"),
        pytest.param(KEYS, 1, 1 << 16, id="a bucket that 16 bits would take for the first"),
        pytest.param(KEYS, 1, 1 << 40, id="no such bucket"),
        pytest.param(OF_KEYS, 1, -1, id="a bucket counted below 0"),
    ],
)
def test_a_wrong_number_costs_its_row(array: int, at: int, number: int) -> None:
    """The requests of other rows still count; those of the damaged one are known to be missing."""

    def damage(batch: list[Any]) -> None:
        size = len(batch[array][1]) // np.dtype(batch[array][0]).itemsize
        values = read_array(batch[array], size).astype(np.int64)
        values[at] = number
        batch[array] = plain_array(values)

    decoded = received(damage)
    assert decoded.delta.counts == OTHER
    assert len(decoded.unreadable) == 1


@pytest.mark.parametrize("junk", [1e300, -(10**10), 7, None, True, b"/"])
def test_a_wrong_name_costs_the_rows_of_its_endpoint(junk: object) -> None:
    """Requests of the other endpoint still count."""
    decoded = received(lambda batch: batch[NAMES].__setitem__(1, junk))
    assert decoded.delta.counts == OTHER
    assert len(decoded.unreadable) == 1


@pytest.mark.parametrize("junk", ["u8", 1e300, 1 << 62, -1, None, True, [], ["u2", b"1"], ["u2", 5], b""])
@pytest.mark.parametrize("place", range(1, 18))
def test_what_is_not_columns_costs_the_batch(place: int, junk: object) -> None:
    """Lengths are checked before anything is decoded; a loss is reported once."""
    decoded = received(lambda batch: batch.__setitem__(place, junk))
    assert (decoded.delta.counts, len(decoded.unreadable), decoded.running) == ((), 1, 1)


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("junk", [-1, 0, 1, 3, 1 << 40, 10**18, "2", None])
def test_sizes_are_not_believed(place: int, junk: object) -> None:
    """A size that its bytes do not match reserves no memory."""
    sizes = [2, 0, 2, 4, 0, 0]
    if junk == sizes[place]:
        junk = 2
    decoded = received(lambda batch: batch[SIZES].__setitem__(place, junk))
    assert (decoded.delta.counts, len(decoded.unreadable)) == ((), 1)


def test_a_count_below_zero_is_refused() -> None:
    """A negative count would take requests away from others."""
    counts = SliceCounts(0, latencies={3: -1})
    health = LoadHealth(planned_users=1, users=1, workers=())
    passed = SecondPassed(1, "window", 1, (Delta.of(((Endpoint("GET", "/"), counts),)),), health)
    with pytest.raises(ProtocolError, match="GET /, second 0"):
        protocol.decode_progress(protocol.encode_line(passed))
