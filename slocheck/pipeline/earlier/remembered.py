"""What an archived run was compared with, so that it is graded and reported again as it was."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from slocheck.comparison.compare import comparable, compare
from slocheck.comparison.model import RunRecord
from slocheck.errors import UsageError
from slocheck.evidence.warnings import NOT_COMPARED
from slocheck.pipeline.archive import Archive
from slocheck.pipeline.earlier.baseline import Earlier, Since
from slocheck.pipeline.earlier.reading import read_document, read_record


@dataclass(frozen=True, slots=True)
class Remembered:
    """The comparison in a run's result, made again; without a result, with the runs next to it.

    Attributes:
        folder: Of the run.
    """

    folder: Path

    def __call__(self, record: RunRecord) -> Since:
        """Compare the run with what it was compared with."""
        try:
            document = read_document(self.folder)
        except UsageError:
            return self._anew(record)
        if not isinstance(document, Mapping) or "comparison" not in document:
            return self._anew(record)
        if document["comparison"] is None:
            return Since(warning=_warning(document))
        return self._again(record, document["comparison"], _warning(document))

    def _anew(self, record: RunRecord) -> Since:
        return Earlier(Archive(self.folder.parent))(record)

    def _again(self, record: RunRecord, told: Any, warning: str) -> Since:
        try:
            gates, margin = told["gates"] is True, float(told["max_regression"])
            places = [
                (str(run), Path(folder)) for run, folder in zip(told["runs"], told["folders"], strict=True)
            ]
        except (LookupError, TypeError, ValueError):
            return self._anew(record)
        if not isfinite(margin) or margin < 0:
            return self._anew(record)
        kept, _ = comparable(record, list(self._records(places)))
        if places and len(kept) == len(places):
            found = compare([record], kept, margin)
            return Since(replace(found, gates=found.gates and gates), warning)
        if not gates:
            return self._anew(record)
        return Since(
            warning=f"only {len(kept)} of the {len(places)} runs that this one was compared with can be read "
            "and compared, so nothing was compared; the SLOs alone decide the verdict"
        )

    def _records(self, places: list[tuple[str, Path]]) -> Iterator[RunRecord]:
        """Yield the runs that still exist: next to this one, or where they were."""
        for run_id, folder in places:
            for place in (self.folder.parent / Path(run_id).name, folder):
                try:
                    record = read_record(place)
                except UsageError:
                    continue
                if record.run_id == run_id:
                    yield record
                    break


def _warning(document: Mapping[str, Any]) -> str:
    """Return the run's warning about its comparison; empty if there was none."""
    try:
        return next(
            (str(item["message"]) for item in document["warnings"] if item["code"] == NOT_COMPARED), ""
        )
    except (LookupError, TypeError):
        return ""
