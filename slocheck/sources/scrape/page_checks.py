"""Checks of metrics pages: errors before the load, warnings, and what the last pages lack."""

from collections.abc import Sequence

from slocheck.errors import SourceError
from slocheck.evidence.warnings import RunWarning
from slocheck.masking import strip_url
from slocheck.plan.series_queries import PROCESS_START
from slocheck.sources.scrape.replica import SAME_START, Replica, several_processes
from slocheck.spec.model import Preset

ONE_PROCESS = (
    "name every replica's own URL in scrape, and give a service of several workers its library's "
    "multi-process mode"
)


def check_page(replica: Replica) -> None:
    """Raise SourceError if a replica's page could not be fetched, or comes from several processes."""
    place = f"scrape {strip_url(replica.url)}"
    scrapes = replica.scrapes()
    if not scrapes:
        raise SourceError(f"{place}: no response; check that the service is not overloaded")
    failed = next((scrape for scrape in scrapes if scrape.error), None)
    if failed:
        raise SourceError(f"{place}: {failed.error}")
    starts = [scrape.start_time for scrape in scrapes if scrape.start_time is not None]
    why = several_processes(scrapes)
    if not why and starts and max(starts) - min(starts) >= SAME_START:
        why = f"{PROCESS_START} changed within a second"
    if why:
        raise SourceError(f"{place}: {why}: it is served by several processes; {ONE_PROCESS}")


def same_process(replicas: Sequence[Replica]) -> list[RunWarning]:
    """Warn about URLs that seem to lead to one process, whose requests would count twice."""
    seen: dict[float, Replica] = {}
    warnings = []
    for replica in replicas:
        start = replica.scrapes()[-1].start_time
        if start is not None and start in seen:
            other = seen[start]
            text = (
                f"{strip_url(other.url)} and {strip_url(replica.url)} have the same {PROCESS_START}: "
                "if they are one process, name it once, or its requests count twice"
            )
            warnings.append(RunWarning("same-process", text))
        elif start is not None:
            seen[start] = replica
    return warnings


def slow_pages(replicas: Sequence[Replica], interval: float) -> list[RunWarning]:
    """Warn about pages that take more than half of the scrape interval, seconds."""
    warnings = []
    for replica in replicas:
        took = max(scrape.received - scrape.sent for scrape in replica.scrapes())
        if took > interval / 2:
            text = (
                f"a scrape of {strip_url(replica.url)} takes {took:.1f} s, at an interval of "
                f"{interval:g} s: raise scrape's interval, or scraping slows the service"
            )
            warnings.append(RunWarning("slow-page", text))
    return warnings


def missing_metrics(replicas: Sequence[Replica], missing: Sequence[str], preset: Preset) -> list[RunWarning]:
    """Warn about a metric that no page declares: its name may be wrong."""
    known = frozenset[str]().union(*(replica.declared.keys() for replica in replicas))
    return [
        RunWarning(
            "missing-metric",
            f"{metric} is not on any page: it is counted from 0 if the first request creates it; "
            f"if the service exports it under another name, correct the preset ({preset.name})",
        )
        for metric in missing
        if not known & {metric, *(metric.removesuffix(end) for end in ("_bucket", "_count", "_total"))}
    ]


def failed_scrapes(replicas: Sequence[Replica]) -> list[RunWarning]:
    """Warn about failed scrapes."""
    warnings = []
    for replica in replicas:
        scrapes = replica.scrapes()
        failed = [scrape for scrape in scrapes if scrape.error]
        if failed:
            text = (
                f"{len(failed)} of {len(scrapes)} scrapes of {strip_url(replica.url)} failed "
                f"(the first: {failed[0].error})"
            )
            warnings.append(RunWarning("failed-scrapes", text))
    return warnings


def incomplete(replicas: Sequence[Replica], after: float) -> list[str]:
    """Return why the pages may not have counted the whole load, which ended at `after`, epoch seconds."""
    reasons = []
    for replica in replicas:
        place, scrapes = strip_url(replica.url), replica.scrapes()
        if not responded(replica, after):
            why = scrapes[-1].error if scrapes else "it does not respond"
            reasons.append(f"no page of {place} after the load: {why or 'it does not respond'}")
        if several := several_processes(scrapes):
            reasons.append(f"{place}: {several}: it is served by several processes; {ONE_PROCESS}")
    return reasons


def responded(replica: Replica, moment: float) -> bool:
    """Tell whether a page was fetched after this time."""
    return any(scrape.sent >= moment and not scrape.error for scrape in replica.scrapes())
