"""What ``slocheck schema`` does."""

import json

from slocheck.scenario.schema import scenario_schema
from slocheck.spec.schema import json_schema


def schema_text(*, scenario: bool) -> str:
    """Return the JSON Schema of a declarative scenario, or of slo.yaml."""
    return json.dumps(scenario_schema() if scenario else json_schema(), indent=2)
