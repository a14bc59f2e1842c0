"""The scenario that a spec names: its place, its content, and objectives for which it sends nothing."""

import ast
import difflib
import os
from collections.abc import Iterator
from pathlib import Path

from slocheck.documents.nearby import meant
from slocheck.errors import Problem, SpecError, UsageError, reason_of
from slocheck.named_files import asked
from slocheck.scenario.loader import SUFFIXES, load_scenario
from slocheck.scenario.model import Scenario
from slocheck.spec.model import Endpoint, SourceChoice, Spec


def scenario_path(spec: Spec) -> Path:
    """Return the scenario's absolute path: it is written relative to the spec's folder."""
    return (Path(spec.path).parent / spec.workload.scenario).resolve()


def scenario_of(spec: Spec) -> Scenario | None:
    """Return the declarative scenario that a spec names; None if it names a Locust file.

    Raises:
        UsageError: It cannot be run, or never sends requests to an endpoint of an objective; says where.
    """
    path = scenario_path(spec)
    if not asked(path.is_file):
        named = spec.workload.scenario
        remedy = meant(path, named) or "name a file relative to the spec's folder"
        raise UsageError(f"{_place(spec)}: {named} does not exist; {remedy}")
    if path.suffix not in SUFFIXES:
        return None
    if spec.workload.options:
        raise UsageError(
            f"{_place(spec)}: {spec.workload.scenario} is a declarative scenario, which has no options "
            f"({spec.workload.options[0]}); leave them out, or name a Locust file"
        )
    scenario = load_scenario(path, os.environ)
    if problems := [problem for problem, fatal in _never_sent(spec, scenario) if fatal]:
        raise SpecError(problems)
    return scenario


def check_scenario(spec: Spec) -> list[str]:
    """Check the scenario that a spec names without running it; returns warnings.

    Raises:
        UsageError: A run would refuse it.
    """
    scenario = scenario_of(spec)
    if scenario is None:
        _check_syntax(scenario_path(spec))
        return []
    return [str(problem) for problem, _ in _never_sent(spec, scenario)]


def _check_syntax(path: Path) -> None:
    """Raise UsageError for a Locust file that is not Python; nothing of it is run."""
    try:
        ast.parse(path.read_bytes(), str(path))
    except SyntaxError as error:
        place = f"{path}:{error.lineno or 1}:{error.offset or 1}"
        raise UsageError(f"{place}: {error.msg}; a scenario in Python is a Locust file") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {reason_of(error)}; name a Locust file") from error


def _place(spec: Spec) -> str:
    return f"{spec.path}:{spec.workload.position} workload.scenario"


def _never_sent(spec: Spec, scenario: Scenario) -> Iterator[tuple[Problem, bool]]:
    """Yield the objectives on endpoints that no step is named after, and whether they rule out a run.

    The client would have no data for them. An objective on the server's numbers only may be about an endpoint
    that gets its requests from elsewhere.
    """
    sent = {str(Endpoint(step.method, step.name)) for flow in scenario.flows for step in flow.steps}
    for objective in spec.objectives:
        if objective.endpoint is None or str(objective.endpoint) in sent:
            continue
        close = difflib.get_close_matches(str(objective.endpoint), sent, n=1)
        instead = f"did you mean {close[0]!r}?" if close else f"write one of {', '.join(sorted(sent)[:10])}"
        problem = Problem(
            path=spec.path,
            line=objective.position.line,
            column=objective.position.column,
            where=f"objectives.{objective.name}.endpoint",
            what=f"no step of {scenario.path} is {str(objective.endpoint)!r}; {instead}",
        )
        yield problem, objective.source is not SourceChoice.PROMETHEUS
