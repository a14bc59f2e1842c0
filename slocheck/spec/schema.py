"""slo.yaml as JSON Schema, derived from the same table of keys that the loader uses.

The loader refuses everything that the schema refuses, and more: contradictions between values, duplicate
keys, hostile YAML.
"""

from itertools import combinations
from typing import Any

from slocheck.documents.reader import object_schema
from slocheck.spec.blocks.metric_source.sources import SOURCE_BLOCKS
from slocheck.spec.loader import root_keys

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of slo.yaml, for editors and other tools."""
    sources = [key.name for key in SOURCE_BLOCKS.values()]
    return {
        "$schema": DIALECT,
        "title": "slocheck SLO spec (slo.yaml)",
        "description": "Target, workload, tiers and objectives of one service.",
        **object_schema(root_keys()),
        "not": {"anyOf": [{"required": list(pair)} for pair in combinations(sources, 2)]},
    }
