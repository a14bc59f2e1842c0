"""Compares what a few requests add to the service's metrics with what was sent, before any load."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from slocheck.errors import UsageError
from slocheck.evidence.series import ServerSeries
from slocheck.evidence.warnings import RunWarning
from slocheck.indicators.server.beside_client import Doubt
from slocheck.indicators.server.first_counts import FirstCounts, born_with_requests
from slocheck.pipeline.metric_mapping import UNIT_DOUBT, Settled, ask_by, forget_requests
from slocheck.pipeline.ports import MetricSource
from slocheck.pipeline.target.probe_requests import ProbeRequests
from slocheck.spec.model import Objective, Spec

PATIENCE_S = 11.0
"""Seconds, plus the preset's lag, in which a page shows single requests: the longest cache known is 10 s."""
CONFIRMING_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class FirstGrowth:
    """What the requests of a probe added to the service's metrics.

    Attributes:
        found: The series, with these requests as the load.
        counts: The counts beside what was sent.
        unit_doubt: Why the histogram's unit may be wrong; None if nothing says so.
    """

    found: ServerSeries
    counts: FirstCounts
    unit_doubt: Doubt | None


def grow(
    spec: Spec,
    source: MetricSource,
    requests: ProbeRequests,
    *,
    known: Iterable[RunWarning],
    as_known: Callable[[ServerSeries], ServerSeries] = lambda found: found,
) -> FirstGrowth:
    """Send each GET step once, unless it was sent, and wait until the metrics show them.

    If a request seems to be counted several times, the steps are sent again, as another client's request may
    have come in between.

    Args:
        spec: With its overrides applied.
        source: Started before, unless the requests were sent: then they created the series.
        requests: The probe's.
        known: Warnings of the preflight.
        as_known: Adapts the mapping of collected series to their labels.

    Raises:
        SourceError: The source cannot be asked.
        UsageError: The histogram is in another unit for certain.
    """
    fresh = bool(requests.begun)
    requests.once()

    def read() -> tuple[ServerSeries, FirstCounts]:
        series = source.collect(
            load_start=requests.begun,
            window_start=requests.begun,
            end=requests.ended,
            sent=sum(requests.served.values()),
        )
        found = as_known(series)
        return found, FirstCounts(born_with_requests(found) if fresh else found, requests.served)

    found, counts = read()
    if _any(counts.lacking, spec):
        time.sleep(max(0.0, requests.ended + PATIENCE_S + found.preset.lag - time.time()))
        found, counts = read()
    if _any(counts.several, spec):
        for _ in range(CONFIRMING_ROUNDS):
            requests.round()
        found, counts = read()
    differ = any(warning.code == UNIT_DOUBT for warning in (*known, *found.warnings))
    doubt = counts.unit_doubt(requests.mean, boundaries_differ=differ)
    if doubt and doubt.unit:
        raise UsageError(_wrong_unit(spec, doubt))
    return FirstGrowth(found, counts, doubt)


def check_doubted_unit(
    spec: Spec, source: MetricSource, settled: Settled, requests: ProbeRequests, *, other: MetricSource
) -> None:
    """Compare the times of a few requests, if the bucket boundaries do not suit the histogram's unit.

    Args:
        spec: With its overrides applied.
        source: The run's, not started yet; the requests are not part of the run.
        settled: The names of its metrics.
        requests: The scenario's GET steps.
        other: A source like the run's, which is used up.

    Raises:
        SourceError: The source cannot be asked.
        UsageError: The histogram is in another unit for certain.
    """
    ask_by(spec, other, settled)
    other.start()
    grow(spec, other, requests, known=settled.found.warnings)
    forget_requests(spec, source, settled)


def _any(look: Callable[[Objective], str], spec: Spec) -> bool:
    return any(look(objective) for objective in spec.objectives)


def _wrong_unit(spec: Spec, doubt: Doubt) -> str:
    source = spec.metric_source
    assert source is not None  # it was asked
    where = f"{spec.path}:{source.position} {source.kind}.preset"
    return f"{where}: the unit of the histogram is wrong, write unit: {doubt.unit}: {doubt.text}"
