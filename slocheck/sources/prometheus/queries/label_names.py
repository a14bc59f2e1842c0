"""Label names with dots, which not every server accepts."""

from collections.abc import Iterable

from slocheck.errors import UsageError
from slocheck.plan.series_queries import UP
from slocheck.promql.selectors import LABEL_NAME, Matcher, SeriesQuery, selector_text
from slocheck.sources.prometheus.errors import BadQueryError
from slocheck.sources.prometheus.http import PrometheusHttp


def check_label_names(http: PrometheusHttp, labels: Iterable[str]) -> None:
    """Raise UsageError if labels have names that this server does not accept; it is asked for one.

    Prometheus before version 3 cannot store them either: the exporter or the server replaces dots by _.
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
                f"does not accept label names with dots, so it has no such label; write {stored} for "
                f"{label}, as it stores it"
            )
        ) from error
