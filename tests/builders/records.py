"""Records of runs, as comparisons see them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from slocheck.comparison.model import Conditions, ObjectiveRecord, Observed, RunRecord
from slocheck.spec.model import IndicatorKind

CONDITIONS = Conditions(
    service="shop-api",
    target="http://127.0.0.1:8000",
    scenario_sha256="1" * 64,
    workload="200/s",
    workload_sha256="2" * 64,
    spec_sha256="0" * 64,
    host="loader",
    cores=2,
    window_s=300.0,
    slocheck="0.1.0",
)
SIZE = 30_000


def latency(seconds: float, *, name: str = "latency_p95", error: float | None = 0.01) -> ObjectiveRecord:
    """Return a p95 latency of this value, known within a bucket of the client's histogram."""
    half = seconds / 600
    return ObjectiveRecord(
        name=name,
        kind=IndicatorKind.LATENCY,
        quantile=0.95,
        promql=None,
        endpoint="GET /items",
        lower_is_better=True,
        limits={"silver": "< 200ms"},
        verdict="met",
        observed=Observed("client", seconds - half, seconds + half, error, SIZE),
    )


def share(
    value: float, kind: IndicatorKind = IndicatorKind.ERROR_RATE, *, size: float = SIZE
) -> ObjectiveRecord:
    """Return an error rate, availability or cache hit rate, from that many independent requests."""
    upper = kind is IndicatorKind.ERROR_RATE
    return ObjectiveRecord(
        name=kind.value,
        kind=kind,
        quantile=None,
        promql=None,
        endpoint="",
        lower_is_better=upper,
        limits={"silver": "< 1%" if upper else ">= 99%"},
        verdict="met",
        observed=Observed("client", value, value, None, SIZE, size),
    )


def rate(value: float, kind: IndicatorKind = IndicatorKind.RPS_PER_INSTANCE) -> ObjectiveRecord:
    """Return a rate per instance, or the value of a query that has to be high."""
    query = "max(queue_depth)" if kind is IndicatorKind.PROMQL else None
    return ObjectiveRecord(
        name=kind.value,
        kind=kind,
        quantile=None,
        promql=query,
        endpoint="",
        lower_is_better=False,
        limits={"silver": ">= 50/s"},
        verdict="met",
        observed=Observed("client", value, value, None, SIZE),
    )


def record(number: int, *objectives: ObjectiveRecord, host: str = "loader", **changes: Any) -> RunRecord:
    """Return the run of the `number`-th minute, with these objectives: by default a latency of 100 ms."""
    run_id = f"20260102T03{number:02d}05Z-abcdef"
    made = RunRecord(
        run_id=run_id,
        folder=f"reports/{run_id}",
        started=f"2026-01-02T03:{number:02d}:05.000Z",
        outcome="pass",
        gate="silver",
        tier="silver",
        valid=True,
        commit=f"{number:040x}",
        dirty=False,
        requests=SIZE,
        failed=0,
        conditions=replace(CONDITIONS, host=host),
        objectives=objectives or (latency(0.1),),
    )
    return replace(made, **changes)


def runs(*values: float, first: int = 0, host: str = "loader") -> Sequence[RunRecord]:
    """Return runs with these latencies, a minute apart."""
    return [record(first + number, latency(value), host=host) for number, value in enumerate(values)]
