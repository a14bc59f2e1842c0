"""What a run is compared with: the earlier ones next to it, or what the user named."""

import hashlib
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from slocheck import __version__
from slocheck.comparison.compare import DEFAULT_MARGIN, MOST_RUNS, NOT_VALID, comparable, compare
from slocheck.comparison.conditions import differences, workload_sha256, workload_text
from slocheck.comparison.model import Comparison, Conditions, RunRecord
from slocheck.documents.words import quantity
from slocheck.errors import UsageError
from slocheck.masking import masked, secrets_of, strip_url
from slocheck.pipeline.archive import LATEST, Archive
from slocheck.pipeline.earlier.reading import MOST_READ, newest_first, read_runs, run_folder
from slocheck.pipeline.scenario_file import scenario_path
from slocheck.scenario.model import Scenario
from slocheck.spec.model import Spec
from slocheck.statistics.shift import MIN_RUNS


@dataclass(frozen=True, slots=True)
class Since:
    """The result of a search for earlier runs.

    Attributes:
        comparison: None if nothing was compared.
        warning: Why less was compared than was asked for; empty if nothing is missing.
    """

    comparison: Comparison | None = None
    warning: str = ""


SinceRuns = Callable[[RunRecord], Since]
"""Compares a run with earlier ones."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The earlier runs next to a run, for information only: they do not change its verdict."""

    archive: Archive

    def __call__(self, record: RunRecord) -> Since:
        """Compare a valid run with earlier ones made in the same way."""
        if not record.valid:
            return Since()
        try:
            kept, _ = comparable(record, _before(record, self.archive))
        except UsageError:  # what cannot be read costs a line of information, not the verdict
            return Since()
        return Since(replace(compare([record], kept), gates=False) if kept else None)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What ``--baseline`` names.

    Attributes:
        name: ``latest``, a run, or a folder of runs.
        archive: Where runs are kept.
        margin: How much worse an objective may get, 0.1 for 10 %.
    """

    name: str
    archive: Archive
    margin: float = DEFAULT_MARGIN

    def check(self, planned: Conditions) -> None:
        """Check before the load that there is something to compare with; raises UsageError.

        ``latest``, and the folder where runs are kept, may be empty: the first run of all has no baseline.
        """
        if self.name == LATEST or self._is_own_folder():
            return
        found = read_runs(self.name, self.archive)
        if run_folder(self.name, self.archive) is None:
            return
        if not found[0].valid:
            raise UsageError(f"--baseline {self.name}: {NOT_VALID}")
        if text := "; ".join(differences(planned, found[0].conditions)):
            raise UsageError(f"--baseline {self.name}: that run was made differently from this one: {text}")

    def __call__(self, record: RunRecord) -> Since:
        """Compare a run, and fail it if a change for the worse is proven."""
        if not record.valid:
            return Since(warning=f"--baseline {self.name}: nothing was compared, as this run is not valid")
        try:
            kept, left_out = comparable(record, self._candidates(record))
        except UsageError as error:  # it was there before the load
            return Since(warning=f"--baseline {self.name}: nothing was compared: {error}")
        if self.name == LATEST:
            kept = kept[-1:]
        if not kept:
            why = list(left_out.values())[-1] if left_out else "there is no earlier run"
            return Since(warning=f"--baseline {self.name}: nothing was compared: {why}")
        found = compare([record], kept, self.margin, left_out=left_out)
        return Since(found, "" if found.gates or self._is_one() else _why_no_proof(found))

    def _is_one(self) -> bool:
        """Tell whether a single run was asked for, so that no more can be expected."""
        return self.name == LATEST or run_folder(self.name, self.archive) is not None

    def _candidates(self, record: RunRecord) -> Sequence[RunRecord]:
        if self.name == LATEST or self._is_own_folder():
            return _before(record, self.archive)
        return read_runs(self.name, self.archive)

    def _is_own_folder(self) -> bool:
        return os.path.realpath(self.name) == os.path.realpath(self.archive.root)


def _before(record: RunRecord, archive: Archive) -> list[RunRecord]:
    """Return the runs before a run that were valid and made as it was, oldest first; bounded in number."""
    found: list[RunRecord] = []
    for run in islice(newest_first(archive), MOST_READ):
        if not isinstance(run, RunRecord) or run.run_id >= record.run_id:
            continue
        found.append(run)
        if len(comparable(record, found)[0]) >= MOST_RUNS:
            break
    return found[::-1]


def _why_no_proof(found: Comparison) -> str:
    if len(found.old) < MIN_RUNS:
        runs = quantity(len(found.old), "earlier run")
        return f"{runs} to compare with; it takes {MIN_RUNS} to prove a change"
    return next((change.reason for change in found.changes if change.reason), "nothing could be tested")


def planned_conditions(spec: Spec, scenario: Scenario | None) -> Conditions:
    """Return the conditions of a planned run; raises OSError if the scenario is gone."""
    secrets = (*secrets_of(spec), *(scenario.secrets if scenario else ()))
    shown = masked(spec, secrets)
    content = scenario.sha256 if scenario else hashlib.sha256(scenario_path(spec).read_bytes()).hexdigest()
    return Conditions(
        service=shown.service,
        target=masked(strip_url(spec.target.url), secrets),
        scenario_sha256=content,
        workload=workload_text(shown.workload),
        workload_sha256=workload_sha256(shown),
        spec_sha256=hashlib.sha256(spec.text.encode()).hexdigest(),
        host=platform.node(),
        cores=os.cpu_count() or 0,
        window_s=spec.workload.duration,
        slocheck=__version__,
    )
