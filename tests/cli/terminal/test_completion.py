"""Completion in bash, zsh and fish, installed as a user does and asked for in the shell itself."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

OWN = str(Path(sys.executable).parent)
DEADLINE_S = 150.0
COMMANDS = {
    "bash": (
        "source ~/.bashrc; for line in 'slocheck va' 'slocheck run --du'; do read -ra COMP_WORDS <<< $line;"
        " COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _slocheck_completion slocheck; echo ${COMPREPLY[@]}; done"
    ),
    "fish": "complete -C 'slocheck va'; complete -C 'slocheck run --du'",
}


def shell(name: str, command: str, home: Path) -> str:
    """Run a command in a shell whose home is `home`; returns what it printed."""
    done = subprocess.run(
        [name, "-c", f"{command}; true"],  # a last command of its own, so that the shell stays the parent
        env={**os.environ, "HOME": str(home), "PATH": f"{OWN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_a_shell_completes_commands_and_options(tmp_path: Path, name: str) -> None:
    """Once completion is installed, for whoever starts that shell."""
    assert f"{name} completion installed" in shell(name, "slocheck --install-completion", tmp_path)
    assert "_SLOCHECK_COMPLETE=complete_" in shell(name, "slocheck --show-completion", tmp_path)
    offered = [line.split("\t")[0] for line in shell(name, COMMANDS[name], tmp_path).splitlines()]
    assert offered == ["validate", "--duration"]


def test_zsh_completes_at_the_first_press_of_the_key(tmp_path: Path) -> None:
    """Typed on a terminal, as zsh loads the installed file only then."""
    assert "zsh completion installed" in shell("zsh", "slocheck --install-completion", tmp_path)
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(HOME=str(tmp_path), ZDOTDIR=str(tmp_path), TERM="xterm", PROMPT="ready> ")
        os.environ["PATH"] = f"{OWN}:{os.environ['PATH']}"
        os.execvp("zsh", ["zsh", "-i"])
    try:
        _until(terminal, b"ready> ")
        os.write(terminal, b"slocheck va\t")
        _until(terminal, b"lidate")
        os.write(terminal, b"\x15exit\r")
    finally:
        os.close(terminal)  # which hangs up, whatever came
        os.waitpid(child, 0)


def _until(terminal: int, wanted: bytes) -> None:
    """Read what a terminal shows until it shows this."""
    end, shown = time.monotonic() + DEADLINE_S, b""
    while wanted not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        assert ready, shown
        shown += os.read(terminal, 1 << 16)
