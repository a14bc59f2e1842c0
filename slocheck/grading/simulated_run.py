"""What stays undecided whatever a run's length: a simulated run on the existing series, graded."""

from collections.abc import Collection
from dataclasses import replace

from slocheck.grading.assessment import LevelResult, Verdict
from slocheck.grading.sides import grade_objective
from slocheck.grading.verdict import NO_DATA
from slocheck.indicators.measured_run import server_side_sample
from slocheck.indicators.samples import NoData, Sample
from slocheck.indicators.server.endpoints import not_told_apart
from slocheck.indicators.server.server_side import ServerSide
from slocheck.indicators.simulated_series import NOBODY
from slocheck.spec.model import Endpoint, Limit, Objective, SourceChoice, Spec
from slocheck.statistics.confidence import criterion_for


class SimulatedRun:
    """A run of a metric source alone, in which every series grows by good requests.

    Args:
        server: The series, as `simulated_series` makes them.
        endpoints: Of the scenario.
    """

    def __init__(self, server: ServerSide, endpoints: Collection[Endpoint]) -> None:
        self._server = server
        self._endpoints = endpoints

    def client_sample(self, _objective: Objective, _limit: Limit, _spec: Spec) -> Sample:
        """Return no data: there is no client."""
        return NoData("nothing was sent")

    def server_sample(self, objective: Objective, limit: Limit, spec: Spec) -> Sample:
        """Return what the series say of an objective."""
        return server_side_sample(
            objective, limit, spec, server=self._server, client=NOBODY, asked=self._endpoints
        )

    def tells_apart(self, objective: Objective) -> bool:
        """Tell whether the requests of an objective's endpoint have series of their own."""
        return not not_told_apart(objective, self._server.preset, self._endpoints)

    def undecided(self, objective: Objective, spec: Spec) -> dict[str, str]:
        """Return the levels that a run leaves undecided whatever its length, with the reason for each."""
        criterion = None
        if spec.confidence is not None:
            criterion = criterion_for(spec.confidence.level, (float(spec.workload.duration),))
        alone = replace(objective, source=SourceChoice.PROMETHEUS)
        levels = grade_objective(alone, spec, [self], criterion).levels
        return {level.level: _reason(level) for level in levels if _stays_open(level)}


def _stays_open(level: LevelResult) -> bool:
    """Tell whether a level is undecided for another reason than too few requests or slices."""
    return level.verdict is Verdict.UNDECIDED and level.sides[0].cause is None


def _reason(level: LevelResult) -> str:
    return level.reason.removeprefix(NO_DATA)
