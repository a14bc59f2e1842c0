"""Requests that the server counts several times, and by what its counts of them differ."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction

from slocheck.indicators.server.growth.counts import Counted
from slocheck.indicators.server.growth.same_names import pinning_labels

DUPLICATE_TOLERANCE = Fraction(1, 20)
MOST_SHOWN = 4
_OF_JOBS = "is one target scraped by several jobs? pin one with selector: {job: ...}"


def counted_several_times(
    counted: Counted, total: Fraction, sent: int, *, only_explained: bool = False
) -> str:
    """Say that the server counted each request more than once, and why; empty if it did not.

    Args:
        counted: The growth over the whole load.
        total: Its requests, without the scrapes of the page.
        sent: Requests that the client sent; more than 0.
        only_explained: Only where a label tells the counts of a request apart: few requests may be others'.
    """
    times = total / sent
    nearest = round(times)
    if nearest <= 1 or abs(times - nearest) > DUPLICATE_TOLERANCE:
        return ""
    splits = dict(_splits(counted, nearest))
    if only_explained and not splits:
        return ""
    return f"the server counted {nearest} times what was sent: {_cause(splits)}"


def _splits(counted: Counted, times: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each label with that many values, each of which has an equal part of the count."""
    for label in sorted({label for labels, _ in counted.parts for label in labels} - {"le"}):
        parts: defaultdict[str, Fraction] = defaultdict(Fraction)
        for labels, grown in counted.parts:
            parts[labels.get(label, "")] += grown.total
        grown_parts = {value: part for value, part in parts.items() if part}
        if len(grown_parts) == times and _are_equal(grown_parts):
            yield label, tuple(sorted(grown_parts))


def _are_equal(parts: Mapping[str, Fraction]) -> bool:
    return min(parts.values()) >= max(parts.values()) * (1 - DUPLICATE_TOLERANCE)


def _cause(splits: Mapping[str, tuple[str, ...]]) -> str:
    if not splits or "job" in splits:
        return _OF_JOBS
    label = "instance" if "instance" in splits else next(iter(splits))
    values = splits[label]
    shown = ", ".join(values[:MOST_SHOWN]) + (", ..." if len(values) > MOST_SHOWN else "")
    if label == "instance":
        pins = pinning_labels(values[0])
        cure = f"pin one with selector: {{{pins}}}" if pins else "name it once"
        return f"all of it at each address ({shown}); if these are one process, {cure}"
    return (
        f"once for each {label} ({shown}); "
        f"pin one in a mapping of your own under preset, with selector: {{{label}: {values[0]}}}"
    )
