"""Puts a run's evidence together, during the run and after it; nothing else does."""

from dataclasses import dataclass

from slocheck.evidence.model import SCHEMA_VERSION, Ending, Evidence, LoadHealth, LoadResult, Provenance, Tick
from slocheck.evidence.series import LateCollection, ServerSeries
from slocheck.pipeline.provenance import of_load
from slocheck.spec.model import Overrides, Spec


@dataclass(frozen=True, slots=True)
class Collected:
    """The outcome of asking the metric source.

    Attributes:
        series: What it delivered; None if it delivered nothing.
        error: Why it delivered nothing; empty if it did, or if none is configured.
        late: How to ask it again, if it delivered nothing, or not everything.
    """

    series: ServerSeries | None = None
    error: str = ""
    late: LateCollection | None = None


@dataclass(frozen=True, slots=True)
class EvidenceBuilder:
    """Turns a run's measurements into evidence.

    Attributes:
        spec: With its overrides applied.
        overrides: The overrides.
        origin: The run's provenance, as known before the load.
    """

    spec: Spec
    overrides: Overrides
    origin: Provenance

    def so_far(self, tick: Tick) -> Evidence:
        """Return the evidence of a run in progress as if it ended here, with the client side only."""
        users = self.spec.workload.users
        return Evidence(
            schema_version=SCHEMA_VERSION,
            provenance=self.origin,
            overrides=self.overrides,
            planned_window_s=float(tick.recording.window_s),
            ending=Ending.COMPLETE,
            signal="",
            recording=tick.recording,
            health=LoadHealth(planned_users=users, users=tick.users, workers=()),
            failures=self.spec.failures,
            server_error="not collected yet",
        )

    def complete(self, load: LoadResult, server: Collected, *, run_id: str, interrupted_by: str) -> Evidence:
        """Return the evidence of a run whose load is over.

        Args:
            load: What the engine recorded.
            server: What the metric source delivered.
            run_id: Name of the run's folder.
            interrupted_by: Name of the signal that ended the run; empty if none did.
        """
        return Evidence(
            schema_version=SCHEMA_VERSION,
            provenance=of_load(self.origin, load, run_id=run_id),
            overrides=self.overrides,
            planned_window_s=self.spec.workload.duration,
            ending=Ending.INTERRUPTED if interrupted_by else load.ending,
            signal=interrupted_by,
            recording=load.recording,
            health=load.health,
            failures=self.spec.failures,
            server=server.series,
            server_error=server.error,
            generator_error=load.error,
            late=server.late,
        )
