"""The scenarios' JSON Schema: valid itself, accepts what is good, refuses what the loader refuses."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from slocheck.scenario.loader import ROOT_KEYS
from slocheck.scenario.schema import scenario_schema
from tests.builders.scenarios import GOOD, Broken, messages_of, parsed
from tests.scenario.broken import BROKEN
from tests.spec.test_schema import objects

ROOT = Path(__file__).parents[2]
SCHEMA = scenario_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
REFUSED = {name: broken for name, broken in BROKEN.items() if broken.schema}

ACCEPTED = {
    "good": GOOD,
    "shipped": (ROOT / "scenarios" / "browse.yaml").read_text("utf-8"),
    "small": "flows: [{steps: [{get: /}]}]",
    "statuses": "flows: [{steps: [{get: /, expect: {status: [2xx, 404, 3xx]}}]}]",
    "numbers": "flows: [{weight: 0.5, steps: [{get: /, query: {a: 1, b: true}, headers: {X-A: 2}}]}]",
    "times": "think: 1h..1h\ntimeout: 1m30s\nflows: [{steps: [{get: /, think: 0.5s..1.5s, timeout: 10ms}]}]",
    "json": "flows: [{steps: [{put: /, json: [1, null, {a: [true, x]}], expect: {json: {$: null}}}]}]",
    "text": "flows:\n  - steps:\n      - patch: /\n        body: |\n          two\n          lines\n",
    "paths": "flows: [{steps: [{get: /, capture: {a: {json: \"$.a[0][-1]['b c']\"}}}]}]",
    "list": "feeders: {a: {list: [1, 1.5, true, null, x], order: random}}\nflows: [{steps: [{get: /}]}]",
    "uuid as text": 'feeders: {a: {uuid: "4"}}\nflows: [{steps: [{delete: /}]}]',
    "range in order": "feeders: {a: {range: {from: 0, to: 0}}}\nflows: [{steps: [{options: /}]}]",
}
REFUSED_BY_BOTH = {
    "empty": "{}",
    "no flow": "flows: []",
    "step is a text": "flows: [{steps: [get]}]",
    "cookies are a text": 'cookies: "true"\nflows: [{steps: [{get: /}]}]',
    "weight is a text": "flows: [{weight: heavy, steps: [{get: /}]}]",
    "null query": "flows: [{steps: [{get: /, query: {a: }}]}]",
    "list as header": "flows: [{steps: [{get: /, headers: {A: [b]}}]}]",
}


def test_the_schema_is_one() -> None:
    """It follows the draft it names."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in ACCEPTED.items()])
def test_good_scenarios_are_accepted_by_both(text: str) -> None:
    """An editor with this schema marks nothing that the loader accepts."""
    parsed(text)
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("broken", [pytest.param(broken, id=name) for name, broken in REFUSED.items()])
def test_broken_scenarios_are_refused(broken: Broken) -> None:
    """The same table that the loader refuses."""
    assert not VALIDATOR.is_valid(yaml.safe_load(broken.text))


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in REFUSED_BY_BOTH.items()])
def test_bad_scenarios_are_refused_by_both(text: str) -> None:
    """The loader and the schema agree on shapes that are wrong."""
    assert messages_of(text)
    assert not VALIDATOR.is_valid(yaml.safe_load(text))


def test_the_table_is_large_enough() -> None:
    """Thirty kinds of problems at least are refused on both sides."""
    assert len(REFUSED) >= 30


def test_every_key_is_described_and_no_other_allowed() -> None:
    """The schema comes from the loader's table of keys, with a text for each."""
    assert set(SCHEMA["properties"]) == {key.name for key in ROOT_KEYS}
    for path, part in objects(SCHEMA):
        assert part["additionalProperties"] is False, path
        for name, below in part["properties"].items():
            assert below["description"], f"{path}: {name}"
