"""Label names with dots: which servers take them."""

from collections.abc import Iterable

from slocheck.errors import UsageError
from slocheck.plan.series_queries import UP
from slocheck.promql.selectors import LABEL_NAME, Matcher, SeriesQuery, selector_text
from slocheck.sources.prometheus.errors import BadQueryError
from slocheck.sources.prometheus.http import PrometheusHttp


def check_label_names(http: PrometheusHttp, labels: Iterable[str]) -> None:
    """Raise UsageError where labels have names that this server does not take, which it shows itself.

    Before version 3 Prometheus cannot store them either: it, or who exports them, puts _ in their place.
    """
    label = next((label for label in labels if not LABEL_NAME.fullmatch(label)), None)
    if label is None:
        return
    try:
        http.query(selector_text(SeriesQuery(UP, (Matcher(label, "=", ""),))))
    except BadQueryError as error:
        stored = label.replace(".", "_")
        raise UsageError(
            http.messages.text(
                f"takes no label names with dots, so that it has none; write {stored} for {label}, as it "
                "stores it"
            )
        ) from error
