"""What the full stack needs is checked before anything is started."""

import subprocess
import sys
from pathlib import Path

import pytest

from slocheck.errors import UsageError
from slocheck.reference_api.stack import full


def test_all_missing_packages_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once, rather than one by one, minutes into a run."""
    full.require_programs()
    known = [("true", "coreutils", ""), ("no-such-1", "one", ""), ("no-such-2", "two", "/nowhere/*/bin")]
    monkeypatch.setattr(full, "PROGRAMS", known)
    with pytest.raises(UsageError, match=r"as root: apt-get install one two$"):
        full.require_programs()


def test_without_the_extra_only_the_stack_is_refused(tmp_path: Path) -> None:
    """The embedded API works without it; `demo --full` says what to install, and starts nothing."""
    code = (
        "import sys\n"
        "from slocheck.reference_api.parts import LIBRARIES\n"
        "sys.modules.update(dict.fromkeys([*LIBRARIES, 'starlette_compress']))\n"
        "import slocheck.cli.actions.demo.ladder, slocheck.reference_api.__main__\n"
        "from slocheck.cli import exit_code_of\n"
        "sys.exit(exit_code_of(['demo', '--full', '--quiet']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert 'is not installed; run: pip install "slocheck[reference-api]"' in done.stderr
    assert list(tmp_path.iterdir()) == []
