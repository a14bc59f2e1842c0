"""A scenario in the spec itself, in place of a file."""

import jsonschema
import pytest

from slocheck.cli.actions.schema import SCHEMAS
from slocheck.scenario.loader import parse_scenario
from slocheck.spec.loader import parse_spec
from tests.builders.good_spec import problems_of

SPEC = """\
service: shop
target: {url: "http://127.0.0.1:8000"}
workload: {rate: 5/s, duration: 10s}
scenario:
  flows:
    - steps: [{get: /, expect: {status: 200}}]
tiers: [gold]
objectives: {latency_p95: {gold: "< 200ms"}}
gate: gold
"""


def scenario(text: str) -> tuple[str, str]:
    """Return the first step's path and the digest of the scenario in a document."""
    found = parse_scenario(text.encode(), "slo.yaml", environment={}, read=lambda _name, _most: b"")
    return found.flows[0].steps[0].name, found.sha256


def test_the_block_is_the_scenario() -> None:
    """The workload names the spec's own file, whose block is read like a file of its own."""
    assert parse_spec(SPEC.encode(), "folder/slo.yaml").workload.scenario == "slo.yaml"
    assert scenario(SPEC)[0] == "/"


def test_the_rest_of_the_spec_does_not_make_another_scenario_of_it() -> None:
    """Runs with other limits stay comparable; another path, or another order, is another scenario."""
    same, other = SPEC.replace("200ms", "100ms"), SPEC.replace("get: /", "get: /x")
    assert scenario(same) == scenario(SPEC)
    assert scenario(other)[1] != scenario(SPEC)[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            SPEC.replace("{rate", "{scenario: a.yaml, rate"),
            "5:3 scenario: cannot be combined with workload.scenario; keep one of the two",
            id="both",
        ),
        pytest.param(
            SPEC.replace("scenario:", "cache: {headers: [x-cache]}\nfailures:").replace(
                "  flows:\n    - steps: [{get: /, expect: {status: 200}}]", "  {statuses: [5xx]}"
            ),
            "3:11 workload: has no key 'scenario'; write scenario: FILE, "
            "or a scenario block at the top of this file",
            id="none",
        ),
        pytest.param(
            SPEC.replace("  flows:\n    - steps: [{get: /, expect: {status: 200}}]", "  a.yaml"),
            "5:3 scenario: is not a mapping; write flows with steps below it, "
            "or name a file in workload.scenario",
            id="a file's name",
        ),
    ],
)
def test_one_scenario_is_needed(text: str, said: str) -> None:
    """In a file or in a block; the message says what to write."""
    assert problems_of(text) == [said]


def test_the_schema_of_specs_has_that_of_scenarios() -> None:
    """An editor completes the block as it completes a file."""
    schema = SCHEMAS["spec"]()
    block = schema["properties"]["scenario"]
    assert block["properties"].keys() == SCHEMAS["scenario"]()["properties"].keys()
    jsonschema.Draft202012Validator.check_schema(schema)
