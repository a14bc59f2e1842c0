"""A good spec that uses every block, and ways to break it, for the tests of the loader and of the schema."""

import pytest

from slocheck.errors import SpecError
from slocheck.spec.loader import parse_spec
from slocheck.spec.model import Spec
from tests.support.broken_texts import BrokenText

GOOD = """\
service: shop-api
target:
  url: http://127.0.0.1:8000
  instances: 2
prometheus:
  url: http://127.0.0.1:9090
  preset: prom-client
  selector: {job: shop-api}
  timeout: 30s
workload:
  scenario: scenarios/browse.py
  users: 100
  spawn_rate: 50/s
  warmup: 5s
  duration: 30s
tiers: [bronze, silver, gold]
objectives:
  latency_p95: {bronze: "< 500ms", silver: "< 200ms", gold: "< 100ms"}
  latency_p99: {critical: "< 1000ms", target: "< 500ms"}
  error_rate: {silver: "< 0.1%"}
  availability: {silver: ">= 99.9%"}
  cache_hit_rate: {silver: "> 90%"}
  rps_per_instance: {silver: ">= 500/s"}
  checkout: {indicator: latency_p99.9, endpoint: "POST /checkout", silver: "< 300ms"}
  queue: {indicator: {promql: "max(queue_depth)", over: max}, silver: "< 100"}
gate: silver
confidence: 95%
failures: {statuses: [5xx, 429]}
cache: {headers: [X-Cache]}
validity: {min_sent: 99%, min_slices: 10}
"""


class Broken(BrokenText):
    """One change to the good spec."""

    good = GOOD


def problems_of(text: str | bytes, environment: dict[str, str] | None = None) -> list[str]:
    """Return the messages of all problems of a spec, without the path."""
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(SpecError) as caught:
        parse_spec(data, "slo.yaml", environment={} if environment is None else environment)
    return [str(problem).removeprefix("slo.yaml:") for problem in caught.value.problems]


def good(old: str = "", new: str = "") -> Spec:
    """Return the good spec parsed, with one change that keeps it good."""
    text = GOOD.replace(old, new) if old else GOOD
    assert not old or text != GOOD
    return parse_spec(text.encode(), "slo.yaml", environment={})
