"""A run's record read back from its ``result.json``: every value is checked, as the file may be anything."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from slocheck.comparison.model import ObjectiveRecord, RunRecord
from slocheck.comparison.scales import scale_of
from slocheck.evidence.plain_values import WrongValueError, typed

SCHEMA_VERSION = 1
"""Of the documents that can be read."""
_OUTCOMES = frozenset({"pass", "fail", "undecided", "invalid", "interrupted"})
_COMPLETE = "complete"


class UnreadableError(ValueError):
    """A document is not a result of slocheck, or not one that this version reads; the text says why."""


def record_of(document: object, folder: str) -> RunRecord:
    """Return the record of a run.

    Args:
        document: The parsed JSON.
        folder: The run's folder as the user would type it.

    Raises:
        UnreadableError: It is something else, or lacks what runs are compared by.
    """
    if not isinstance(document, Mapping):
        raise UnreadableError("it is not a result of slocheck")
    version = document.get("schema_version")
    if version != SCHEMA_VERSION:
        raise UnreadableError(f"its schema_version is {version!r:.20}; this slocheck reads {SCHEMA_VERSION}")
    try:
        record: RunRecord = typed(RunRecord, _plain(document, folder))
    except WrongValueError as error:
        raise UnreadableError(f"it is incomplete: record{error}") from error
    except (LookupError, TypeError, AttributeError) as error:
        raise UnreadableError(f"it is incomplete, or of another version: {error!s:.60}") from error
    _check(record)
    return record


def _plain(document: Mapping[str, Any], folder: str) -> Mapping[str, Any]:
    """Return the document in the shape of a record."""
    run, origin = document["run"], document["provenance"]
    return {
        "run_id": run["id"],
        "folder": folder,
        "started": run["started"],
        "outcome": document["verdict"],
        "gate": document["gate"],
        "tier": document["tier"],
        "valid": run["ending"] == _COMPLETE and all(item["valid"] is True for item in document["findings"]),
        "commit": origin["git_sha"] or "",
        "dirty": origin["git_dirty"],
        "requests": run["requests"],
        "failed": run["failed"],
        "conditions": {
            "service": document["service"],
            "target": origin["target"],
            "scenario_sha256": origin["scenario_sha256"],
            "workload": run["workload"],
            "workload_sha256": run["workload_sha256"],
            "spec_sha256": origin["spec_sha256"],
            "host": origin["host"],
            "cores": origin["cores"],
            "window_s": run["window_s"],
            "slocheck": origin["slocheck_version"],
        },
        "objectives": [_objective(item) for item in document["objectives"]],
    }


def _objective(item: Mapping[str, Any]) -> Mapping[str, Any]:
    limits = [level["limit"] for level in item["levels"]]
    return {
        "name": item["name"],
        "kind": item["indicator"],
        "quantile": item["quantile"],
        "promql": item["promql"],
        "endpoint": item["endpoint"] or "",
        "lower_is_better": limits[0]["comparison"] in ("<", "<="),
        "limits": {
            level["level"]: limit["text"] for level, limit in zip(item["levels"], limits, strict=True)
        },
        "verdict": item["verdict"] or "",
        "observed": item["observed"],
    }


def _check(record: RunRecord) -> None:
    """Raise UnreadableError for what no run can have."""
    if record.outcome not in _OUTCOMES:
        raise UnreadableError(f"its verdict is {record.outcome!r:.40}")
    if not 0 <= record.failed <= record.requests:
        raise UnreadableError(f"{record.failed} of its {record.requests} requests failed")
    if not 0 <= record.conditions.window_s < float("inf"):
        raise UnreadableError("the length of its window is impossible")
    for item in record.objectives:
        if not _possible(item):
            raise UnreadableError(f"the value of {item.name:.60} is impossible")


def _possible(objective: ObjectiveRecord) -> bool:
    """Tell whether numbers are finite, in order, and within what they can be."""
    observed = objective.observed
    if observed is None:
        return True
    numbers = (observed.low, observed.high, observed.standard_error, observed.effective_sample_size)
    positive = (observed.standard_error, observed.total, observed.effective_sample_size)
    return (
        all(isfinite(number) for number in numbers if number is not None)
        and all(number >= 0 for number in positive if number is not None)
        and (observed.high is None or observed.low <= observed.high)
        and (not scale_of(objective).is_share or 0 <= observed.low <= (observed.high or 0) <= 1)
    )
