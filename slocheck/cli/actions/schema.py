"""What ``slocheck schema`` does."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from slocheck.reporters.json.schema import result_schema
from slocheck.scenario.schema import scenario_schema
from slocheck.spec.schema import json_schema

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "spec": json_schema,
    "scenario": scenario_schema,
    "result": result_schema,
}


def schema_text(name: str) -> str:
    """Return the JSON Schema of slo.yaml, of a declarative scenario, or of the result."""
    return json.dumps(SCHEMAS[name](), indent=2)
