"""What a scenario sends on average."""

from collections import defaultdict

from slocheck.scenario.model import Scenario
from slocheck.spec.model import Endpoint


def requests_per_arrival(scenario: Scenario) -> dict[Endpoint, float]:
    """Return the mean number of requests that one iteration sends to each endpoint, with flows by weight."""
    total = sum(flow.weight for flow in scenario.flows)
    mix: defaultdict[Endpoint, float] = defaultdict(float)
    for flow in scenario.flows:
        for step in flow.steps:
            mix[Endpoint(step.method, step.name)] += flow.weight / total
    return dict(mix)
