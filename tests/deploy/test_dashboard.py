"""The Grafana dashboard: every query is valid PromQL on metrics that the API and the exporter have."""

import json
import re
from typing import Any

import promql_parser
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from slocheck.reference_api.observability.metrics import Metrics
from tests.deploy.files import DEPLOY

OF_REDIS = {"redis_memory_used_bytes", "redis_evicted_keys_total"}
"""What the exporter of Redis shows; tests/reference_api/stack/test_redis_exporter.py finds them there."""
WIDTH = 24


def panels() -> list[dict[str, Any]]:
    """Return the dashboard's panels."""
    found: list[dict[str, Any]] = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())["panels"]
    return found


def _names_of_the_api() -> set[str]:
    """Return every sample name that the API's registry can show."""
    names = set()
    for family in text_string_to_metric_families(generate_latest(Metrics().registry).decode()):
        names |= {family.name, f"{family.name}_total", f"{family.name}_bucket"}
    return names


def test_each_query_is_promql_of_a_metric_that_exists() -> None:
    """Grafana would show an empty panel instead of an error."""
    known = _names_of_the_api() | OF_REDIS
    for panel in panels():
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "1m")
            promql_parser.parse(query)
            used = set(re.findall(r"\b((?:http|cache|db|jobs?|redis)_[a-z_]+)(?=[{\[)]|$)", query))
            assert used, query
            assert used <= known, query


def test_the_panels_are_the_guides_and_do_not_overlap() -> None:
    """Request rate, response time and error rate first; types that today's Grafana has."""
    found = panels()
    assert [panel["title"] for panel in found[:3]] == ["Request rate", "Response time", "Error rate"]
    assert {panel["type"] for panel in found} <= {"timeseries", "stat"}
    assert len({panel["id"] for panel in found}) == len(found)
    cells: set[tuple[int, int]] = set()
    for panel in found:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= WIDTH
        covered = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & covered
        cells |= covered
