"""A scenario as JSON Schema, derived from the same tables of keys that the loader reads by.

The loader refuses everything that the schema refuses, and more: placeholders without a value, missing
files, duplicate keys.
"""

from typing import Any

from slocheck.documents.reader import object_schema
from slocheck.scenario.loader import ROOT_KEYS
from slocheck.spec.schema import DIALECT


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of scenarios, for editors and other tools."""
    return {
        "$schema": DIALECT,
        "title": "slocheck scenario (scenarios/*.yaml)",
        "description": "Flows of requests with feeders, expectations and captures.",
        **object_schema(ROOT_KEYS),
    }
