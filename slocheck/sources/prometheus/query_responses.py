"""Converts the query API's JSON to typed samples; refuses any other form."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slocheck.evidence.series import RawSeries
from slocheck.sources.prometheus.errors import Messages
from slocheck.sources.prometheus.http import QueryResponse
from slocheck.sources.prometheus.native_histograms import NativeSample, classic_series, upper_boundaries


@dataclass(frozen=True, slots=True)
class Point:
    """One element of an instant vector, or a scalar (without labels).

    Attributes:
        labels: All labels, including ``__name__``.
        time: Epoch seconds on the server's clock.
        value: As given, including NaN and infinities.
    """

    labels: Mapping[str, str]
    time: float
    value: float


def points(response: QueryResponse, messages: Messages) -> tuple[Point, ...]:
    """Return the elements of an instant vector; a scalar is one element.

    Raises:
        SourceError: The response has another form.
    """
    if response.kind == "scalar":
        time, value = _pair(response.result, messages)
        return (Point({}, time, value),)
    if response.kind != "vector":
        raise messages.unexpected_form(f"a {response.kind} where a vector was asked for")
    return tuple(
        Point(_labels(item, messages), *_pair(item.get("value"), messages))
        for item in _items(response, messages)
        if "histogram" not in item
    )


def series(response: QueryResponse, messages: Messages) -> tuple[RawSeries, ...]:
    """Return the series of a matrix; a native histogram becomes its classic buckets and count.

    Raises:
        SourceError: The response has another form.
    """
    if response.kind != "matrix":
        raise messages.unexpected_form(f"a {response.kind} where a matrix was asked for")
    found: list[RawSeries] = []
    native: list[tuple[str, dict[str, str], list[NativeSample]]] = []
    for item in _items(response, messages):
        labels = dict(_labels(item, messages))
        metric = labels.pop("__name__", "")
        if "values" in item:
            pairs = [_pair(pair, messages) for pair in _list(item["values"], messages)]
            times, values = tuple(time for time, _ in pairs), tuple(value for _, value in pairs)
            found.append(RawSeries(metric, labels, times, values))
        if "histograms" in item:
            native.append((metric, labels, list(_native(item["histograms"], messages))))
    boundaries: dict[str, dict[float, str]] = {}
    for metric, _, samples in native:
        boundaries.setdefault(metric, {}).update(upper_boundaries(samples))
    for metric, labels, samples in native:
        found += classic_series(metric, labels, samples, boundaries[metric])
    return tuple(found)


def _items(response: QueryResponse, messages: Messages) -> Iterator[dict[str, object]]:
    for item in _list(response.result, messages):
        if not isinstance(item, dict):
            raise messages.unexpected_form("a series that is not an object")
        yield item


def _list(value: object, messages: Messages) -> list[object]:
    if not isinstance(value, list):
        raise messages.unexpected_form("a result that is not a list")
    return value


def _labels(item: Mapping[str, object], messages: Messages) -> Mapping[str, str]:
    labels = item.get("metric")
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise messages.unexpected_form("a series without labels")
    return labels


def _pair(value: object, messages: Messages) -> tuple[float, float]:
    """Read ``[seconds, "value"]``, where the value may be NaN or ``+Inf``."""
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - a pair
        raise messages.unexpected_form("a sample that is not a pair")
    try:
        time, number = float(value[0]), float(value[1])
    except (TypeError, ValueError, OverflowError):
        raise messages.unexpected_form("a sample that is not a number") from None
    if not math.isfinite(time):
        raise messages.unexpected_form("a sample without a time")
    return time, number


def _native(samples: object, messages: Messages) -> Iterator[NativeSample]:
    for sample in _list(samples, messages):
        try:
            yield _native_sample(sample)
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
            raise messages.unexpected_form("a native histogram in an unknown form") from None


def _native_sample(sample: Any) -> NativeSample:
    """Read ``[seconds, {"count": n, "buckets": [[rule, low, high, n], ...]}]``; any other form raises."""
    moment, histogram = sample
    buckets = [
        (float(low), float(high), str(high), float(count))
        for _, low, high, count in histogram.get("buckets", [])
    ]
    summed = float(histogram.get("sum", "nan"))
    return NativeSample(float(moment), float(histogram["count"]), tuple(buckets), summed)
