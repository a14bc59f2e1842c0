"""Merging recordings: order and grouping do not matter, and no count is lost."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.merge import (
    MAX_ENDPOINTS,
    MAX_ERRORS,
    OTHER_ENDPOINT,
    Delta,
    RecordingBuilder,
    add_slices,
    together,
)
from slocheck.evidence.recording import ErrorExample, FailureClass, Recording, SliceCounts
from slocheck.spec.model import Endpoint

THRESHOLDS = (10, 20)
COUNT = st.integers(0, 1000)
HISTOGRAM = st.dictionaries(st.integers(0, 50), st.integers(1, 9), max_size=4)
SLICES = st.builds(
    SliceCounts,
    second=st.integers(0, 3),
    ok=COUNT,
    failures=st.dictionaries(st.sampled_from(FailureClass), st.integers(1, 9), max_size=3),
    statuses=st.dictionaries(st.sampled_from([0, 200, 503]), st.integers(1, 9)),
    unserved=COUNT,
    over=st.tuples(COUNT, COUNT),
    latencies=HISTOGRAM,
    failed_latencies=HISTOGRAM,
    total_ns=COUNT,
    max_ns=COUNT,
    cache_hits=COUNT,
    cache_misses=COUNT,
    bytes_received=COUNT,
)
ENDPOINTS = st.sampled_from([Endpoint("GET", "/a"), Endpoint("POST", "/a"), Endpoint("GET", "/b")])
ERRORS = st.builds(
    ErrorExample, ENDPOINTS, st.sampled_from(FailureClass), st.integers(1, 5), st.sampled_from("xy"), COUNT
)
DELTAS = st.builds(
    Delta.of,
    counts=st.lists(
        st.tuples(ENDPOINTS, SLICES), max_size=4, unique_by=lambda row: (row[0], row[1].second)
    ).map(tuple),
    errors=st.lists(ERRORS, max_size=3).map(tuple),
)


def built(deltas: list[Delta]) -> Recording:
    """Build a recording of deltas."""
    builder = RecordingBuilder(THRESHOLDS)
    for delta in deltas:
        builder.add_delta(delta)
    return builder.recording(1, 2)


@given(st.lists(DELTAS, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_deltas_does_not_matter(deltas: list[Delta], shuffler: random.Random) -> None:
    """Workers may report in any order."""
    shuffled = list(deltas)
    shuffler.shuffle(shuffled)
    assert built(shuffled) == built(deltas)


@given(st.lists(DELTAS, min_size=1, max_size=5))
def test_the_deltas_of_all_workers_are_one(deltas: list[Delta]) -> None:
    """Joined deltas make the same recording, with at most one slice per endpoint and second."""
    one = together(deltas)
    assert built([one]) == built(deltas)
    occurring = [(endpoint, part.second) for endpoint, part in one.counts]
    assert len(set(occurring)) == len(occurring)


@given(st.lists(SLICES.map(lambda counts: replace(counts, second=0)), min_size=3, max_size=3))
def test_adding_slices_is_associative(slices: list[SliceCounts]) -> None:
    """Grouping does not matter, and requests add up."""
    one, two, three = slices
    total = add_slices(add_slices(one, two), three)
    assert total == add_slices(one, add_slices(two, three))
    assert total.sent == one.sent + two.sent + three.sent


def test_endpoints_are_bounded_and_their_counts_kept() -> None:
    """Past the bound, further names become one, and counts stay."""
    graded = Endpoint("GET", "/buy")
    builder = RecordingBuilder((), [graded])
    for number in range(MAX_ENDPOINTS + 7):
        builder.add(Endpoint("GET", f"/{number}"), SliceCounts(0, ok=1))
    builder.add(graded, SliceCounts(0, ok=3))
    recording = builder.recording(0, 1)
    assert len(recording.endpoints) == MAX_ENDPOINTS + 2
    by_endpoint = {e.endpoint: e.slices[0].ok for e in recording.endpoints}
    assert by_endpoint[OTHER_ENDPOINT] == 7
    assert by_endpoint[graded] == 3, "an endpoint that is reserved keeps its name"
    assert sum(by_endpoint.values()) == MAX_ENDPOINTS + 10


def test_error_messages_are_bounded_and_their_counts_kept() -> None:
    """Past the bound, further messages become one per class; the most frequent comes first."""
    builder = RecordingBuilder(())
    for number in range(MAX_ERRORS + 5):
        builder.add_error(ErrorExample(Endpoint("GET", "/"), FailureClass.RESET, 1, f"{number}", number))
    errors = builder.recording(0, 1).errors
    assert len(errors) == MAX_ERRORS + 1
    assert (errors[0].endpoint, errors[0].count, errors[0].second) == (OTHER_ENDPOINT, 5, MAX_ERRORS)


def test_thresholds_have_to_fit() -> None:
    """Counts over other thresholds are not added up."""
    with pytest.raises(ValueError, match="1 counts for 2 thresholds"):
        RecordingBuilder(THRESHOLDS).add(Endpoint("GET", "/"), SliceCounts(0, over=(1,)))
    with pytest.raises(ValueError, match="second 1"):
        add_slices(SliceCounts(1), SliceCounts(2))
    builder = RecordingBuilder(THRESHOLDS)
    builder.add(Endpoint("GET", "/"), SliceCounts(0, failures={FailureClass.DNS: 1}))
    assert builder.recording(0, 1).endpoints[0].slices[0].over == (0, 0)
