"""How the master puts its workers' reports together."""

from dataclasses import replace
from typing import Any

import pytest

from slocheck.evidence.forbidden import ForbiddenConnection
from slocheck.evidence.histogram import bucket_index
from slocheck.evidence.merge import Delta
from slocheck.evidence.recording import FailureClass, SliceCounts
from slocheck.load.master.clock_watch import ClockWatch
from slocheck.load.master.collector import DOWN_AFTER_S, Collector
from slocheck.load.master.countable import MAX_COUNT, MAX_NS
from slocheck.load.master.load_model import master_model
from slocheck.load.messaging.messages import ArrivalCounts, HealthSamples, WorkerReport
from slocheck.load.recording.lags import Lags
from slocheck.plan.load_plan import LoadPlan
from slocheck.spec.model import CacheRule, Endpoint, FailureRule
from slocheck.spec.model.load_profile import Stage

MS = 1_000_000
PLAN = LoadPlan(
    target_url="http://127.0.0.1:1", scenario="a.py", users=6, spawn_rate=6, warmup_s=1, duration_s=2,
    drain_s=1, thresholds_ns=(), failures=FailureRule(), cache=CacheRule(),
)  # fmt: skip


def report(
    sequence: int, *, ok: int = 0, failures: dict[FailureClass, int] | None = None, **more: Any
) -> WorkerReport:
    """Return a worker's report."""
    counts = SliceCounts(0, ok=ok, failures=failures or {})
    plain = WorkerReport(
        sequence=sequence,
        final=False,
        delta=Delta.of(((Endpoint("GET", "/"), counts),) if counts.sent else ()),
        running=3,
        open=1,
        in_flight=0,
        unrecorded=0,
        last_end_ns=sequence,
    )
    return replace(plain, **more)


def collecting(workers: list[str], plan: LoadPlan, window: range) -> Collector:
    """Return a collector of a plan's workers."""
    return Collector(workers, master_model(plan), planned_users=plan.users, window=window)


@pytest.fixture
def collector() -> Collector:
    """Return a collector of two workers with a window of seconds 1 and 2."""
    return collecting(["a", "b"], PLAN, range(1, 3))


def taken(collector: Collector) -> int:
    """Return how many requests came since the last call."""
    deltas = collector.take()
    assert len(deltas) <= 1, "one for all workers"
    return sum(counts.sent for delta in deltas for _, counts in delta.counts)


def test_reports_are_merged_by_worker_and_sequence(collector: Collector) -> None:
    """A report counts once; one of an unknown worker, or of one that has ended, never counts."""
    for worker, reported in (("a", report(1, ok=1)), ("a", report(1, ok=1)), ("b", report(1, ok=10))):
        collector.add(worker, reported, now=0)
    collector.add("stranger", report(1, ok=100), now=0)
    assert taken(collector) == 11
    collector.add("a", report(2, ok=2, final=True), now=0)
    collector.add("a", report(3, ok=1000), now=0)
    assert taken(collector) == 2
    assert collector.has_final("a")
    assert not collector.all_final
    assert collector.last_end_ns == 2


def test_where_workers_and_master_may_not_connect_is_put_together(collector: Collector) -> None:
    """A worker's last report has all that it has tried; the master adds its own."""
    place = ForbiddenConnection("shop.example", "10.0.0.1", 80)
    collector.add("a", report(1, forbidden=(place,)), now=0)
    collector.add("a", report(2, forbidden=(replace(place, count=2),)), now=0)
    collector.add("b", report(1, forbidden=(replace(place, port=81),)), now=0)
    assert collector.forbidden == (replace(place, count=2), replace(place, port=81))
    health = collector.health(clocks=ClockWatch(), measured_s=2, forbidden=(place,))
    assert health.forbidden == (replace(place, count=3), replace(place, port=81))


@pytest.mark.parametrize(
    ("sequences", "final", "complete"),
    [
        pytest.param([1, 2, 3], True, True, id="whole"),
        pytest.param([1, 3], True, False, id="gap"),
        pytest.param([2], True, False, id="the first is missing"),
        pytest.param([1, 2], False, False, id="no final"),
    ],
)
def test_a_gap_or_a_missing_final_is_incomplete(
    collector: Collector, sequences: list[int], *, final: bool, complete: bool
) -> None:
    """A worker is complete when nothing it sent is missing."""
    for sequence in sequences:
        collector.add("a", report(sequence, final=final and sequence == sequences[-1]), now=0)
    health = collector.health(clocks=ClockWatch(), measured_s=2)
    assert health.workers[0].complete is complete
    assert health.unrecorded == (0 if final else 1), "the requests that were open when it was last heard"


