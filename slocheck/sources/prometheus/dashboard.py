"""What a dashboard would show at the window's end: asked to be put beside our numbers, never graded."""

from collections.abc import Mapping
from dataclasses import replace

from slocheck.errors import SourceError
from slocheck.evidence.series import PromqlAnswer
from slocheck.promql.selectors import Matcher, SeriesQuery, selector_text
from slocheck.sources.prometheus.http import PrometheusHttp
from slocheck.sources.prometheus.promql import Window, instant, with_window
from slocheck.spec.model import IndicatorKind, Objective, Preset, SourceChoice, Spec


def dashboard_queries(spec: Spec, preset: Preset) -> dict[str, str]:
    """Return, by objective, the usual query for it; ``$window`` stands for the window's length.

    Latencies and error rates that are graded on the server have one. It is about the same requests as
    the objective, so that what differs is the arithmetic of rate() and histogram_quantile() alone.
    """
    job = dict(spec.prometheus.selector) if spec.prometheus else {}
    pinned = tuple(Matcher(label, "=", value) for label, value in {**job, **preset.selector}.items())
    found = {}
    for objective in spec.objectives:
        if objective.source is not SourceChoice.CLIENT and (
            text := _query(objective, preset, pinned, spec.failures.statuses)
        ):
            found[objective.name] = text
    return found


def _query(
    objective: Objective, preset: Preset, pinned: tuple[Matcher, ...], statuses: tuple[str, ...]
) -> str:
    """Return an objective's query; empty where the preset has no metric for it."""
    matchers = (*pinned, *_scope(objective, preset))
    kind, quantile = objective.indicator.kind, objective.indicator.quantile
    if kind is IndicatorKind.LATENCY and preset.histogram and quantile is not None:
        rate = _rate(f"{preset.histogram}_bucket", matchers)
        return f"histogram_quantile({float(quantile):g}, sum by (le) ({rate}))"
    if kind is IndicatorKind.ERROR_RATE and preset.counter and preset.status_label:
        pattern = "|".join(status.replace("xx", "..") for status in statuses)
        failed = _rate(preset.counter, (*matchers, Matcher(preset.status_label, "=~", pattern)))
        return f"sum({failed}) / sum({_rate(preset.counter, matchers)})"
    return ""


def _rate(metric: str, matchers: tuple[Matcher, ...]) -> str:
    return f"rate({selector_text(SeriesQuery(metric, matchers))}[$window])"


def _scope(objective: Objective, preset: Preset) -> tuple[Matcher, ...]:
    """Return the conditions that pick the objective's requests: its endpoint, or no ignored route."""
    wanted = dict(objective.labels)
    if endpoint := objective.endpoint:
        for label, value in ((preset.method_label, endpoint.method), (preset.route_label, endpoint.name)):
            if label:
                wanted.setdefault(label, value)
    if not wanted and preset.route_label:
        return tuple(Matcher(preset.route_label, "!=", route) for route in preset.ignore_routes)
    return tuple(Matcher(label, "=", value) for label, value in wanted.items())


def ask_dashboard(
    http: PrometheusHttp, queries: Mapping[str, str], window: Window
) -> dict[str, PromqlAnswer]:
    """Ask each query once at the window's end; a failure is noted, not retried, and ends the asking."""
    http.patience = 0.0
    texts = {name: with_window(query, window.end - window.start) for name, query in queries.items()}
    answers: dict[str, PromqlAnswer] = {}
    try:
        for name, text in texts.items():
            found = instant(http, text, window.end)
            answers[name] = replace(found, error=f"the query {found.error}") if found.error else found
    except SourceError as error:
        return {name: answers.get(name, PromqlAnswer(text, error=str(error))) for name, text in texts.items()}
    return answers
