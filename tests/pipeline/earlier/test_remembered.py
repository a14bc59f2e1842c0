"""An archived run is compared with the same runs again."""

import json
import shutil
from pathlib import Path

import pytest

from slocheck.comparison.compare import compare
from slocheck.evidence.warnings import NOT_COMPARED
from slocheck.pipeline.earlier.reading import read_record
from slocheck.pipeline.earlier.remembered import Remembered
from slocheck.reporters.json import comparison_document
from tests.builders.results import result, run_id, write_result, write_runs

STEADY = (0.1, 0.101, 0.099, 0.1, 0.102)
NEW = 50


def compared(tmp_path: Path, *, gates: bool = True, margin: float = 0.2) -> Path:
    """Return the folder of a slow run that was compared with five others, of which the first is elsewhere."""
    folders = [*write_runs(tmp_path / "elsewhere", STEADY[0]), *write_runs(tmp_path, *STEADY[1:], first=1)]
    folder = write_result(tmp_path, result(NEW, 0.2))
    found = compare([read_record(folder)], [read_record(path) for path in folders], margin)
    told = {**comparison_document(found), "gates": gates}
    (folder / "result.json").write_text(json.dumps({**result(NEW, 0.2), "comparison": told}))
    return folder


@pytest.mark.parametrize("gates", [True, False])
def test_the_comparison_is_made_again(gates: bool, tmp_path: Path) -> None:
    """The same runs, wherever they are, the same margin, and the same gating."""
    folder = compared(tmp_path, gates=gates)
    write_runs(tmp_path, 0.3, first=20)  # came in between, and was not compared with
    found = Remembered(folder)(read_record(folder))
    assert found.comparison is not None
    assert [run.run_id for run in found.comparison.old] == [run_id(number) for number in range(5)]
    assert (found.comparison.gates, found.comparison.margin, found.warning) == (gates, 0.2, "")
    assert found.comparison.regressions


def test_a_baseline_that_is_not_whole_any_more_is_said(tmp_path: Path) -> None:
    """What cannot be read fails nothing; without a baseline the existing runs are shown."""
    folder = compared(tmp_path)
    shutil.rmtree(tmp_path / run_id(2))
    found = Remembered(folder)(read_record(folder))
    assert found.comparison is None
    assert "4 of the 5 runs" in found.warning
    other = compared(tmp_path / "other", gates=False)
    shutil.rmtree(tmp_path / "other" / run_id(2))
    shown = Remembered(other)(read_record(other))
    assert shown.comparison is not None
    assert (len(shown.comparison.old), shown.comparison.gates, shown.warning) == (3, False, "")


def test_what_was_not_compared_stays_so(tmp_path: Path) -> None:
    """With the reason that the run gave, if it gave one."""
    write_runs(tmp_path, *STEADY)
    plain = result(NEW, 0.2)
    folder = write_result(tmp_path, plain)
    assert Remembered(folder)(read_record(folder)).comparison is None
    plain["warnings"] = [{"code": NOT_COMPARED, "message": "there is no earlier run"}]
    (folder / "result.json").write_text(json.dumps(plain))
    found = Remembered(folder)(read_record(folder))
    assert (found.comparison, found.warning) == (None, "there is no earlier run")


@pytest.mark.parametrize(
    "told",
    [
        pytest.param("x", id="a text"),
        pytest.param({}, id="nothing"),
        pytest.param(
            {"gates": True, "max_regression": -1, "runs": [], "folders": []}, id="a negative margin"
        ),
        pytest.param({"gates": True, "max_regression": "many", "runs": [], "folders": []}, id="no margin"),
        pytest.param({"gates": True, "max_regression": 0.1, "runs": 5, "folders": []}, id="no runs"),
        pytest.param(
            {"gates": True, "max_regression": 0.1, "runs": [1], "folders": []}, id="too few folders"
        ),
    ],
)
def test_a_damaged_comparison_never_fails_a_run(told: object, tmp_path: Path) -> None:
    """The runs beside it are compared with, as information."""
    write_runs(tmp_path, *STEADY)
    folder = write_result(tmp_path, {**result(NEW, 0.2), "comparison": told})
    found = Remembered(folder)(read_record(folder))
    assert found.comparison is not None
    assert not found.comparison.gates


def test_without_a_result_the_runs_beside_it_are_compared_with(tmp_path: Path) -> None:
    """As if an older version had made the run."""
    write_runs(tmp_path, *STEADY)
    folder = write_result(tmp_path, result(NEW, 0.2))
    record = read_record(folder)
    (folder / "result.json").write_text("{}")
    assert Remembered(folder)(record).comparison is not None
    (folder / "result.json").unlink()
    assert Remembered(folder)(record).comparison is not None
