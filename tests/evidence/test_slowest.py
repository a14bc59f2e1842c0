"""The slowest responses: bounded, and the same whatever the order of arrival."""

from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.parts.slowest import MOST_SLOWEST, MOST_SLOWEST_IN_ALL, Slowest
from slocheck.evidence.recording import SlowRequest
from slocheck.spec.model import Endpoint

REQUESTS = st.builds(
    SlowRequest,
    endpoint=st.sampled_from([Endpoint("GET", "/a"), Endpoint("GET", "/b")]),
    latency_ns=st.integers(0, 30),
    second=st.integers(0, 3),
    status=st.sampled_from([200, 503]),
)


def kept(requests: list[SlowRequest]) -> tuple[SlowRequest, ...]:
    """Return what is kept of requests."""
    found = Slowest()
    found.add_all(requests)
    return found.all()


@given(st.lists(REQUESTS, max_size=60), st.randoms(use_true_random=False), st.integers(0, 60))
def test_order_and_parts_change_nothing(requests: list[SlowRequest], chance: object, cut: int) -> None:
    """Two workers' slowest together are the slowest of all, in whatever order they report."""
    whole = kept(requests)
    shuffled = list(requests)
    chance.shuffle(shuffled)  # type: ignore[attr-defined] # a random.Random
    assert [one.latency_ns for one in kept(shuffled)] == [one.latency_ns for one in whole]
    parts = [*kept(requests[:cut]), *kept(requests[cut:])]
    assert [one.latency_ns for one in kept(parts)] == [one.latency_ns for one in whole]
    for endpoint in {one.endpoint for one in requests}:
        latencies = sorted((one.latency_ns for one in requests if one.endpoint == endpoint), reverse=True)
        own = [one.latency_ns for one in whole if one.endpoint == endpoint]
        assert own == latencies[:MOST_SLOWEST]


def test_many_endpoints_are_bounded_together() -> None:
    """The archive of a run of hundreds of endpoints keeps the slowest of them all."""
    requests = [SlowRequest(Endpoint("GET", f"/{n % 500}"), n, 0, 200) for n in range(6000)]
    assert [one.latency_ns for one in kept(requests)] == list(range(5999, 5999 - MOST_SLOWEST_IN_ALL, -1))
