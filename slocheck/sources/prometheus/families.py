"""The metric families of the service's targets that Prometheus has now."""

import re
import time

from slocheck.errors import SourceError
from slocheck.plan.families import Family, families_of
from slocheck.plan.mapping_match import SOUGHT
from slocheck.promql.selectors import Matcher, SeriesQuery, selector_text
from slocheck.sources.prometheus.http import PrometheusHttp
from slocheck.sources.prometheus.preflight import clock_skew, scrape_interval
from slocheck.sources.prometheus.query_responses import points
from slocheck.spec.model import Preset

NAME = "__name__"
PAUSE = 0.5
INTERVALS = 2
"""Scrape intervals, to which some seconds are added, in which every target should be scraped."""
GRACE = 5.0
BEFORE = 0.01
"""Seconds subtracted, because a query's range may be open at its start."""


def find_families(http: PrometheusHttp, up: SeriesQuery, mapping: Preset) -> tuple[Family, ...]:
    """Return the families of the targets that `up` finds, as far as they may count requests.

    Args:
        http: The server.
        up: The targets.
        mapping: Its metrics are looked at whatever their names are.

    Raises:
        SourceError: No response.
    """
    query = SeriesQuery("", (Matcher(NAME, "=~", sought_names(mapping)), *up.matchers))
    found = [
        (point.labels.get(NAME, ""), {name: text for name, text in point.labels.items() if name != NAME})
        for point in points(http.query(selector_text(query)), http.messages)
    ]
    targets = points(http.query(selector_text(up)), http.messages)
    return families_of(
        found, http.metric_types(), of_targets={name for target in targets for name in target.labels}
    )


def sought_names(mapping: Preset) -> str:
    """Return a pattern of the metrics that may count requests, as a target can have thousands of others."""
    own = [re.escape(name) for name in (mapping.histogram, mapping.counter) if name]
    ends = "(_bucket|_count|_sum)?"
    return f"(?i).*({'|'.join(SOUGHT)}).*" + "".join(f"|{name}{ends}" for name in own)


def wait_for_scrape(http: PrometheusHttp, up: SeriesQuery, *, after: float) -> float:
    """Wait until each live target was scraped after a time of our clock.

    Returns:
        A time shortly before the first of these scrapes, epoch seconds on the server's clock.

    Raises:
        SourceError: No response, or no scrape in time.
    """
    moment = after + clock_skew(http)
    deadline = time.monotonic() + INTERVALS * scrape_interval(http, up) + GRACE
    selector = selector_text(up)
    while True:
        found = points(http.query(f"timestamp({selector})"), http.messages)
        first = min((point.value for point in found), default=0.0)
        if first > moment:
            return first - BEFORE
        if time.monotonic() > deadline:
            raise SourceError(http.messages.text(f"no scrape of {selector} after the first requests"))
        time.sleep(PAUSE)
