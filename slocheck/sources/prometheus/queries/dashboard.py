"""The values that a dashboard would show at the window's end: shown next to our numbers, never graded."""

from collections.abc import Mapping
from dataclasses import replace

from slocheck.errors import SourceError
from slocheck.evidence.series import PromqlResult
from slocheck.sources.prometheus.http import PrometheusHttp
from slocheck.sources.prometheus.queries.objectives import QueryWindow, instant, with_window


def ask_dashboard(
    http: PrometheusHttp, queries: Mapping[str, str], window: QueryWindow
) -> dict[str, PromqlResult]:
    """Ask each query once at the window's end; after a failure, which is noted, ask no more."""
    http.patience = 0.0
    texts = {name: with_window(query, window.end - window.start) for name, query in queries.items()}
    results: dict[str, PromqlResult] = {}
    try:
        for name, text in texts.items():
            found = instant(http, text, window.end)
            results[name] = replace(found, error=f"the query {found.error}") if found.error else found
    except SourceError as error:
        return {name: results.get(name, PromqlResult(text, error=str(error))) for name, text in texts.items()}
    return results
