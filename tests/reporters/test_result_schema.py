"""The JSON result's schema: published, strict, and valid for every result."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from slocheck.cli import exit_code_of
from slocheck.comparison.compare import compare
from slocheck.evidence.recording import Recording
from slocheck.grading.assessment import Outcome
from slocheck.grading.report import Report
from slocheck.pipeline.regrade import graded
from slocheck.reporters import FORMATS
from slocheck.reporters.json.schema import result_schema
from tests.builders.records import runs
from tests.builders.reports import (
    HOSTILE,
    hostile_report,
    of_recording,
    report,
    target_lost,
    timeouts,
    unbounded,
    unsteady,
)
from tests.reporters import result_page


def pooled() -> Report:
    """Return two runs that were graded as one sample."""
    one = report()
    provenance = replace(one.evidence.provenance, run_id="20260102T040405Z-abcdef", seed=None)
    folders = [Path("reports/1"), Path("reports/2")]
    return graded(one.spec, [one.evidence, replace(one.evidence, provenance=provenance)], folders, secrets=())


VALIDATOR = jsonschema.Draft202012Validator(result_schema())
REPORTS = {
    **{str(outcome): report(outcome) for outcome in Outcome},
    "timeouts": timeouts(),
    "unsteady": unsteady(),
    "not graded by chance": unsteady(confidence=False),
    "unbounded": unbounded(),
    "target lost": target_lost(),
    "without a request": of_recording(Recording((), (), (), warmup_s=5, window_s=0)),
    "pooled": pooled(),
    "compared": replace(report(), comparison=compare(runs(0.2, first=30), runs(0.1))),
}


def document(found: Report) -> Any:
    """Return the result as a reader parses it."""
    return json.loads(FORMATS["json"].render(found))


@pytest.mark.parametrize("found", [*REPORTS.values(), *map(hostile_report, HOSTILE)])
def test_every_result_is_valid(found: Report) -> None:
    """Whatever a run's outcome, the result keeps to its schema."""
    assert [error.json_path for error in VALIDATOR.iter_errors(document(found))] == []


def test_the_schema_is_one_and_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """It is valid JSON Schema, and the command prints it; of two schemas at once it prints none."""
    jsonschema.Draft202012Validator.check_schema(result_schema())
    assert exit_code_of(["schema", "--result"]) == 0
    assert json.loads(capsys.readouterr().out) == result_schema()
    assert exit_code_of(["schema", "--result", "--scenario"]) == 2
    assert "print one at a time" in capsys.readouterr().err


def test_the_published_pages_are_the_code_s() -> None:
    """`make docs` changes neither the table of keys nor the schema beside it."""
    assert result_page.page() == result_page.PAGE.read_text("utf-8")
    assert result_page.schema() == result_page.SCHEMA.read_text("utf-8")
    assert "(result.schema.json)" in result_page.PAGE.read_text("utf-8")


def objects(value: Any) -> list[dict[str, Any]]:
    """Return all objects of a document, the outermost first."""
    if isinstance(value, list):
        return [found for item in value for found in objects(item)]
    if not isinstance(value, dict):
        return []
    return [value, *(found for item in value.values() for found in objects(item))]


def first_entries(value: Any) -> Any:
    """Return a document with one entry in each of its lists."""
    if isinstance(value, list):
        return [first_entries(item) for item in value[:1]]
    return {name: first_entries(item) for name, item in value.items()} if isinstance(value, dict) else value


def test_each_key_is_needed_and_no_other_is_taken() -> None:
    """A key that is missing, new or of another type is refused, in whichever object it is."""
    whole = first_entries(document(report()))
    for place, found in enumerate(objects(whole)):
        for name in found:
            for change in ("drop", "add", "retype"):
                changed = copy.deepcopy(whole)
                target = objects(changed)[place]
                if change == "drop":
                    del target[name]
                elif change == "add":
                    target["another"] = {}
                else:
                    target[name] = [{}]
                free = change == "drop" and name in {
                    "200",
                    "503",
                    "0",
                    "status",
                    "timeout",
                    "python",
                    "locust",
                }
                assert VALIDATOR.is_valid(changed) is free, f"{change} {name}"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(("verdict",), "passed", id="a verdict that is none"),
        pytest.param(("confidence",), 95, id="a share above 1"),
        pytest.param(("run", "requests"), -1, id="a negative count"),
        pytest.param(("run", "requests"), 1.5, id="half a request"),
        pytest.param(("run", "requests_by_status"), {"2xx": 1}, id="a class for a status"),
        pytest.param(("schema_version",), 2, id="another version"),
    ],
)
def test_a_value_that_cannot_be_is_refused(path: tuple[str, ...], value: object) -> None:
    """The schema knows the words and the bounds, not only the types."""
    changed = document(report())
    target = changed
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = value
    assert not VALIDATOR.is_valid(changed)
