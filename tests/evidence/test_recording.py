"""The window of a recording: the seconds that are graded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.recording import EndpointRecording, Recording, SliceCounts
from slocheck.spec.model import Endpoint

ITEM, LIST = Endpoint("GET", "/items/{id}"), Endpoint("GET", "/items")


def _recording(warmup_s: int, window_s: int, seconds: int = 0) -> Recording:
    slices = tuple(SliceCounts(second, ok=1) for second in range(seconds))
    endpoints = (EndpointRecording.of(LIST, slices), EndpointRecording.of(ITEM, slices))
    return Recording((), endpoints, (), warmup_s, window_s)


@pytest.mark.parametrize(
    ("warmup_s", "window_s", "expected"),
    [
        pytest.param(0, 3, [0, 1, 2], id="no warm-up"),
        pytest.param(2, 2, [2, 3], id="after the warm-up"),
        pytest.param(5, 0, [], id="ended during the warm-up"),
        pytest.param(5, -2, [], id="never negative"),
    ],
)
def test_the_window_begins_after_the_warm_up(warmup_s: int, window_s: int, expected: list[int]) -> None:
    """The window is a range of whole seconds."""
    assert list(_recording(warmup_s, window_s).window) == expected


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 15))
def test_the_slices_of_the_window_leave_out_warm_up_and_drain(warmup: int, window: int, total: int) -> None:
    """Of each endpoint, or of all of them, those whose second lies in the window."""
    recording = _recording(warmup, window, total)
    expected = [second for second in range(total) if warmup <= second < warmup + window]
    sent = recording.scope(ITEM).counts.sent.tolist()
    assert sent == [int(second in expected) for second in recording.window]
    assert recording.scope().total.sent.tolist() == [2 * len(expected)]
    assert len(list(recording.slices(ITEM))) == total
    assert list(recording.slices(Endpoint("PUT", "/other"))) == []
