"""The shipped scenarios against one reference API: a real run sends each of their steps, and none fails."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from slocheck.reference_api.server import ReferenceApi
from slocheck.reference_api.settings import Settings
from slocheck.scenario.loader import load_scenario
from tests.e2e.support.cli import only_run, slocheck

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "scenarios").glob("*.yaml"))
SPEC = """\
service: shop
target: {{url: "{url}"}}
workload: {{scenario: all.yaml, rate: 60/s, max_users: 180, warmup: 0s, duration: 3s}}
tiers: [any]
objectives: {{error_rate: {{any: "< 50%"}}}}
gate: any
confidence: none
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of an API that has as many items as the largest scenario asks for."""
    with ReferenceApi(settings=Settings(items=20_000)) as api:
        yield api.url


def with_own_names(path: Path) -> dict[str, Any]:
    """Read a scenario and put its name before those of its feeders, captures and flows."""
    text = path.read_text()
    read = yaml.safe_load(text)
    names = {*read.get("feeders", ()), *re.findall(r"(?:capture: \{|, )(\w+): \{(?:json|header): ", text)}
    mine = path.stem.replace("-", "_")
    for name in names:
        text = re.sub(rf"\{{{name}\}}", f"{{{mine}_{name}}}", text)
        text = re.sub(rf"(?<=[ {{]){name}: \{{(?!\")", f"{mine}_{name}: {{", text)
    return yaml.safe_load(text)  # type: ignore[no-any-return]  # a mapping


def own_name(path: Path, step: dict[str, Any]) -> str:
    """Return a name for a step's endpoint that no other scenario has."""
    method, target = next(iter(step.items()))
    shown = step.get("name") or f"{method.upper()} {target.partition('?')[0]}"
    return f"{shown} of {path.stem}"


def merged() -> dict[str, Any]:
    """Return all scenarios as one, in which each flow is as frequent as the others and nobody pauses."""
    found = [with_own_names(path) for path in FILES]
    defaults = {"timeout": "30s", "cookies": True}
    feeders = {name: value for one in found for name, value in one.get("feeders", {}).items()}
    flows = []
    for path, one in zip(FILES, found, strict=True):
        for number, flow in enumerate(one["flows"]):
            steps = [
                {
                    **step,
                    "name": own_name(path, step),
                    "headers": {**one.get("headers", {}), **step.get("headers", {})},
                }
                for step in flow["steps"]
            ]
            flows.append({"name": f"{path.stem} {number}", "steps": steps})
    return {**defaults, "feeders": feeders, "flows": flows}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_says_what_it_asks_of_the_target(path: Path) -> None:
    """Its header says so, and the file itself is valid."""
    header = re.match(r"(#.*\n)+", path.read_text())
    assert header is not None
    assert "# What it asks of the target: " in header[0]
    assert load_scenario(path, {}).flows


def test_every_step_of_every_scenario_is_right(url: str, tmp_path: Path) -> None:
    """All responses are as expected, captures and repeated orders included.

    Each step of each file is sent, and counted apart from the same request of another file.
    """
    everything = merged()
    (tmp_path / "all.yaml").write_text(yaml.safe_dump(everything, sort_keys=False))
    (tmp_path / "slo.yaml").write_text(SPEC.format(url=url))
    done = slocheck("run", "--seed", "3", cwd=tmp_path)
    result = json.loads((only_run(tmp_path) / "result.json").read_text())
    assert result["errors"] == [], done.stdout
    sent = {row["endpoint"] for row in result["endpoints"]}
    named = {step["name"] for flow in everything["flows"] for step in flow["steps"]}
    assert len(named) >= len(FILES)
    assert named == sent