@pytest.mark.parametrize(
    "counts",
    [
        SliceCounts(0, ok=MAX_COUNT + 1),
        SliceCounts(0, failures={FailureClass.RESET: MAX_COUNT + 1}),
        SliceCounts(0, ok=1, latencies={5: MAX_COUNT + 1}),
        SliceCounts(0, ok=1, bytes_received=MAX_COUNT + 1),
        SliceCounts(0, ok=1, total_ns=MAX_NS + 1),
        SliceCounts(0, ok=1, max_ns=MAX_NS + 1),
    ],
)
def test_a_number_that_cannot_be_added_up_is_not_counted(collector: Collector, counts: SliceCounts) -> None:
    """It would become another number; the rest of the report counts, and the worker is named."""
    collector.add("a", report(1, ok=1), now=0)
    collector.add("a", report(2, delta=Delta.of(((Endpoint("GET", "/"), counts),))), now=0)
    assert taken(collector) == 1
    one, _ = collector.health(clocks=ClockWatch(), measured_s=2).workers
    assert one.unreadable == 1
    assert "out of its range" in one.messages[0]


def test_more_requests_over_a_threshold_than_there_were_are_not_counted() -> None:
    """Such a run could be neither read back nor graded."""
    collector = Collector(["a"], master_model(PLAN), planned_users=1, window=range(1, 3), thresholds=1)
    slices = [SliceCounts(0, ok=7, over=(8,)), SliceCounts(1, ok=7, over=(7,))]
    delta = Delta.of(tuple((Endpoint("GET", "/"), each) for each in slices))
    collector.add("a", report(1, delta=delta), now=0)
    assert taken(collector) == 7
    assert collector.health(clocks=ClockWatch(), measured_s=2).workers[0].unreadable == 1


def test_what_cannot_be_read_is_counted(collector: Collector) -> None:
    """Damaged entries, messages, and slices of another plan's thresholds are told; the rest counts on."""
    odd = Delta.of(((Endpoint("GET", "/"), SliceCounts(0, ok=7, over=(1,))),))
    collector.add("a", report(1, ok=1, unreadable=("cpu: nan",), unseen=("memory: -1",)), now=0)
    collector.add("a", report(0, delta=odd), now=0)
    collector.add("a", report(3, ok=1, final=True), now=0)
    collector.lose("b", "not a message")
    collector.lose("stranger", "not a message")
    assert taken(collector) == 2
    one, two = collector.health(clocks=ClockWatch(), measured_s=2).workers
    assert one.complete, "a number that cannot be read leaves no gap"
    assert (one.unreadable, two.unreadable) == (2, 1)
    assert [text.rpartition("worker: ")[2] for text in one.messages] == [
        "cpu: nan", "memory: -1", "requests: counted against 1 threshold",
    ]  # fmt: skip


def test_health_is_of_the_window(collector: Collector) -> None:
    """Samples outside of the window do not count; users are the fewest of any second, over all workers."""
    lag = bucket_index(5 * MS)
    of_a = HealthSamples(
        cpu=((0, 1.0), (1, 0.5), (2, 0.7), (3, 1.0)),
        users={0: 0, 1: 3, 2: 2, 3: 0},
        loop_lag={0: {bucket_index(900 * MS): 9}, 1: {lag: 100}},
        exceptions={"x": 2},
        messages=("m",),
    )
    collector.add("a", report(1, health=of_a), now=0)
    collector.add("b", report(1, health=HealthSamples(users={1: 3}, exceptions={"x": 1})), now=0)
    clocks = ClockWatch()
    clocks.jump, clocks.suspended = 0.5, 0.25
    health = collector.health(clocks=clocks, measured_s=2)
    worker = health.workers[0]
    assert worker.cpu == pytest.approx(0.6)
    assert worker.loop_lag_p99 == pytest.approx(0.005, rel=1 / 256)
    assert (health.users, health.planned_users) == (5, 6)
    assert (health.clock_jump, health.suspended) == (0.5, 0.25)
    assert (dict(health.exceptions), worker.messages) == ({"x": 3}, ("m",))


