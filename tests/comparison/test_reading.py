"""A record comes back from result.json as it was, or is refused with a reason."""

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.comparison.model import RunRecord
from slocheck.comparison.reading import UnreadableError, record_of
from slocheck.grading.assessment import Outcome
from slocheck.grading.report import Report
from slocheck.reporters import FORMATS
from tests.builders.reports import HOSTILE, hostile_report, report, unbounded

Document = dict[str, Any]
VALUES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | st.lists(st.none())


def document(of: Report) -> Document:
    """Return a report's JSON, parsed."""
    parsed: Document = json.loads(FORMATS["json"].render(of))
    return parsed


@pytest.mark.parametrize(
    "made",
    [
        *(pytest.param(lambda outcome=outcome: report(outcome), id=outcome.value) for outcome in Outcome),
        pytest.param(unbounded, id="unbounded"),
        *(
            pytest.param(lambda text=text: hostile_report(text), id=f"hostile {n}")
            for n, text in enumerate(HOSTILE)
        ),
    ],
)
def test_a_record_comes_back_as_it_was(made: Callable[[], Report]) -> None:
    """All that is compared is in the document, whatever the outcome and the texts."""
    graded = made()
    assert record_of(document(graded), graded.folder) == graded.record


def test_only_whole_and_valid_runs_are_valid() -> None:
    """A run that was cut short, or whose measurement is invalid, says nothing about a change."""
    valid = {outcome: record_of(document(report(outcome)), "x").valid for outcome in Outcome}
    assert [outcome for outcome, found in valid.items() if not found] == [
        Outcome.INVALID,
        Outcome.INTERRUPTED,
    ]


def change(document: Document, path: str, value: object) -> Document:
    """Return the document with one value replaced; a path is keys and numbers separated by dots."""
    changed: Any = copy.deepcopy(document)
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    inner = changed
    for part in parents:
        inner = inner[part]
    inner[last] = value
    found: Document = changed
    return found


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("schema_version", 2, "schema_version is 2"),
        ("schema_version", None, "schema_version is None"),
        ("verdict", "great", "verdict is 'great'"),
        ("run.id", 5, "not a text"),
        ("run.failed", -1, "requests failed"),
        ("run.failed", 10**9, "requests failed"),
        ("run.window_s", "NaN", "window"),
        ("run.workload", None, "not a text"),
        ("run", [], "incomplete"),
        ("objectives", 3, "incomplete"),
        ("objectives.0.levels", [], "incomplete"),
        ("objectives.0.indicator", "speed", "not a IndicatorKind"),
        ("objectives.0.observed.low", 1e9, "is impossible"),
        ("objectives.0.observed.low", "-Infinity", "is impossible"),
        ("objectives.0.observed.standard_error", -0.1, "is impossible"),
        ("objectives.1.observed.high", 5, "is impossible"),
        ("provenance.cores", 2**70, "64 bits"),
    ],
)
def test_what_no_run_can_have_is_refused(path: str, value: object, why: str) -> None:
    """A damaged value is never compared."""
    with pytest.raises(UnreadableError, match=why):
        record_of(change(document(report()), path, value), "x")


@given(st.sampled_from(["run", "provenance", "objectives", "findings", "service", "gate", "tier"]), VALUES)
def test_any_other_document_is_read_or_refused(key: str, value: object) -> None:
    """The outcome is a record or a refusal, whatever the file contains."""
    for changed in ({**document(report()), key: value}, {key: value, "schema_version": 1}, value):
        with suppress(UnreadableError):
            assert isinstance(record_of(changed, "x"), RunRecord)


def test_a_result_of_an_older_slocheck_says_so() -> None:
    """Older results lack what runs are compared by; their evidence can be graded again."""
    old = document(report())
    del old["run"]["workload"]
    with pytest.raises(UnreadableError, match="of another version: 'workload'"):
        record_of(old, "x")
