"""Where a run's numbers come from."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from slocheck.grading.assess import assess
from slocheck.pipeline.provenance import COMMIT_VARIABLES, GitState, git_state
from slocheck.reporters import FORMATS
from tests.builders.reports import report


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, as somebody with a name."""
    name = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    done = subprocess.run(["git", *name, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """No CI server names a commit, even if the tests run in one."""
    for name in COMMIT_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "slo.yaml").write_text("service: x\n")
    git(tmp_path, "add", "slo.yaml")
    git(tmp_path, "commit", "--quiet", "-m", "Begin")
    return tmp_path


def test_the_commit_and_whether_the_tree_differs_from_it(repository: Path) -> None:
    """Also from a folder below; files that git does not know make no difference."""
    (repository / "below").mkdir()
    sha = git(repository, "rev-parse", "HEAD")
    assert git_state(repository / "below") == GitState(sha)
    (repository / "new").write_text("")
    assert git_state(repository) == GitState(sha)
    (repository / "slo.yaml").write_text("service: y\n")
    assert git_state(repository) == GitState(sha, dirty=True)


def test_outside_of_a_repository_there_is_nothing_to_say(tmp_path: Path) -> None:
    """No commit, and no complaint about that."""
    assert git_state(tmp_path) == GitState()


def test_a_repository_that_git_refuses_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In CI the checkout often belongs to another user than the one who runs."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own tests have it from here
    found = git_state(repository)
    assert (found.sha, found.dirty) == ("", False)
    assert found.error.startswith(f"detected dubious ownership in repository at '{repository}'")


def test_a_repository_without_a_commit_is_said(tmp_path: Path) -> None:
    """The message is in our words, not in git's."""
    git(tmp_path, "init", "--quiet")
    assert git_state(tmp_path) == GitState(error="the repository has no commit yet")


def test_a_repository_without_git_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slim image has the checkout and not the program."""
    monkeypatch.setenv("PATH", "")
    assert git_state(repository) == GitState(error="git is not installed")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param({"CI_COMMIT_SHA": "a" * 40}, "a" * 40, id="GitLab"),
        pytest.param({"GITHUB_SHA": "B" * 64}, "b" * 64, id="GitHub, SHA-256"),
        pytest.param({"CI_COMMIT_SHA": "main", "GITHUB_SHA": "c" * 40}, "c" * 40, id="a branch is not one"),
        pytest.param({"CI_COMMIT_SHA": "a" * 41, "GITHUB_SHA": "$(id)"}, "", id="neither is one"),
    ],
)
def test_without_git_the_commit_is_the_one_that_ci_names(
    repository: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    """Also if git refuses the checkout, or there is none; git's own answer comes first."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert git_state(repository).sha == git(repository, "rev-parse", "HEAD")
    with monkeypatch.context() as refused:
        refused.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        assert git_state(repository).sha == expected
    outside = repository.parent
    assert git_state(outside) == GitState()
    monkeypatch.setenv("PATH", "")
    assert git_state(outside) == GitState(expected)
    assert git_state(repository) == GitState(expected, error="" if expected else "git is not installed")


def test_the_reason_is_in_the_reports() -> None:
    """As a warning with a code, and where the commit would be."""
    found = report()
    origin = replace(found.evidence.provenance, git_sha="", git_error="detected dubious ownership")
    evidence = replace(found.evidence, provenance=origin)
    assessment = assess(found.spec, evidence)
    (warning,) = [item for item in assessment.warnings if item.code == "no-commit"]
    assert warning.text == "the report names no commit: detected dubious ownership"
    again = replace(found, evidence=evidence, assessment=assessment)
    assert "unknown: detected dubious ownership" in FORMATS["html"].render(again)
    assert '"git_error": "detected dubious ownership"' in FORMATS["json"].render(again)
