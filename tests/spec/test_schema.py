"""The JSON Schema: valid itself, accepts what ships, refuses what the loader refuses, and has every key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from slocheck.spec.loader import root_keys
from slocheck.spec.schema import json_schema
from tests.builders.good_spec import GOOD, Broken
from tests.spec.broken.objectives import OBJECTIVES
from tests.spec.broken.sources import SOURCES
from tests.spec.broken.values import SHAPES, VALUES, WORKLOADS

ROOT = Path(__file__).parents[2]
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
REFUSED = {
    name: broken
    for name, broken in (SHAPES | VALUES | WORKLOADS | OBJECTIVES | SOURCES).items()
    if broken.schema
}


def test_the_schema_is_one() -> None:
    """It follows the draft it names."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", [GOOD, (ROOT / "slo.yaml").read_text("utf-8")], ids=["good", "shipped"])
def test_good_specs_are_accepted(text: str) -> None:
    """An editor with this schema marks nothing in them."""
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("broken", [pytest.param(broken, id=name) for name, broken in REFUSED.items()])
def test_broken_specs_are_refused(broken: Broken) -> None:
    """The same table that the loader refuses."""
    assert not VALIDATOR.is_valid(yaml.safe_load(broken.text))


def test_the_table_is_large_enough() -> None:
    """Thirty kinds of problems at least are refused on both sides."""
    assert len(REFUSED) >= 30


def objects(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every part of a schema that lists properties."""
    if isinstance(schema, dict):
        if "properties" in schema and isinstance(schema["properties"], dict):
            yield path, schema
        for name, below in schema.items():
            yield from objects(below, f"{path}/{name}")
    elif isinstance(schema, list):
        for number, below in enumerate(schema):
            yield from objects(below, f"{path}/{number}")


def test_every_key_is_described_and_no_other_allowed() -> None:
    """The schema comes from the loader's table of keys, with a text for each."""
    assert set(SCHEMA["properties"]) == {key.name for key in root_keys()}
    for path, part in objects(SCHEMA):
        assert "additionalProperties" in part, path
        for name, below in part["properties"].items():
            assert below.get("description") or "pattern" in below, f"{path}: {name}"
