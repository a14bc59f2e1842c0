"""The scenario that a spec names: where it is, what it holds, and which objectives it leaves without data."""

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

from slocheck.errors import UsageError
from slocheck.scenario.loader import SUFFIXES, load_scenario
from slocheck.scenario.model import Scenario
from slocheck.spec.model import Endpoint, Spec


def scenario_path(spec: Spec) -> Path:
    """Return the scenario's absolute path: it is written relative to the spec's folder."""
    return (Path(spec.path).parent / spec.workload.scenario).resolve()


def scenario_of(spec: Spec) -> Scenario | None:
    """Return the declarative scenario that a spec names; None if it names a Locust file.

    Raises:
        UsageError: It cannot be run; says where and why.
    """
    path = scenario_path(spec)
    if path.suffix not in SUFFIXES:
        return None
    if not path.is_file():
        raise UsageError(
            f"{_place(spec)}: {spec.workload.scenario} does not exist; "
            "name a file relative to the spec's folder"
        )
    return load_scenario(path, os.environ)


def scenario_warnings(spec: Spec) -> list[str]:
    """Return what is odd about the scenario that a spec names.

    Raises:
        SpecError: It is a declarative scenario with errors.
    """
    path = Path(spec.path).parent / spec.workload.scenario
    if not path.is_file():
        return [f"{_place(spec)}: {path} does not exist; `slocheck run` will need it"]
    if path.suffix not in SUFFIXES:
        return []
    return list(_never_sent(spec, load_scenario(path, os.environ)))


def _place(spec: Spec) -> str:
    return f"{spec.path}:{spec.workload.position} workload.scenario"


def _never_sent(spec: Spec, scenario: Scenario) -> Iterator[str]:
    """Warn of objectives on endpoints that no step is named after: they would have no data."""
    sent = {str(Endpoint(step.method, step.name)) for flow in scenario.flows for step in flow.steps}
    for objective in spec.objectives:
        if objective.endpoint is None or str(objective.endpoint) in sent:
            continue
        close = difflib.get_close_matches(str(objective.endpoint), sent, n=1)
        instead = f"did you mean {close[0]!r}?" if close else f"write one of {', '.join(sorted(sent)[:10])}"
        place = f"{spec.path}:{objective.position} objectives.{objective.name}.endpoint"
        yield f"{place}: no step of {scenario.path} is {str(objective.endpoint)!r}; {instead}"