@pytest.mark.parametrize(
    ("reported", "down"),
    [
        pytest.param([(0, 0, 1), (DOWN_AFTER_S, 0, 1)], True, id="nothing but failures"),
        pytest.param([(0, 0, 1), (DOWN_AFTER_S - 0.1, 0, 1)], False, id="not long enough"),
        pytest.param([(0, 0, 1), (5, 1, 9), (DOWN_AFTER_S, 0, 1)], False, id="one response between"),
        pytest.param([(0, 0, 1), (DOWN_AFTER_S, 0, 0)], False, id="a single failure, then silence"),
    ],
)
def test_a_target_that_is_down_is_noticed(
    collector: Collector, reported: list[tuple[float, int, int]], *, down: bool
) -> None:
    """Only failures all the time, and more than one report of them."""
    for sequence, (now, ok, failed) in enumerate(reported, start=1):
        failures = {FailureClass.REFUSED: failed} if failed else {}
        collector.add("a", report(sequence, ok=ok, failures=failures), now=now)
    assert collector.down is down


def test_our_own_failures_say_nothing_of_the_target(collector: Collector) -> None:
    """A generator out of descriptors does not make a target down."""
    for sequence in (1, 2):
        failures = {FailureClass.GENERATOR: 5}
        collector.add("a", report(sequence, failures=failures), now=sequence * 2 * DOWN_AFTER_S)
    assert not collector.down


@pytest.mark.parametrize(
    ("statuses", "refused"),
    [
        pytest.param([{404: 3}, {401: 1, 302: 2}], True, id="3xx and 4xx alone"),
        pytest.param([{404: 3}, {}], True, id="then silence"),
        pytest.param([{404: 3}, {200: 1}, {404: 3}], False, id="one success"),
        pytest.param([{500: 1}, {404: 3}], False, id="one failure of the target"),
        pytest.param([{404: 3}, {429: 1}], False, id="429 is the target's doing"),
        pytest.param([{}], False, id="nothing came back"),
    ],
)
def test_a_target_that_refuses_everything_is_noticed(
    collector: Collector, statuses: list[dict[int, int]], *, refused: bool
) -> None:
    """One other response at any time is enough to let the run go on."""
    for sequence, by_status in enumerate(statuses, start=1):
        ok, count = by_status.get(200, 0), sum(by_status.values())
        failures = {FailureClass.UNEXPECTED: count - ok} if count > ok else {}
        counts = SliceCounts(0, ok=ok, failures=failures, statuses=by_status)
        delta = Delta.of(((Endpoint("GET", "/"), counts),) if count else ())
        collector.add("a", report(sequence, delta=delta), now=0)
    assert collector.refused is refused


def test_arrivals_of_the_window_are_added_up() -> None:
    """Arrivals of the warm-up that were dropped or late do not count."""
    plan = replace(PLAN, rate=(Stage(10, 10, 3),))
    collector = collecting(["a", "b"], plan, range(1, 3))
    lag = {0: {bucket_index(900 * MS): 5}, 1: {bucket_index(MS): 98}, 2: {bucket_index(80 * MS): 2}}
    collector.add("a", report(1, arrivals=ArrivalCounts({0: 7, 1: 3}, Lags.of(lag))), now=0)
    collector.add("b", report(1, arrivals=ArrivalCounts({2: 1})), now=0)
    arrivals = collector.health(clocks=ClockWatch(), measured_s=2).arrivals
    assert arrivals is not None
    assert (arrivals.planned, arrivals.dropped) == (104, 4)
    assert (arrivals.lag_p99, arrivals.lag_max) == pytest.approx((0.08, 0.08), rel=0.01)


@pytest.mark.parametrize(
    ("running", "users"),
    [
        pytest.param([1, 5, 9], 10, id="as planned"),
        pytest.param([1, 5, 2], 4, id="two of the five that a second asks for at least"),
        pytest.param([1, 5, 30], 10, id="more than planned is not fewer"),
    ],
)
def test_users_are_compared_with_their_stages(running: list[int], users: int) -> None:
    """The worst second's share of its planned users counts; a ramp may be a second late."""
    plan = replace(PLAN, users=10, stages=(Stage(0, 10, 2), Stage(10, 10, 1)))
    collector = collecting(["a"], plan, range(3))
    collector.add("a", report(1, health=HealthSamples(users=dict(enumerate(running)))), now=0)
    assert collector.health(clocks=ClockWatch(), measured_s=3).users == users
