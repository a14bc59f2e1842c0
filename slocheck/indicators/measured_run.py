"""A measured run: its two sides, each parsed once, and the sample that each gives for a limit."""

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from slocheck.evidence.model import Evidence
from slocheck.indicators.client import ClientSide, client_sample
from slocheck.indicators.lag import server_side
from slocheck.indicators.samples import NoData, Sample
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.endpoints import not_told_apart
from slocheck.indicators.server.latency import without_histogram
from slocheck.indicators.server.sample import instances_of, server_sample
from slocheck.indicators.server.server_side import ServerSide
from slocheck.spec.model import Endpoint, Limit, Objective, Spec


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """A run's evidence, ready to be sampled for every objective and limit.

    Attributes:
        evidence: As it was archived.
        client: The load generator's side.
        server: The metric source's side; None if it delivered nothing.
    """

    evidence: Evidence
    client: ClientSide
    server: ServerSide | None

    def client_sample(self, objective: Objective, limit: Limit, spec: Spec) -> Sample:
        """Return what the client saw of an objective in the window."""
        return client_sample(
            objective, limit, spec=spec, client=self.client, instances=lambda: self._instances(spec)
        )

    def server_sample(self, objective: Objective, limit: Limit, spec: Spec) -> Sample:
        """Return what the server's series say of an objective in the window."""
        if self.server is None:
            reason = self.evidence.server_error or "no metric source was configured for this run"
            return NoData(reason, source_failed=True)
        return server_side_sample(
            objective,
            limit,
            spec,
            server=self.server,
            client=self.client.counts(objective.endpoint),
            asked=[item.endpoint for item in self.evidence.recording.endpoints],
        )

    def _instances(self, spec: Spec) -> Fraction | NoData:
        """Return how many instances served the load: as the spec says, or as the server's series show."""
        if spec.target.instances is not None:
            return Fraction(spec.target.instances)
        if self.server is None:
            return NoData(
                "instances are counted by the metric source, which returned nothing", source_failed=True
            )
        return instances_of(spec, self.server)


def server_side_sample(
    objective: Objective,
    limit: Limit,
    spec: Spec,
    *,
    server: ServerSide,
    client: ClientCounts,
    asked: Collection[Endpoint],
) -> Sample:
    """Return what series say of an objective, or why they cannot.

    Args:
        objective: The objective.
        limit: The limit of one of its levels.
        spec: The spec that it is from.
        server: The series.
        client: What the client counted for the objective's endpoint.
        asked: The endpoints that the load asks for.
    """
    if missing := without_histogram(objective, server.preset):
        return missing
    if why := not_told_apart(objective, server.preset, asked):
        return NoData(why)
    return server_sample(objective, limit, spec=spec, server=server, client=client)


def measured(evidence: Evidence) -> MeasuredRun:
    """Parse both sides of a run, once."""
    client = ClientSide(evidence.recording)
    if evidence.server is None:
        return MeasuredRun(evidence, client, None)
    return MeasuredRun(evidence, client, server_side(evidence.server, client.counts(None)))
