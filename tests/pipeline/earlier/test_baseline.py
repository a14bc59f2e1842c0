"""What a run is compared with, and what is refused before any load."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slocheck.comparison.model import Method, RunRecord, Trend
from slocheck.errors import UsageError
from slocheck.grading.assessment import Outcome
from slocheck.pipeline.archive import Archive
from slocheck.pipeline.earlier.baseline import Baseline, Earlier
from slocheck.pipeline.earlier.reading import read_record
from tests.builders.results import result, run_id, write_result, write_runs

STEADY = (0.1, 0.101, 0.099, 0.1, 0.102)


def new(tmp_path: Path, p95: float, **more: Any) -> RunRecord:
    """Return the record of a run after all others."""
    return read_record(write_result(tmp_path / "new", result(50, p95, **more)))


def test_the_runs_beside_a_run_are_information(tmp_path: Path) -> None:
    """They are compared by the same test, and change no verdict."""
    write_runs(tmp_path, *STEADY)
    write_runs(tmp_path, 9.0, first=55)  # a later one
    found = Earlier(Archive(tmp_path))(new(tmp_path, 0.2))
    assert found.comparison is not None
    assert (found.warning, found.comparison.gates, found.comparison.method) == ("", False, Method.PREDICTION)
    assert [run.run_id for run in found.comparison.old] == [run_id(number) for number in range(5)]
    assert found.comparison.changes[0].trend is Trend.WORSE


def test_latest_is_the_newest_that_is_valid_and_comparable(tmp_path: Path) -> None:
    """A newer run that was invalid, of another service, killed or of another load is passed over."""
    write_runs(tmp_path, 0.1, 0.12)
    write_result(tmp_path, result(3, 0.5, outcome=Outcome.INVALID))
    write_result(tmp_path, {**result(4), "service": "cart"})
    other = result(5)
    other["run"] |= {"workload": "9 users", "workload_sha256": "f" * 64}
    write_result(tmp_path, other)
    (tmp_path / run_id(6)).mkdir()
    baseline = Baseline("latest", Archive(tmp_path))
    found = baseline(new(tmp_path, 0.2))
    assert found.comparison is not None
    assert ([run.run_id for run in found.comparison.old], found.warning) == ([run_id(1)], "")
    assert not found.comparison.gates
    assert found.comparison.changes[0].amount == pytest.approx(0.2 / 0.12)


@pytest.mark.parametrize("count", [0, 1, 4, 5])
def test_a_folder_gates_from_five_runs_on(count: int, tmp_path: Path) -> None:
    """With fewer a warning says how many there are: what was asked for was not done."""
    (tmp_path / "old").mkdir()
    write_runs(tmp_path / "old", *STEADY[:count])
    baseline = Baseline(str(tmp_path / "old"), Archive(tmp_path / "old"), 0.1)
    found = baseline(new(tmp_path, 0.2))
    if count == 0:
        assert found.comparison is None
        assert "nothing was compared: there is no earlier run" in found.warning
        return
    assert found.comparison is not None
    assert found.comparison.gates == (count == 5)
    assert bool(found.comparison.regressions) == (count == 5)
    assert ("it takes 5 to prove a change" in found.warning) == (count < 5)


def test_an_invalid_run_is_not_compared(tmp_path: Path) -> None:
    """Its numbers are not those of the target."""
    write_runs(tmp_path, *STEADY)
    record = new(tmp_path, 0.2, outcome=Outcome.INVALID)
    assert Earlier(Archive(tmp_path))(record).comparison is None
    found = Baseline("latest", Archive(tmp_path))(record)
    assert found.comparison is None
    assert "this run is not valid" in found.warning


def test_a_baseline_that_is_gone_after_the_load_costs_no_verdict(tmp_path: Path) -> None:
    """The run is whole; the warning says that nothing was compared."""
    found = Baseline(str(tmp_path / "gone"), Archive(tmp_path))(new(tmp_path, 0.2))
    assert found.comparison is None
    assert "no run is archived there" in found.warning


def test_a_named_run_is_checked_before_the_load(tmp_path: Path) -> None:
    """One that is missing, invalid or made differently is refused, and the message says how it differs."""
    (good,) = write_runs(tmp_path, 0.1)
    bad = write_result(tmp_path, result(1, outcome=Outcome.INVALID))
    archive, planned = Archive(tmp_path), read_record(good).conditions
    Baseline(str(good), archive).check(planned)
    Baseline("latest", Archive(tmp_path / "none")).check(planned)
    Baseline(str(tmp_path / "none"), Archive(tmp_path / "none")).check(planned)
    for name, conditions, why in (
        (str(bad), planned, "invalid"),
        ("nothing", planned, "no run is archived there"),
        (str(good), replace(planned, workload="9/s", workload_sha256="0"), "a load of 20 users, not 9/s"),
    ):
        with pytest.raises(UsageError, match=why):
            Baseline(name, archive).check(conditions)
