"""The files of `slocheck token`: who can read them, what each side accepts, and what is refused."""

import json
import stat
from pathlib import Path

import pytest
import zmq

from slocheck.cli import exit_code_of
from slocheck.errors import SaveError, UsageError
from slocheck.load.messaging.token_files import COORDINATOR, WORKER, make_token_files, read_token_file


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Return a new pair of files: the coordinator's and the workers'."""
    pair = tmp_path / "coordinator.token", tmp_path / "worker.token"
    make_token_files(*pair)
    return pair


def test_each_side_gets_what_it_needs_and_nothing_more(files: tuple[Path, Path]) -> None:
    """The coordinator's secret key is in one file only, both have the shared secret; owner only."""
    coordinator, worker = read_token_file(files[0], COORDINATOR), read_token_file(files[1], WORKER)
    assert zmq.curve_public(coordinator.key.encode()).decode() == worker.key
    assert coordinator.shared_secret == worker.shared_secret
    assert coordinator.key not in files[1].read_text()
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert coordinator.key not in repr(coordinator)
    assert coordinator.shared_secret not in repr(coordinator)


def test_the_command_makes_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the working folder, unless they are named; a second call keeps them and exits with 2."""
    monkeypatch.chdir(tmp_path)
    assert exit_code_of(["token"]) == 0
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert before.keys() == {"coordinator.token", "worker.token"}
    assert exit_code_of(["token"]) == 2
    assert exit_code_of(["token", "--coordinator", "c", "--worker", "w"]) == 0
    assert {name: (tmp_path / name).read_text() for name in before} == before
    read_token_file(tmp_path / "w", WORKER)


def test_an_existing_file_is_kept_and_nothing_is_left_of_the_other(tmp_path: Path) -> None:
    """A token in use is never replaced; half a pair is never left behind."""
    worker = tmp_path / "worker.token"
    worker.write_text("kept")
    with pytest.raises(UsageError, match="exists already and is kept"):
        make_token_files(tmp_path / "coordinator.token", worker)
    assert [path.name for path in tmp_path.iterdir()] == ["worker.token"]
    assert worker.read_text() == "kept"
    with pytest.raises(UsageError, match="need different names"):
        make_token_files(worker, tmp_path / "." / "worker.token")
    with pytest.raises(SaveError, match="No such file or directory"):
        make_token_files(tmp_path / "absent" / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"slocheck_token": 2}, "has format 2, this version reads 1", id="format"),
        pytest.param({"for": "worker"}, "it is the 'worker' file; this side needs the one for", id="role"),
        pytest.param({"secret_key": "short"}, "is damaged; make new files", id="short key"),
        pytest.param({"secret_key": "ä" * 40}, "is damaged", id="not Z85"),
        pytest.param({"secret": "0" * 62}, "is damaged", id="short secret"),
        pytest.param({"secret": 7}, "is damaged", id="no text"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    files: tuple[Path, Path], change: dict[str, object], says: str
) -> None:
    """The message names the file and what is wrong with it, and shows no key."""
    plain = json.loads(files[0].read_text())
    files[0].write_text(json.dumps(plain | change))
    with pytest.raises(UsageError, match=says) as refusal:
        read_token_file(files[0], COORDINATOR)
    assert str(refusal.value).startswith(f"--token-file {files[0]}: ")
    assert plain["secret"] not in str(refusal.value)


@pytest.mark.parametrize("content", ["", "[]", "null", "{}", "x" * 5000, "[" * 4000])
def test_anything_else_is_not_a_token_file(tmp_path: Path, content: str) -> None:
    """Whatever the file is, no traceback is shown."""
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="slocheck token"):
        read_token_file(path, WORKER)


def test_a_file_that_everybody_can_read_is_refused(files: tuple[Path, Path]) -> None:
    """A group may read it, as with a mounted secret; everybody may not. A missing file is named."""
    files[1].chmod(0o640)
    read_token_file(files[1], WORKER)
    files[1].chmod(0o644)
    with pytest.raises(UsageError, match=r"everybody on this machine may read it \(mode 0644\); chmod 600"):
        read_token_file(files[1], WORKER)
    with pytest.raises(UsageError, match="No such file"):
        read_token_file(files[1].with_name("absent"), WORKER)
