"""A spec of two objectives, good by default, with one thing changed at a time."""

from slocheck.spec.loader import parse_spec
from slocheck.spec.model import Spec

OBJECTIVES = """\
  latency_p95: {bronze: "< 500ms", silver: "< 200ms", gold: "< 100ms"}
  error_rate: {bronze: "< 1%", silver: "< 0.1%", gold: "< 0.01%"}
"""


def make_spec(
    objectives: str = OBJECTIVES, *, more: str = "", gate: str = "silver", load: str = "users: 10"
) -> Spec:
    """Return a spec with these objectives (YAML, two spaces deep), client side, without confidence."""
    confidence = "" if "confidence:" in more else "confidence: none\n"
    text = (
        'service: shop-api\ntarget: {url: "http://127.0.0.1:8000"}\n'
        "workload: {scenario: browse.py, " + load + ", warmup: 5s, duration: 60s}\n"
        f"tiers: [bronze, silver, gold]\nobjectives:\n{objectives}gate: {gate}\n{confidence}{more}"
    )
    return parse_spec(text.encode(), "slo.yaml", environment={})
