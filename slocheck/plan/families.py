"""Metric families as a page or Prometheus shows them, among which a mapping is searched for."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

BUCKET = "_bucket"
Labels = Mapping[str, str]


class FamilyKind(StrEnum):
    """The kind of a family, as its series and its declared type show it."""

    HISTOGRAM = "histogram"
    COUNTER = "counter"
    SUMMARY = "summary"
    UNTYPED = "untyped"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with its series.

    Attributes:
        name: For a histogram without ``_bucket``, for a summary without ``_count``, for any other in full.
        kind: Gauges are `OTHER`.
        series: Labels of each series, without ``le`` and without empty labels.
        boundaries: Values of ``le``; empty if it is not a histogram.
        of_targets: Labels that Prometheus gives to all series of a target, such as ``instance``.
    """

    name: str
    kind: FamilyKind
    series: tuple[Labels, ...]
    boundaries: frozenset[str] = frozenset()
    of_targets: frozenset[str] = frozenset()

    def values(self, label: str) -> tuple[str, ...]:
        """Return the distinct values of a label."""
        return tuple(dict.fromkeys(one[label] for one in self.series if label in one))

    @property
    def is_summary(self) -> bool:
        """Whether it has a count, and percentiles at most, which cannot be added up, but no buckets."""
        return self.kind is FamilyKind.SUMMARY

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels that any of its series has, sorted by name."""
        return tuple(sorted({label for one in self.series for label in one}))

    @property
    def own_labels(self) -> tuple[str, ...]:
        """The labels that distinguish requests: without those of targets and a summary's quantile."""
        return tuple(label for label in self.labels if label not in {*self.of_targets, "quantile"})


def families_of(
    series: Iterable[tuple[str, Labels]], types: Mapping[str, str], *, of_targets: Iterable[str] = ()
) -> tuple[Family, ...]:
    """Group series by family, in order of name.

    Args:
        series: Metric and labels of each series.
        types: Declared type by family, with or without ``_total``; a missing type follows from the name.
        of_targets: Labels that all series of a target have.
    """
    found: defaultdict[str, list[Labels]] = defaultdict(list)
    for metric, labels in series:
        found[metric].append(labels)
    histograms = {
        metric.removesuffix(BUCKET)
        for metric, each in found.items()
        if metric.endswith(BUCKET) and any("le" in labels for labels in each)
    }
    common = frozenset(of_targets)
    families = [_histogram(name, found[name + BUCKET], common) for name in histograms]
    parts = {name + end for name in histograms for end in (BUCKET, "_count", "_sum", "_created")}
    others = {name: each for name, each in found.items() if name not in parts and name not in histograms}
    families += [
        Family(name, _kind(name, each, types), _unique(each), of_targets=common)
        for name, each in others.items()
    ]
    families += [
        Family(name, FamilyKind.SUMMARY, _unique(found[name + "_count"]), of_targets=common)
        for name in _plain_summaries(others, types)
    ]
    return tuple(sorted(families, key=lambda family: family.name))


def _plain_summaries(metrics: Collection[str], types: Mapping[str, str]) -> Iterator[str]:
    """Yield the names of summaries without quantiles, as Micrometer and Python's client export them.

    So is a histogram of which only count and sum are left, as its buckets are the most series to store.
    """
    for metric in metrics:
        name = metric.removesuffix("_count")
        is_pair = name != metric and name not in metrics and f"{name}_sum" in metrics
        if is_pair and types.get(name, "summary") in ("summary", "histogram"):
            yield name


def _histogram(name: str, series: Iterable[Labels], of_targets: frozenset[str]) -> Family:
    each = tuple(series)
    boundaries = frozenset(labels["le"] for labels in each if "le" in labels)
    return Family(name, FamilyKind.HISTOGRAM, _unique(each), boundaries, of_targets)


def _kind(metric: str, series: Iterable[Labels], types: Mapping[str, str]) -> FamilyKind:
    declared = types.get(metric) or types.get(metric.removesuffix("_total"), "")
    if declared == "histogram" and metric in types:
        return FamilyKind.HISTOGRAM  # a native histogram: it has no series named _bucket
    if any("quantile" in labels for labels in series):
        return FamilyKind.SUMMARY
    if metric.endswith(("_sum", "_created")):
        return FamilyKind.OTHER
    if declared == "counter" or (metric.endswith("_total") and declared in ("", "unknown", "untyped")):
        return FamilyKind.COUNTER
    return FamilyKind.UNTYPED if declared in ("", "unknown", "untyped") else FamilyKind.OTHER


def _unique(series: Iterable[Labels]) -> tuple[Labels, ...]:
    """Return the distinct label sets, without ``le`` and without empty labels."""
    found: dict[frozenset[tuple[str, str]], Labels] = {}
    for one in series:
        kept = {label: value for label, value in one.items() if value and label != "le"}
        found.setdefault(frozenset(kept.items()), kept)
    return tuple(found.values())


def not_a_histogram(name: str, families: Iterable[Family]) -> str:
    """Say what has a histogram's name but is not one, and what to do; empty if nothing does."""
    by_name = {family.name: family for family in families}
    found = by_name.get(name)
    if found is None or found.kind is FamilyKind.HISTOGRAM:
        return ""
    has_quantiles = "quantile" in found.labels
    parts = "it has quantile labels" if has_quantiles else "a count and a sum, without buckets"
    if name + BUCKET in by_name:  # as the metrics library of VictoriaMetrics exports them, with vmrange
        parts = "a count and a sum; its buckets have no label le"
    kind = f"a summary ({parts})" if found.is_summary else "not a histogram"
    left = found.is_summary and not has_quantiles
    cure = (
        "let the service export buckets and Prometheus keep them"
        if left
        else "let the service export a histogram"
    )
    none = "percentiles of all requests cannot be computed from it"
    return f"{name} is {kind}: {none}; {cure}, or write source: client"
