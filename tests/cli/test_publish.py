"""Copies of a run's reports at one place, for a CI server to collect."""

from pathlib import Path

import pytest

from slocheck.cli import exit_code_of
from slocheck.cli.publish import publish
from slocheck.errors import SaveError
from slocheck.reporters import RUN_FILES


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["none.yaml"], id="no spec"),
        pytest.param(["--max-duration", "5m"], id="an option that needs another one"),
        pytest.param(["--url", "http://127.0.0.1:1"], id="no limit"),
    ],
)
def test_a_refused_run_leaves_no_copy_of_an_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """What a CI server would mistake for this job's verdict is removed first; other files stay."""
    monkeypatch.chdir(tmp_path)
    copies = tmp_path / "copies"
    copies.mkdir()
    for name in ("junit.xml", "summary.md", "notes.txt"):
        (copies / name).write_text("of an earlier run")
    assert exit_code_of(["run", *words, "--publish", str(copies), "--dry-run"]) == 2
    assert len([*copies.iterdir()]) == 3
    assert exit_code_of(["run", *words, "--publish", str(copies)]) == 2
    assert [path.name for path in copies.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_written_is_refused_before_the_load(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The flag is named, and what to do."""
    (tmp_path / "file").touch()
    assert exit_code_of(["run", "--publish", str(tmp_path / "file" / "below")]) == 2
    assert "--publish: " in capsys.readouterr().err


def test_reports_are_copied_under_their_names(tmp_path: Path) -> None:
    """Whatever the run's folder is, a format's copy is at one path; a report that is gone is an error."""
    run, copies = tmp_path / "run", tmp_path / "copies"
    run.mkdir()
    copies.mkdir()
    paths = {name: str(run / item.file_name) for name, item in RUN_FILES.items()}
    for name, path in paths.items():
        Path(path).write_text(name)
    publish(copies, paths)
    assert {name: (copies / item.file_name).read_text() for name, item in RUN_FILES.items()} == {
        name: name for name in RUN_FILES
    }
    with pytest.raises(SaveError, match="cannot be read: No such file"):
        publish(copies, {"json": str(run / "gone.json")})
