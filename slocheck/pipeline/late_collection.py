"""Collects the server side of an archived run again, as a metric source that was down may respond by now."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from slocheck.errors import SaveError, SourceError, UsageError
from slocheck.evidence.model import Evidence, LoadResult
from slocheck.evidence.series import LateCollection, ServerSeries, SourcePreflight
from slocheck.evidence.warnings import RunWarning
from slocheck.indicators.server.client_counts import client_counts
from slocheck.masking import errors_masked, mask, masked, secrets_of
from slocheck.named_files import write_atomically
from slocheck.pipeline.archive import replace_evidence, shown_path
from slocheck.pipeline.earlier.remembered import Remembered
from slocheck.pipeline.interrupts import Interrupts
from slocheck.pipeline.metric_mapping import Settled, as_collected, ask_by, look_again
from slocheck.pipeline.ports import LateSource, MetricSource, Reporter, SourceFactory
from slocheck.pipeline.provenance import utc
from slocheck.pipeline.regrade import ArchivedRun, graded
from slocheck.pipeline.scenario_file import scenario_of
from slocheck.spec.model import Spec

COLLECTED_LATER = "collected-later"
"""Code of the warning that says when the server side was collected, and why not after the load."""


def late_collection(load: LoadResult, source: MetricSource, settled: Settled) -> LateCollection | None:
    """Return how to ask a source again about a run whose load is over; None if it keeps no history."""
    state = source.state() if isinstance(source, LateSource) else None
    if state is None:
        return None
    return LateCollection(
        state,
        load.load_start,
        load.window_start,
        load.end,
        mapping=settled.mapping,
        said=settled.said,
        not_a_histogram=settled.not_a_histogram,
        is_open=settled.is_open,
    )


_ADVICE = re.compile(r"; (once it responds, )?`slocheck grade .*")
"""What these functions put behind a sentence."""


def how_to_collect(run: Path) -> str:
    """Return the end of a sentence about a failed source: how to complete the run."""
    return f"; once it responds, `slocheck grade {shown_path(run)} --collect` completes the run"


def how_to_ask_again(run: Path) -> str:
    """End a sentence on what a source did not deliver with what may complete the run."""
    return f"; `slocheck grade {shown_path(run)} --collect` asks again"


@dataclass(slots=True)
class LateCollector:
    """Completes archived runs, and saves what it finds in their folders.

    Attributes:
        sources: Makes the source that a run's spec configures.
        reporters: Their reports are written again.
        environment: What ``${NAME}`` in the spec expands from.
        interrupts: The process's signal handlers, entered.
        tell: Called with the outcome, one line for each run.
        save_error: What could not be saved.
    """

    sources: SourceFactory
    reporters: Sequence[Reporter]
    environment: Mapping[str, str]
    interrupts: Interrupts
    tell: Callable[[str], object]
    save_error: SaveError | None = field(default=None, init=False)

    def complete(self, run: ArchivedRun) -> ArchivedRun:
        """Return a run with the server side that the source has now.

        A complete server side is left as it is. If the source does not respond, or has no more than before,
        the run stays as it was.

        Raises:
            UsageError: The run has no source that can be asked later, or may not be asked.
        """
        before, name = run.evidence, run.folder.name
        if before.server is not None and not before.server.incomplete:
            self.tell(f"{name}: the server side is complete; the metric source was not queried")
            return run
        spec = run.spec(self.environment)
        late = _askable(run, spec)
        secrets = _secrets(spec)
        try:
            with errors_masked(secrets):
                series = self._collected(run, spec, late)
        except SourceError as error:
            self.tell(f"{name}: the server side could not be collected: {error}")
            return run
        if series.incomplete and before.server is not None:
            why = mask("; ".join(series.incomplete), secrets)
            self.tell(f"{name}: the server side is still incomplete: {why}")
            return run
        found = replace(before, server=_told(series, before), server_error="")
        found = masked(replace(found, late=late if series.incomplete else None), secrets)
        with self.interrupts.shielded():
            self._save(run.folder, found, spec, secrets)
        self.tell(f"{name}: the server side was collected")
        return replace(run, evidence=found)

    def _collected(self, run: ArchivedRun, spec: Spec, late: LateCollection) -> ServerSeries:
        """Ask the source with the archived settings; raises SourceError."""
        source = self.sources(spec)
        assert source is not None  # the run's evidence says how to ask it
        try:
            return _asked(source, run.evidence, spec, late)
        finally:
            source.close()

    def _save(self, folder: Path, evidence: Evidence, spec: Spec, secrets: Sequence[str]) -> None:
        """Save the evidence, then its reports."""
        try:
            replace_evidence(folder, evidence)
            report = graded(spec, [evidence], [folder], secrets=secrets, since=Remembered(folder))
            for reporter in self.reporters:
                text = reporter.render(report)
                write_atomically(folder / reporter.file_name, text.encode("utf-8", "backslashreplace"))
        except SaveError as error:
            self.save_error = self.save_error or error


def _asked(source: MetricSource, evidence: Evidence, spec: Spec, late: LateCollection) -> ServerSeries:
    """Return what a source has about a past run; raises SourceError."""
    assert isinstance(source, LateSource)
    source.check()
    source.resume(late.state)
    found = SourcePreflight(late.state.scrape_interval, late.state.clock_skew, targets=0)
    settled = Settled(late.mapping, late.said, found, late.not_a_histogram, late.is_open)
    ask_by(spec, source, settled)
    settled = look_again(spec, source, settled)
    series = source.collect(
        load_start=late.load_start,
        window_start=late.window_start,
        end=late.end,
        sent=client_counts(evidence.recording, None).sent,
    )
    return as_collected(spec, series, settled)


def _askable(run: ArchivedRun, spec: Spec) -> LateCollection:
    """Return how to ask a run's source again; raises UsageError if that is impossible."""
    late = run.evidence.late
    if late is not None:
        return late
    source = spec.metric_source
    if source is None:
        why = "its spec has no metric source"
    else:
        why = f"what `{source.kind}` showed during the load was not kept, so it cannot be collected later"
    raise UsageError(f"{run.folder}: --collect: {why}; grade it as it is, or run again")


def _told(series: ServerSeries, before: Evidence) -> ServerSeries:
    """Return the series with the warning that says when they were collected."""
    reasons = before.server.incomplete if before.server is not None else (before.server_error,)
    why = "; ".join(_ADVICE.sub("", reason) for reason in reasons)
    text = f"the server side was collected at {utc(time.time())}, not after the load: {why}"
    return replace(series, warnings=(*series.warnings, RunWarning(COLLECTED_LATER, text)))


def _secrets(spec: Spec) -> tuple[str, ...]:
    """Return the secrets to mask in what is saved, with those of the scenario if it still exists."""
    found = secrets_of(spec)
    with suppress(UsageError):
        scenario = scenario_of(spec)
        found += scenario.secrets if scenario is not None else ()
    return found
