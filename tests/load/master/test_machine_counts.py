"""What each machine sent, in addition to the recording of all."""

from dataclasses import replace
from typing import Any

from slocheck.evidence.histogram import bucket_index
from slocheck.evidence.machines import MachineHealth
from slocheck.evidence.merge import Delta
from slocheck.evidence.recording import FailureClass, SliceCounts
from slocheck.load.master.collector import Collector
from slocheck.load.master.load_model import master_model
from slocheck.load.master.machine_counts import MOST_BLOCKS
from slocheck.load.messaging.messages import ArrivalCounts, HealthSamples, WorkerReport
from slocheck.load.recording.lags import Lags
from slocheck.spec.model import Endpoint
from tests.builders.load_plans import make_plan

MS = 1_000_000
WINDOW = range(1, 1 + 3 * MOST_BLOCKS)
LIST, ITEM = Endpoint("GET", "/a"), Endpoint("GET", "/b")


def report(sequence: int, *slices: tuple[Endpoint, SliceCounts], **more: Any) -> WorkerReport:
    """Return a worker's report."""
    return WorkerReport(sequence, False, Delta.of(slices), 1, 0, 0, 0, 0, **more)


def test_a_machine_has_the_counts_of_its_own_workers_in_the_window() -> None:
    """In blocks of equal length; the warm-up is left out, and what was not ok is counted apart."""
    plan = make_plan("http://127.0.0.1:1", "a.py", thresholds_ns=(5, 6))
    machines = {"w1": "a", "w2": "a", "w3": "b"}
    collector = Collector(
        list(machines), master_model(plan), planned_users=1, window=WINDOW, thresholds=2, machines=machines
    )
    ok = SliceCounts(1, ok=4, latencies={bucket_index(20 * MS): 4}, over=(3, 1))
    lag = ArrivalCounts(lag=Lags.of({0: {bucket_index(9 * MS): 1}, 1: {bucket_index(MS): 1}}))
    collector.add(
        "w1",
        report(
            1,
            (LIST, SliceCounts(0, ok=9)),
            (LIST, replace(ok, second=1)),
            (ITEM, replace(ok, second=3)),
            (ITEM, SliceCounts(4, failures={FailureClass.RESET: 2, FailureClass.UNEXPECTED: 1})),
            health=HealthSamples(targets=("10.0.0.9",)),
            arrivals=lag,
        ),
        now=0,
    )
    collector.add("w2", report(1, (LIST, replace(ok, second=2))), now=0)
    collector.add("w3", report(1, (LIST, SliceCounts(1, ok=1))), now=0)
    found = collector.machine(MachineHealth("a", "", ("w1", "w2")), len(WINDOW))
    load = found.load
    assert (found.targets, load.block_s, len(load.sent)) == (("10.0.0.9",), 3, MOST_BLOCKS)
    assert (load.sent[:3], load.not_ok[:3], load.over[:2]) == ((12, 3, 0), (0, 3, 0), ((9, 3), (0, 0)))
    assert load.latencies == {bucket_index(20 * MS): 12}
    assert 0.001 <= load.schedule_lag_p99 < 0.0011
    other = collector.machine(MachineHealth("b", "", ("w3",)), 1)
    assert (other.load.sent, other.load.over) == ((1,), ((0, 0),))
