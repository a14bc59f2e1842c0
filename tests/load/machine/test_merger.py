"""A machine passes its workers' reports on as one a second, and nothing of them is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck.evidence.machines import MachineHealth
from slocheck.evidence.merge import Delta, RecordingBuilder
from slocheck.evidence.recording import SliceCounts
from slocheck.load.machine.merger import BEAT_S, HOLD_S, ReportMerger, merged
from slocheck.load.master.clock_watch import ClockWatch
from slocheck.load.master.collector import Collector
from slocheck.load.master.load_model import master_model
from slocheck.load.messaging import protocol
from slocheck.load.messaging.messages import ArrivalCounts, HealthSamples, WorkerReport
from slocheck.load.messaging.reports import ArrivedReport
from slocheck.load.recording.lags import Lags
from slocheck.spec.model import Endpoint
from tests.builders.load_plans import constant, make_plan

PLAN = make_plan("http://127.0.0.1:1", "a.yaml", thresholds_ns=(5,), rate=constant(1, 9))
WORKERS = ("w1", "w2", "w3")
SLICES = st.builds(
    SliceCounts,
    second=st.integers(-1, 4),
    ok=st.just(9),
    over=st.tuples(st.integers(0, 9)),
    latencies=st.dictionaries(st.integers(0, 5000), st.integers(1, 9), max_size=3),
)
REPORTS = st.builds(
    lambda slices, lag, unreadable: (slices, lag, unreadable),
    st.lists(st.tuples(st.sampled_from([Endpoint("GET", "/a"), Endpoint("GET", "/b")]), SLICES), max_size=3),
    st.dictionaries(st.integers(0, 4), st.dictionaries(st.integers(0, 99), st.integers(1, 9), max_size=2)),
    st.lists(st.just("cpu: nan"), max_size=1),
)


def report(sequence: int, *, final: bool = False, drawn: tuple[object, ...] = ((), {}, ())) -> WorkerReport:
    """Return a worker's report."""
    slices, lag, unreadable = drawn
    return WorkerReport(
        sequence, final, Delta.of(slices), 3, 1, 0, sequence, sequence,  # type: ignore[arg-type] # as drawn
        health=HealthSamples(users={sequence: 3}, messages=("m",)),
        arrivals=ArrivalCounts(lag=Lags.of(lag)),  # type: ignore[arg-type] # as drawn
        unreadable=tuple(unreadable),  # type: ignore[arg-type] # as drawn
    )  # fmt: skip


def heard(collector: Collector) -> tuple[object, ...]:
    """Return all that a collector knows."""
    builder = RecordingBuilder((5,))
    for delta in collector.take():
        builder.add_delta(delta)
    health = collector.health(clocks=ClockWatch(), measured_s=4)
    machine = collector.machine(MachineHealth("m", "", WORKERS), 4)
    return builder.recording(0, 4).added_up(), health, machine, collector.last_end_ns


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(WORKERS), REPORTS, st.booleans()), max_size=12))
def test_what_comes_together_is_what_came_one_by_one(
    said: list[tuple[str, tuple[object, ...], bool]],
) -> None:
    """Counts, health and sequence numbers, whenever the machine passes them on, and once only."""
    model = master_model(PLAN)
    apart, joined = (
        Collector(
            list(WORKERS),
            model,
            planned_users=9,
            window=range(4),
            thresholds=1,
            machines=dict.fromkeys(WORKERS, "m"),
        )
        for _ in range(2)
    )
    merger, numbers = ReportMerger(), dict.fromkeys(WORKERS, 0)
    for now, (worker, drawn, passes) in enumerate([*said, (WORKERS[0], ((), {}, ()), True)]):
        numbers[worker] += 1
        one = report(numbers[worker], drawn=drawn)
        apart.add(worker, one, now=now)
        merger.add(worker, one, now)
        if passes:
            line = protocol.encode_packed(merger.take(now))
            for _ in range(2):
                arrived = protocol.decode_to_coordinator(line, "a machine")
                assert isinstance(arrived, ArrivedReport)
                joined.add_together(arrived, now=now)
    assert heard(joined) == heard(apart)


def test_a_report_waits_for_the_others_but_not_for_long() -> None:
    """All that still report are waited for; a worker that ended is not."""
    merger = ReportMerger()
    for worker in WORKERS[:2]:
        merger.add(worker, report(1), 10.0)
    assert merger.due(10.0)
    assert [worker for worker, _ in merger.take(10.0).reports] == ["w1", "w2"]
    merger.add("w1", report(2), 11.0)
    assert not merger.due(11.0 + HOLD_S / 2)
    assert merger.due(11.0 + HOLD_S)
    merger.take(11.2)
    merger.add("w2", report(2, final=True), 12.0)
    merger.take(12.0)
    merger.add("w1", report(3), 12.1)
    assert merger.due(12.1)


def test_signs_of_life_are_passed_on_without_reports_too() -> None:
    """Once a second; and each once only, so that a worker that stopped is noticed."""
    merger = ReportMerger()
    assert not merger.due(0.0)
    merger.beat("w1", "ready")
    assert merger.due(0.0)
    assert merger.take(0.0).alive == {"w1": "ready"}
    merger.beat("w1", "running")
    assert not merger.due(BEAT_S / 2)
    assert merger.due(BEAT_S)
    merger.take(BEAT_S)
    assert not merger.due(9 * BEAT_S)


@pytest.mark.parametrize("odd", [(), (1, 2)], ids=["of no threshold", "of two"])
def test_counts_that_do_not_fit_stay_with_their_worker(odd: tuple[int, ...]) -> None:
    """They are the coordinator's to refuse, with the worker's name; those without thresholds fit anywhere."""
    slices = [SliceCounts(0, ok=4, over=over) for over in ((3,), odd, (1,))]
    reports = [
        (worker, report(1, drawn=([(Endpoint("GET", "/"), part)], {}, ())))
        for worker, part in zip(WORKERS, slices, strict=True)
    ]
    together = merged(reports, {})
    assert sum(part.ok for _, part in together.delta.counts) == (8 if odd else 12)
    assert sum(part.ok for _, each in together.reports for _, part in each.delta.counts) == (4 if odd else 0)
