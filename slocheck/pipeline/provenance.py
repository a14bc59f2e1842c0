"""Where a run's numbers come from: versions, host, git commit, hashes."""

import hashlib
import os
import platform
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from slocheck import __version__
from slocheck.evidence.model import LoadResult, Provenance
from slocheck.masking import strip_url
from slocheck.pipeline.scenario_file import scenario_path
from slocheck.spec.model import Spec

GIT_TIMEOUT_S = 5.0
COMMIT_VARIABLES = ("CI_COMMIT_SHA", "GITHUB_SHA")
"""Variables in which GitLab and GitHub name a job's commit."""
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""A commit's name: SHA-1 or SHA-256."""
_ABSENT = "git is not installed"
_NO_COMMIT = "the repository has no commit yet"
_MEANINGS = {"fatal: Needed a single revision": _NO_COMMIT}
"""What git says about a new repository, and what that means."""


def utc(epoch: float) -> str:
    """Return an epoch second as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def command_line(arguments: Sequence[str]) -> str:
    """Return slocheck's command line as it can be typed again, with secrets in URLs masked."""
    words = [strip_url(word) if "://" in word else word for word in arguments]
    return shlex.join(["slocheck", *words])


def gather(spec: Spec, *, command: str, seed: int, scenario_sha256: str | None) -> Provenance:
    """Collect what is known about a run before its load, as files may change during the run.

    Args:
        spec: Of the run, overrides applied.
        command: The command line.
        seed: Of the workload.
        scenario_sha256: Of the scenario and its data; None: hash the scenario's file alone.

    Raises:
        OSError: The scenario cannot be read.
    """
    git = git_state(Path(spec.path).resolve().parent)
    return Provenance(
        run_id="",
        command=command,
        started="",
        ended="",
        slocheck=__version__,
        versions={"python": platform.python_version()},
        host=platform.node(),
        cores=os.cpu_count() or 0,
        git_sha=git.sha,
        git_dirty=git.dirty,
        git_error=git.error,
        spec_sha256=hashlib.sha256(spec.text.encode()).hexdigest(),
        scenario_sha256=scenario_sha256 or hashlib.sha256(scenario_path(spec).read_bytes()).hexdigest(),
        scenario=spec.workload.scenario,
        target=strip_url(spec.target.url),
        seed=seed,
        spec_path=spec.path,
        insecure=tuple(_insecure(spec)),
    )


def _insecure(spec: Spec) -> Iterator[str]:
    """Yield the keys by which certificates are not verified."""
    if spec.target.tls.insecure:
        yield "target.tls.insecure"
    if spec.metric_source and spec.metric_source.tls.insecure:
        yield f"{spec.metric_source.kind}.tls.insecure"


def of_load(known: Provenance, load: LoadResult, *, run_id: str) -> Provenance:
    """Return the provenance of a run whose load is over."""
    return replace(
        known,
        run_id=run_id,
        started=utc(load.load_start),
        ended=utc(load.end),
        versions={**known.versions, **load.versions},
    )


@dataclass(frozen=True, slots=True)
class GitState:
    """What git says about a folder.

    Attributes:
        sha: The commit; empty if there is none.
        dirty: Whether the work tree differs from it.
        error: Why git failed although the folder is in a repository; empty otherwise.
    """

    sha: str = ""
    dirty: bool = False
    error: str = ""


def git_state(folder: Path) -> GitState:
    """Ask git for the commit of the repository that holds `folder`; all empty outside of one.

    If git is missing or refuses, the commit is the one that a CI server names in the environment: in an
    image without git the checkout has no ``.git`` either. Whether the tree differs from it is not known then.
    """
    try:
        sha = _git(folder, "rev-parse", "--verify", "HEAD")
        return GitState(sha, dirty=bool(_git(folder, "status", "--porcelain", "--untracked-files=no")))
    except FileNotFoundError:
        reason = _ABSENT
    except subprocess.TimeoutExpired:
        reason = f"git did not respond within {GIT_TIMEOUT_S:g} s"
    except subprocess.CalledProcessError as error:
        said = str(error.stderr).strip().splitlines() or [f"git ended with exit code {error.returncode}"]
        reason = _MEANINGS.get(said[0], said[0].removeprefix("fatal: "))
    except OSError as error:
        reason = f"git cannot be run: {error.strerror}"
    in_repository = any((parent / ".git").exists() for parent in (folder, *folder.parents))
    if reason == _ABSENT or (in_repository and reason != _NO_COMMIT):
        named = next((sha for sha in map(_named_by_ci, COMMIT_VARIABLES) if sha), "")
        if named:
            return GitState(named)
    return GitState(error=reason if in_repository else "")


def _named_by_ci(variable: str) -> str:
    """Return the commit in a variable; empty if it is not one."""
    value = os.environ.get(variable, "").strip().lower()
    return value if _COMMIT.fullmatch(value) else ""


def _git(folder: Path, *arguments: str) -> str:
    """Return what git prints; raises OSError and SubprocessError."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - whichever git the user has
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "LC_ALL": "C"},
        timeout=GIT_TIMEOUT_S,
        check=True,
    )
    return done.stdout.strip()
