"""What ``slocheck schema`` does."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from slocheck.reporters.json.schema import result_schema
from slocheck.scenario.schema import scenario_schema
from slocheck.spec.model.workload import BLOCK
from slocheck.spec.schema import json_schema


def _spec_schema() -> dict[str, Any]:
    """Return the schema of slo.yaml with that of scenarios in it."""
    schema, scenario = json_schema(), scenario_schema()
    block = {key: scenario[key] for key in ("type", "properties", "required", "additionalProperties")}
    schema["properties"][BLOCK] |= block
    return schema


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "spec": _spec_schema,
    "scenario": scenario_schema,
    "result": result_schema,
}


def schema_text(name: str) -> str:
    """Return the JSON Schema of slo.yaml, of a declarative scenario, or of the result."""
    return json.dumps(SCHEMAS[name](), indent=2)
