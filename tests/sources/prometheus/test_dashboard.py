"""A dashboard's queries are sent once, and never delay a run."""

from slocheck.sources.prometheus.http import PrometheusHttp
from slocheck.sources.prometheus.queries.dashboard import ask_dashboard
from slocheck.sources.prometheus.queries.objectives import QueryWindow
from tests.builders.server.prom_client import prometheus_source
from tests.support.fault_server import FaultServer, http, success


def test_each_is_asked_once_and_a_failure_is_only_noted() -> None:
    """The first response stays; after a failure nothing more is asked, and nothing is tried again."""
    responses = [success("vector", [{"metric": {}, "value": [1, "0.25"]}]), http("", "503 No")]
    with FaultServer(responses) as server:
        connection = PrometheusHttp(prometheus_source(server.url))
        connection.patience = 30.0
        found = ask_dashboard(connection, {"a": "a[$window]", "b": "b", "c": "c"}, QueryWindow(0, 40, 1))
        connection.close()
        assert len(server.requests) == 2
    assert (found["a"].query, found["a"].values) == ("a[40s]", (0.25,))
    assert "HTTP 503" in found["b"].error
    assert "HTTP 503" in found["c"].error
    assert found["b"].values == found["c"].values == ()


def test_no_data_is_said() -> None:
    """A ratio over a missing series is empty: a dashboard shows nothing."""
    with FaultServer([success("vector", [])]) as server:
        connection = PrometheusHttp(prometheus_source(server.url))
        found = ask_dashboard(connection, {"a": "a"}, QueryWindow(0, 40, 1))
        connection.close()
    assert found["a"].error == "the query returns no data"
