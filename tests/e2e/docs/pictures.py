"""Make the pictures of the README by running its spec: ``python -m tests.e2e.docs.pictures``."""

import io
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console
from rich.text import Text

from slocheck.assets import asset
from tests.e2e.support.browser import Browser
from tests.e2e.support.cli import only_run, slocheck, start_slocheck
from tests.support.ports import free_port
from tests.support.waiting import DEADLINE_S, wait_until

HOME = Path(__file__).parents[3]
README, FOLDER = HOME / "README.md", HOME / "docs" / "pictures"
TERMINAL, REPORT = "terminal.svg", "report.png"
SPEC = "readme.yaml"
COLUMNS = 80
WIDTH, HEIGHT = 1280, 860
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


@contextmanager
def shop(folder: Path) -> Iterator[int]:
    """Serve the reference API on a free port; the folder gets both specs and the scenario."""
    (folder / "scenarios").mkdir()
    shutil.copy(asset("browse.yaml"), folder / "scenarios")
    port = free_port()
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    for name, text in (("slo.yaml", asset("slo.yaml").read_text()), (SPEC, shown)):
        (folder / name).write_text(text.replace(":8000", f":{port}"))
    serving = start_slocheck("demo", "--serve", "--port", str(port), cwd=folder)
    try:
        wait_until(lambda: _responds(port), "the API responds")
        yield port
    finally:
        serving.terminate()
        serving.communicate(timeout=DEADLINE_S)


def _responds(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=DEADLINE_S).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def terminal(output: str) -> str:
    """Return what a terminal showed as an SVG that loads nothing from anywhere."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(output), soft_wrap=True)
    return _FONT_FACE.sub("", console.export_svg(title="slocheck run"))


def make(folder: Path, room: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the README's spec with its API up; save summary and report as pictures in a folder.

    Returns what the run said.
    """
    colours = {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)}
    done = slocheck("run", SPEC, *options, cwd=room, environment=colours, timeout=600)
    (folder / TERMINAL).write_text(terminal(done.stdout))
    with tempfile.TemporaryDirectory() as profile, Browser(Path(profile)) as browser:
        page = (only_run(room) / "report.html").as_uri()
        (folder / REPORT).write_bytes(browser.screenshot(page, width=WIDTH, height=HEIGHT))
    return done


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work, shop(Path(work)):
        sys.exit(make(FOLDER, Path(work), *sys.argv[1:]).returncode)
