"""Reads the wanted families of a metrics page, whatever the size of the page.

Each line's name and labels are the same text in every scrape, so prometheus_client parses them once, and
they are looked up after that. Both the text format and OpenMetrics are read.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from slocheck.promql.selectors import SeriesQuery, matches

SAMPLE = re.compile(
    r'([a-zA-Z_:][\w:]*+)?+[ \t]*+(\{[^"}]*+(?:"(?:[^"\\]|\\.)*+"[^"}]*+)*+\})?+[ \t]*+(\S+)'
    r"(?:[ \t]++(-?\d++(?:\.\d++)?+(?:[eE][-+]?\d++)?+))?+"
)
"""Name, labels, value and the sample's own time."""
MILLISECONDS = 1000
QUOTED_NAME = "{"
"""Start of a line whose metric is quoted among the labels, as for names with dots."""
_JSON_BEGINS, _JSON_ENDS = ("{", "["), ("}", "]")
INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
OPENMETRICS_END = "# EOF"
ONE_REGISTRY = (
    "it is unknown which of its values is right; register each metric once, and in a multi-process mode "
    "export the registry of all processes alone"
)


class PageError(Exception):
    """A page that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesId:
    """A wanted series; a reader has one object for each, so it can compare them by identity."""

    metric: str
    labels: Mapping[str, str]


class PageSample(NamedTuple):
    """A sample on a page; `time` is its timestamp on the page, epoch seconds, or None."""

    series: SeriesId
    value: float
    time: float | None


class PageReader:
    """Finds the samples of the wanted series on one target's pages.

    Args:
        queries: The wanted series; None: all.
    """

    def __init__(self, queries: Iterable[SeriesQuery] | None) -> None:
        self._all = queries is None
        self._queries: dict[str, list[SeriesQuery]] = {}
        for query in queries or ():
            self._queries.setdefault(query.metric, []).append(query)
        self._starts = (*self._queries, QUOTED_NAME)
        self._known: dict[str, SeriesId | None] = {}
        self._series: dict[tuple[str, frozenset[tuple[str, str]]], SeriesId] = {}

    def read(self, text: str, *, openmetrics: bool) -> list[PageSample]:
        """Return the wanted samples of a page, in its order.

        Raises:
            PageError: The page is not a metrics page, or is cut off.
        """
        if openmetrics and text.rstrip().rpartition("\n")[2] != OPENMETRICS_END:
            raise PageError("the page is cut off: it lacks the # EOF of OpenMetrics")
        if text.lstrip()[:1] == "<":
            raise PageError("the page is HTML, not metrics")
        if text.strip()[:1] in _JSON_BEGINS and text.rstrip()[-1:] in _JSON_ENDS:
            raise PageError("the page is JSON, not metrics; check the path of the metrics page")
        samples = list(self._samples(text, 1 if openmetrics else MILLISECONDS))
        _refuse_other_pages(text)
        if not self._all and len({sample.series for sample in samples}) < len(samples):
            twice = repeated(samples)[0].metric
            raise PageError(f"the page has a series twice, {twice}: {ONE_REGISTRY}")
        return samples

    def _samples(self, text: str, per_second: int) -> Iterator[PageSample]:
        for line in _unindented(text).split("\n"):
            if not (_is_sample(line) if self._all else line.startswith(self._starts)):
                continue
            found = SAMPLE.match(line)
            if not found:
                raise PageError(f"a line that is not a sample: {line[:80]!r}")
            name, labels, value, time = found.groups(default="")
            head = name + labels
            if head not in self._known:
                self._known[head] = self._identify(name, head)
            series = self._known[head]
            if series is not None:
                yield PageSample(series, _number(value), float(time) / per_second if time else None)

    def _identify(self, plain: str, head: str) -> SeriesId | None:
        """Parse name and labels; None if no query wants the series.

        As in Prometheus, a label with an empty value is absent: some exporters add one to all series of
        a family when the first series with a value appears.
        """
        if plain and not self._all and plain not in self._queries:
            return None
        name, written = _parsed(head)
        labels = {label: value for label, value in written.items() if value}
        wanted = (matches(labels, query.matchers) for query in self._queries.get(name, ()))
        if not self._all and not any(wanted):
            return None
        return self._series.setdefault((name, frozenset(labels.items())), SeriesId(name, labels))


def repeated(samples: Iterable[PageSample]) -> tuple[SeriesId, ...]:
    """Return the series of which a page has several samples."""
    counts = Counter(sample.series for sample in samples)
    return tuple(series for series, count in counts.items() if count > 1)


def _refuse_other_pages(text: str) -> None:
    """Raise PageError if something else is served instead of metrics: JSON, a word, a heading.

    An empty page is valid: some libraries have no metrics before the first request.
    """
    if not text.strip():
        return
    line = next((line.strip() for line in text.split("\n") if _is_sample(line.strip())), "")
    if line:
        found = SAMPLE.match(line)
        if not found or not (found[1] or found[2]) or not _is_number(found[3]):
            raise PageError(f"the page is not metrics; it has the line {line[:80]!r}")
    elif "# TYPE" not in text and OPENMETRICS_END not in text:
        raise PageError("the page has no metrics; check the path, or start the service's exporter")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_sample(line: str) -> bool:
    return bool(line) and not line.startswith("#") and not line.isspace()


def _unindented(text: str) -> str:
    """Return a page without spaces at the start of its lines, which Prometheus accepts as well."""
    indented = text.startswith((" ", "\t")) or "\n " in text or "\n\t" in text
    return INDENT.sub("", text) if indented else text


def _parsed(head: str) -> tuple[str, Mapping[str, str]]:
    from prometheus_client.parser import (  # noqa: PLC0415 - only a run with this source needs it
        text_string_to_metric_families,
    )

    try:
        for family in text_string_to_metric_families(f"{head} 0\n"):
            for sample in family.samples:
                return sample.name, dict(sample.labels)
    except Exception as error:  # noqa: BLE001 - whatever the library raises on foreign text
        raise PageError(f"labels that cannot be parsed: {str(error)[:120]}") from None
    raise PageError(f"a line that is not a sample: {head[:80]!r}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise PageError(f"a value that is not a number: {text[:40]!r}") from None


def declared(text: str) -> Mapping[str, str]:
    """Return the families that a page declares by ``# TYPE``, with or without samples, and their types."""
    found = re.findall(r"^[ \t]*#[ \t]+TYPE[ \t]+(\S+)[ \t]+(\S+)", text, re.MULTILINE)
    return {name.strip('"'): kind for name, kind in found}
