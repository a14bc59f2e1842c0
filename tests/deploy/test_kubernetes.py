"""deploy/kubernetes/, checked by Kubernetes' own schemas and for consistency across files."""

import json
from typing import Any

import jsonschema
import promql_parser
import pytest
import yaml

from slocheck.reference_api.jobs.__main__ import parser as worker_parser
from slocheck.reference_api.options import parser
from tests.deploy.files import VENDOR, documents

KINDS = {
    "Deployment": "io.k8s.api.apps.v1.Deployment",
    "Service": "io.k8s.api.core.v1.Service",
    "ConfigMap": "io.k8s.api.core.v1.ConfigMap",
    "HorizontalPodAutoscaler": "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
    "PodDisruptionBudget": "io.k8s.api.policy.v1.PodDisruptionBudget",
}
HPA_OF_THE_GUIDE = """
minReplicas: 3
maxReplicas: 10
metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}
  - {type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 80}}}
  - type: Pods
    pods:
      metric: {name: http_requests_per_second}
      target: {type: AverageValue, averageValue: "1000"}
"""
FILES = ("api.yaml", "worker.yaml", "hpa.yaml", "prometheus-adapter.yaml")


def by_kind() -> dict[str, list[dict[str, Any]]]:
    """Return all objects of all files."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name in FILES:
        for document in documents(f"kubernetes/{name}"):
            found.setdefault(document["kind"], []).append(document)
    return found


@pytest.mark.parametrize("name", FILES)
def test_each_object_follows_its_schema(name: str) -> None:
    """Unknown keys included, which a cluster would silently drop."""
    definitions = json.loads((VENDOR / "kubernetes" / "definitions.json").read_text(encoding="utf-8"))
    for document in documents(f"kubernetes/{name}"):
        schema = {**definitions, "$ref": f"#/$defs/{KINDS[document['kind']]}"}
        validator = jsonschema.Draft202012Validator(schema)
        validator.validate(document)
        assert not validator.is_valid({**document, "sepc": {}})


def test_the_objects_find_each_other() -> None:
    """Labels, ports, names and the options of the API."""
    found = by_kind()
    deployment, service = found["Deployment"][0], found["Service"][0]
    template = deployment["spec"]["template"]
    labels = template["metadata"]["labels"]
    budget = found["PodDisruptionBudget"][0]
    for selector in (
        deployment["spec"]["selector"]["matchLabels"],
        service["spec"]["selector"],
        budget["spec"]["selector"]["matchLabels"],
    ):
        assert selector == labels
    container = template["spec"]["containers"][0]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert service["spec"]["ports"][0]["targetPort"] in ports
    options = parser().parse_args(container["args"])
    assert (options.host, options.port) == ("0.0.0.0", ports["http"])
    config = next(each for each in found["ConfigMap"] if each["metadata"]["name"] == "api")
    for url in (options.database_url, options.replica_url, options.redis_url, options.otlp_url):
        assert url[2:-1] in config["data"], url
    assert container["envFrom"][0]["configMapRef"]["name"] == config["metadata"]["name"]
    scaled = found["HorizontalPodAutoscaler"][0]["spec"]["scaleTargetRef"]
    assert (scaled["kind"], scaled["name"]) == (deployment["kind"], deployment["metadata"]["name"])
    assert "replicas" not in deployment["spec"]
    assert budget["spec"]["minAvailable"] < found["HorizontalPodAutoscaler"][0]["spec"]["minReplicas"]


def test_the_worker_runs_on_the_same_parts() -> None:
    """With options that exist, and metrics where its annotation says."""
    template = by_kind()["Deployment"][1]["spec"]["template"]
    container = template["spec"]["containers"][0]
    options = worker_parser().parse_args(container["args"])
    assert str(options.metrics_port) == template["metadata"]["annotations"]["prometheus.io/port"]
    assert (options.host, options.database, options.redis) == ("0.0.0.0", "$(DATABASE_URL)", "$(REDIS_URL)")


def test_the_autoscaler_is_the_guides() -> None:
    """Its third metric comes from the adapter's rule, whose query is valid PromQL once it is filled in."""
    found = by_kind()
    spec = found["HorizontalPodAutoscaler"][0]["spec"]
    guide = yaml.safe_load(HPA_OF_THE_GUIDE)
    assert {key: spec[key] for key in guide} == guide
    adapter = next(each for each in found["ConfigMap"] if each["metadata"]["name"] == "prometheus-adapter")
    rule = yaml.safe_load(adapter["data"]["config.yaml"])["rules"][0]
    assert rule["name"]["as"] == guide["metrics"][2]["pods"]["metric"]["name"]
    promql_parser.parse(rule["seriesQuery"])
    query = rule["metricsQuery"]
    for place, text in (
        ("<<.Series>>", "http_requests_total"),
        ("<<.LabelMatchers>>", 'pod="a"'),
        ("<<.GroupBy>>", "pod"),
    ):
        assert place in query
        query = query.replace(place, text)
    promql_parser.parse(query)
