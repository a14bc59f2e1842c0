"""The query that a dashboard would use for an objective: shown next to slocheck's number, never graded."""

from slocheck.promql.routes import route_labels, route_regex
from slocheck.promql.selectors import Matcher, SeriesQuery, equalities, selector_text
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Objective, Preset, SourceChoice, Spec


def dashboard_queries(spec: Spec, mapping: Preset) -> dict[str, str]:
    """Return the usual query for each objective; ``$window`` stands for the window's length.

    Latencies and error rates that are graded on the server have one. It selects the same requests as the
    objective, so only the arithmetic of rate() and histogram_quantile() differs.
    """
    pinned = equalities({**spec.series_selector, **mapping.selector})
    found = {}
    for objective in spec.objectives:
        if objective.source is not SourceChoice.CLIENT and (
            text := _query(objective, mapping, pinned, spec.failures.statuses)
        ):
            found[objective.name] = text
    return found


def _query(
    objective: Objective, mapping: Preset, pinned: tuple[Matcher, ...], statuses: tuple[str, ...]
) -> str:
    """Return an objective's query; empty if the mapping has no metric for it."""
    matchers = (*pinned, *_scope(objective, mapping))
    traits, quantile = traits_of(objective.indicator.kind), objective.indicator.quantile
    if traits.is_percentile and mapping.histogram and quantile is not None:
        rate = _rate(f"{mapping.histogram}_bucket", matchers)
        return f"histogram_quantile({float(quantile):g}, sum by (le) ({rate}))"
    if traits.counts_failures and mapping.counter and mapping.status_label:
        pattern = "|".join(status.replace("xx", "..") for status in statuses)
        failed = _rate(mapping.counter, (*matchers, Matcher(mapping.status_label, "=~", pattern)))
        return f"sum({failed}) / sum({_rate(mapping.counter, matchers)})"
    return ""


def _rate(metric: str, matchers: tuple[Matcher, ...]) -> str:
    return f"rate({selector_text(SeriesQuery(metric, matchers))}[$window])"


def _scope(objective: Objective, mapping: Preset) -> tuple[Matcher, ...]:
    """Return the conditions that select the objective's requests: its endpoint, or all but ignored routes."""
    wanted, ignored = route_labels(objective, mapping)
    left_out = tuple(Matcher(mapping.route_label or "", "!=", route) for route in ignored)
    return (*(_matcher(label, value, mapping) for label, value in wanted.items()), *left_out)


def _matcher(label: str, value: str, mapping: Preset) -> Matcher:
    pattern = route_regex(value) if label == mapping.route_label else ""
    return Matcher(label, "=~", pattern) if pattern else Matcher(label, "=", value)
