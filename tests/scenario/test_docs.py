"""The page on scenarios: each example can be copied as it is."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from slocheck.scenario.compile.compiled import compile_scenario
from slocheck.scenario.loader import ROOT_KEYS
from slocheck.scenario.parse.feeders import FEEDER_KEYS
from slocheck.scenario.parse.steps import STEP_KEYS
from slocheck.scenario.schema import scenario_schema
from tests.builders.scenarios import parsed

PAGE = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
VALIDATOR = jsonschema.Draft202012Validator(scenario_schema())


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_each_example_is_a_scenario(example: str) -> None:
    """The loader takes it, the schema too, and each of its requests can be rendered."""
    scenario = parsed(example)
    assert VALIDATOR.is_valid(yaml.safe_load(example))
    ready = compile_scenario(scenario, authority="127.0.0.1:8000", base_path="")
    _, values = next(ready.iterations(seed=1, index=0, processes=1))
    for flow in ready.flows:
        for step in flow.steps:
            assert step.render(values).startswith(step.method.encode())


def test_the_page_has_examples() -> None:
    """Otherwise the test above would test nothing."""
    assert len(EXAMPLES) >= 6


def test_every_key_is_on_the_page() -> None:
    """The page names every key that the loader accepts."""
    keys = [key.name for key in (*ROOT_KEYS, *STEP_KEYS, *FEEDER_KEYS)]
    missing = [
        key for key in keys if f"`{key}`" not in PAGE and f"{{{key}: " not in PAGE and f"`{key}:" not in PAGE
    ]
    assert missing == []


def test_the_page_tells_the_messages_as_they_are() -> None:
    """The message that it quotes is the one of its example."""
    (example,) = (text for text in EXAMPLES if "'\"sku\":'" in text)
    ready = compile_scenario(parsed(example), authority="h", base_path="")
    _, values = next(ready.iterations(seed=1, index=0, processes=1))
    (step,) = ready.flows[0].steps
    assert step.check is not None
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    body = json.dumps({"id": "other", "prices": [{"currency": "EUR"}], "in stock": True, "sku": 1})
    found = step.check(200, head, body.encode(), values)
    assert found == "$.id is not '{product}'"
    assert f"`{found}`" in PAGE
