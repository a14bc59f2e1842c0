"""The whole product's verdict on simulated windows: statistics, the tests for drift, and outages."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from slocheck.documents.position import Position
from slocheck.documents.units import ComparisonOperator
from slocheck.evidence.histogram import bucket_index
from slocheck.evidence.recording import FailureClass, SliceCounts
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome
from slocheck.plan.load_plan import NEAR
from slocheck.spec.model import Limit, Spec
from tests.builders.evidence import make_evidence
from tests.builders.recordings import make_recording, make_slice
from tests.builders.specs import make_spec
from tests.simulation.many import many_verdicts
from tests.simulation.outages import broken_by_outages
from tests.simulation.rates import Rates, Windows

NS = 1_000_000_000
SERVED_MS = 10.0
"""How long a request takes where only failures matter."""


def product_rates(window: Windows, edges: tuple[float, ...]) -> Rates:
    """Judge windows as a run would be judged.

    Only what the statistics or an outage decide is graded as a whole: nothing else is decided.

    Args:
        window: Requests that failed, or that were slow.
        edges: Seconds, ascending: those of its references, and last the limit; none if requests failed.
    """
    met, breached = many_verdicts(window)
    down = broken_by_outages(window) if not edges else np.zeros_like(met)
    decided = np.flatnonzero(met | breached | down).tolist()
    found = [product_outcome(window, row, edges) for row in decided]
    return Rates(len(met), found.count(Outcome.PASS), found.count(Outcome.FAIL))


def product_outcome(window: Windows, row: int, edges: tuple[float, ...]) -> Outcome:
    """Grade one window as a run of it would be; see `product_rates`."""
    if not edges:
        spec = make_spec(f'  error_rate: {{silver: "<= {window.share:.9%}"}}\n', more="confidence: 95%\n")
        return assess(spec, make_evidence(make_recording(_failing(window, row)))).outcome
    spec, thresholds = _latency_spec(window.share, edges[-1]), _thresholds(edges)
    recording = make_recording(_slow(window, row, thresholds))
    return assess(spec, make_evidence(replace(recording, thresholds_ns=thresholds))).outcome


def _failing(window: Windows, row: int) -> list[SliceCounts]:
    pairs = zip(window.counts.n[row].tolist(), window.bad[row].tolist(), strict=True)
    return [
        make_slice(
            second,
            {SERVED_MS: sent - bad},
            failures={FailureClass.STATUS: bad},
            statuses={200: sent - bad, 503: bad},
        )
        for second, (sent, bad) in enumerate(pairs)
    ]


def _latency_spec(share: float, limit_s: float) -> Spec:
    """Return a spec with one objective: a percentile below a limit in whole nanoseconds."""
    percentile = f"latency_p{100 * (1 - share):g}"
    spec = make_spec(f'  {percentile}: {{silver: "< 1s"}}\n', more="confidence: 95%\n")
    [objective] = spec.objectives
    value = Fraction(round(limit_s * NS), NS)
    limit = Limit(ComparisonOperator.LT, value, "< limit", Position(1, 1))
    return replace(spec, objectives=(replace(objective, limits={"silver": limit}),))


def _thresholds(edges: tuple[float, ...]) -> tuple[int, ...]:
    return tuple(round(edge * NS) for edge in edges)


def _slow(window: Windows, row: int, thresholds: tuple[int, ...]) -> list[SliceCounts]:
    """Return the seconds of a window; a request's latency is known as far as the edges tell."""
    n, over = window.counts.n[row], window.counts.over[:, row]
    near = np.ones(len(n), bool) if window.near is None else window.near[row] > 0
    at_least = (0, *thresholds)
    reached = np.vstack((n, over))
    between = (reached - np.vstack((over, np.zeros_like(n)))).T.tolist()
    lowest = [bucket_index(edge) for edge in at_least]
    slowest = np.maximum(
        np.where(reached > 0, np.asarray(at_least)[:, None], 0).max(axis=0),
        np.where(near, thresholds[-1] // NEAR + 1, 0),
    )
    return [
        SliceCounts(
            second=second,
            ok=int(n[second]),
            failures={},
            statuses={200: int(n[second])},
            unserved=0,
            over=tuple(over[:, second].tolist()),
            latencies={lowest[at]: count for at, count in enumerate(between[second]) if count},
            total_ns=round(float(window.counts.total[row, second]) * NS),
            max_ns=int(slowest[second]),
            cache_hits=0,
            cache_misses=0,
            bytes_received=0,
        )
        for second in range(len(n))
    ]
