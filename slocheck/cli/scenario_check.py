"""What ``slocheck validate`` says of the scenario that a spec names."""

import difflib
import os
from pathlib import Path

from slocheck.scenario.loader import SUFFIXES, load_scenario
from slocheck.scenario.model import Scenario
from slocheck.spec.model import Endpoint, Spec


def check_scenario(spec: Spec, path: Path) -> list[str]:
    """Check the scenario where it is a declarative one.

    Args:
        spec: The spec that names it.
        path: The scenario, relative to the working folder.

    Returns:
        Warnings.

    Raises:
        SpecError: It is no valid scenario.
    """
    if not path.is_file():
        place = f"{spec.path}:{spec.workload.position} workload.scenario"
        return [f"{place}: {path} does not exist; `slocheck run` will need it"]
    if path.suffix not in SUFFIXES:
        return []
    scenario = load_scenario(path, os.environ)
    return _never_sent(spec, scenario)


def _never_sent(spec: Spec, scenario: Scenario) -> list[str]:
    """Warn of objectives on endpoints that no step is named after: they would have no data."""
    sent = {str(Endpoint(step.method, step.name)) for flow in scenario.flows for step in flow.steps}
    warnings = []
    for objective in spec.objectives:
        if objective.endpoint is None or str(objective.endpoint) in sent:
            continue
        close = difflib.get_close_matches(str(objective.endpoint), sent, n=1)
        instead = f"did you mean {close[0]!r}?" if close else f"write one of {', '.join(sorted(sent)[:10])}"
        place = f"{spec.path}:{objective.position} objectives.{objective.name}.endpoint"
        warnings.append(f"{place}: no step of {scenario.path} is {str(objective.endpoint)!r}; {instead}")
    return warnings
