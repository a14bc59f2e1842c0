"""Label conditions as PromQL text, and the same conditions applied to labels."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from slocheck.errors import UsageError

PLAIN_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
DOTTED_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.]*")
"""Label names that OpenTelemetry's exporters may keep and that PromQL requires in quotes."""
OPERATORS = ("=", "!=", "=~", "!~")


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label condition of a selector; `op` is ``=``, ``!=``, ``=~`` or ``!~``."""

    label: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """Raw series to fetch: a metric name and conditions on its labels."""

    metric: str
    matchers: tuple[Matcher, ...] = ()


def equalities(labels: Mapping[str, str]) -> tuple[Matcher, ...]:
    """Return one condition for each label: that it has exactly this value."""
    return tuple(Matcher(label, "=", value) for label, value in labels.items())


def selector_text(query: SeriesQuery) -> str:
    """Return the instant selector of `query`, such as ``up{job="shop"}``; without a metric, only its labels.

    Raises:
        UsageError: A label name or an operator is not one of PromQL.
    """
    conditions = [_condition(matcher) for matcher in query.matchers]
    if not query.metric:
        return "{" + ",".join(conditions) + "}"
    if PLAIN_METRIC.fullmatch(query.metric):
        return query.metric + ("{" + ",".join(conditions) + "}" if conditions else "")
    return "{" + ",".join([f"__name__={quoted(query.metric)}", *conditions]) + "}"


def quoted(value: str) -> str:
    """Return `value` as a PromQL string, for which a JSON string will do."""
    return json.dumps(value, ensure_ascii=False)


def _condition(matcher: Matcher) -> str:
    if not DOTTED_NAME.fullmatch(matcher.label):
        raise UsageError(
            f"label {matcher.label!r} cannot be used in a selector; write letters, digits, _ and . only, "
            "as Prometheus shows it"
        )
    if matcher.op not in OPERATORS:
        raise UsageError(
            f"label {matcher.label}: {matcher.op!r} is not a matching operator; use {' '.join(OPERATORS)}"
        )
    plain = LABEL_NAME.fullmatch(matcher.label)
    return f"{matcher.label if plain else quoted(matcher.label)}{matcher.op}{quoted(matcher.value)}"


def matches(labels: Mapping[str, str], matchers: Iterable[Matcher]) -> bool:
    """Tell whether `labels` meet all conditions; an absent label counts as empty, as in Prometheus."""
    return all(_matches(labels.get(matcher.label, ""), matcher) for matcher in matchers)


def _matches(value: str, matcher: Matcher) -> bool:
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    return (re.fullmatch(matcher.value, value, re.DOTALL) is not None) == (matcher.op == "=~")
