"""The shipped scenario does the same as the Locust file next to it."""

import ast
from pathlib import Path

from slocheck.scenario.compile.compiled import compile_scenario
from slocheck.scenario.loader import load_scenario
from slocheck.scenario.model import Scenario, ZipfFeeder
from slocheck.spec.loader import load_spec
from slocheck.spec.model import Endpoint

ROOT = Path(__file__).parents[2]


def shipped() -> Scenario:
    """Load scenarios/browse.yaml without any environment."""
    return load_scenario(ROOT / "scenarios" / "browse.yaml", {})


def locust_tasks() -> dict[str, float]:
    """Read the endpoints of scenarios/browse.py and their weights from its source."""
    tasks = {}
    for node in ast.walk(ast.parse((ROOT / "scenarios" / "browse.py").read_text("utf-8"))):
        if not isinstance(node, ast.FunctionDef) or not node.decorator_list:
            continue
        (decorator,) = node.decorator_list
        assert isinstance(decorator, ast.Call)
        (weight,) = map(ast.literal_eval, decorator.args)
        (call,) = (
            inner
            for inner in ast.walk(node)
            if isinstance(inner, ast.Call) and ast.unparse(inner.func).startswith("self.client.")
        )
        names = [ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg == "name"]
        method = ast.unparse(call.func).removeprefix("self.client.").upper()
        tasks[f"{method} {names[0] if names else ast.literal_eval(call.args[0])}"] = float(weight)
    return tasks


def test_endpoints_and_weights_are_those_of_the_locust_file() -> None:
    """The weights are 2 : 7 : 1, under the same names."""
    flows = shipped().flows
    assert all(len(flow.steps) == 1 for flow in flows)
    assert {
        str(Endpoint(flow.steps[0].method, flow.steps[0].name)): flow.weight for flow in flows
    } == locust_tasks()


def test_items_are_as_popular_as_in_the_locust_file() -> None:
    """The cache sees the same skew."""
    source = (ROOT / "scenarios" / "browse.py").read_text("utf-8")
    item = shipped().feeders["item"]
    assert isinstance(item, ZipfFeeder)
    assert (item.first, item.last, item.exponent) == (1, 2000, 1.5)
    assert "ITEMS = 2_000\n" in source
    assert "SKEW = 1.5\n" in source


def test_times_are_those_of_the_locust_file() -> None:
    """Both wait 80 to 120 ms and give up after 10 s."""
    source = (ROOT / "scenarios" / "browse.py").read_text("utf-8")
    assert "wait_time = between(0.08, 0.12)" in source
    assert "network_timeout = 10.0" in source
    compiled = compile_scenario(shipped(), authority="h", base_path="")
    assert {(step.think, step.timeout_s) for flow in compiled.flows for step in flow.steps} == {
        ((0.08, 0.12), 10.0)
    }


def test_the_endpoints_of_the_shipped_spec_are_sent() -> None:
    """An objective on an endpoint has data under either scenario."""
    sent = {str(Endpoint(step.method, step.name)) for flow in shipped().flows for step in flow.steps}
    wanted = {
        str(objective.endpoint) for objective in load_spec(ROOT / "slo.yaml").objectives if objective.endpoint
    }
    assert wanted <= sent
