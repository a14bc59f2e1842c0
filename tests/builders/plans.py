"""A small shop: a scenario of two flows and a spec with a load to choose."""

from slocheck.scenario.loader import parse_scenario
from slocheck.scenario.model import Scenario
from slocheck.spec.loader import parse_spec
from slocheck.spec.model import Spec

SCENARIO = b"""\
flows:
  - name: look
    weight: 3
    steps:
      - get: /items
      - {get: /items/1, name: "GET /items/{id}"}
      - {get: /items/2, name: "GET /items/{id}"}
  - name: buy
    steps: [{post: /checkout}]
"""
SPEC = """\
service: shop
target: {{url: "http://127.0.0.1:8000"}}
workload: {{scenario: browse.yaml, {load}, warmup: 10s}}
tiers: [silver, gold]
objectives:
  error_rate: {{silver: "< 1%", gold: "< 0.01%"}}
  checkout: {{indicator: latency_p95, endpoint: "POST /checkout", silver: "< 300ms"}}
gate: silver
"""


def _no_file(path: str, limit: int) -> bytes:
    raise AssertionError(f"{path} up to {limit}: this scenario names no file")


def shop_scenario() -> Scenario:
    """Return a scenario of two flows, 3 to 1."""
    return parse_scenario(SCENARIO, "browse.yaml", environment={}, read=_no_file)


def shop_spec(load: str, *, more: str = "") -> Spec:
    """Return a spec with a load, and with further lines at its end."""
    return parse_spec(f"{SPEC.format(load=load)}{more}\n".encode(), "slo.yaml")
