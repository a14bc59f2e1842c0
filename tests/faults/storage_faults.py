"""The disk is full or broken, or the process dies, at each system call of saving; the control writes naively.

`strace` injects the error, or the signal, into the n-th call of a process that waits with a file to save.
"""

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, takewhile
from pathlib import Path

from tests.e2e.support.cli import slocheck, write_spec
from tests.e2e.support.servers.load_server import LoadServer
from tests.faults.catalogue import Fault, Seen, seen_of
from tests.faults.runs import WORKLOAD, counted, plain
from tests.faults.target_faults import asking

CALLS = ("openat", "write", "fsync", "rename", "renameat", "renameat2", "ftruncate")
OLD, NEW = b"old" * 50_000, b"newer" * 50_000
SAVE = """
import sys
from pathlib import Path
from slocheck.errors import SaveError
from slocheck.named_files import write_atomically
target, new = Path(sys.argv[2]), b"newer" * 50_000
print("ready", flush=True)
sys.stdin.readline()
try:
    write_atomically(target, new) if sys.argv[1] == "ours" else target.write_bytes(new)
except (OSError, SaveError):
    sys.exit(74)
"""
REPORTS = ("--reports", "small")
SCENARIO = textwrap.dedent(asking("x"))


def _struck(folder: Path, how: str, call: str, injected: str) -> bool | None:
    """Save over an old file while a call fails.

    Returns:
        Whether the file is whole afterwards, the old one or the new one; None: there is no such call.
    """
    target, log = folder / "result.json", folder / "calls"
    target.write_bytes(OLD)
    arguments = [sys.executable, "-c", SAVE, how, str(target)]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as saving:
        assert saving.stdin is not None
        assert saving.stdout is not None
        saving.stdout.readline()
        with subprocess.Popen(
            ["strace", "-p", str(saving.pid), "-o", log, "-e", f"trace={call}",
             "-e", f"inject={call}:{injected}"],
            stderr=subprocess.PIPE, text=True,
        ) as tracer:  # fmt: skip
            assert tracer.stderr is not None
            assert "attached" in tracer.stderr.readline()
            saving.communicate("go\n", timeout=60)
    met = "INJECTED" in log.read_text() or saving.returncode == -9
    return target.read_bytes() in (OLD, NEW) if met else None


def _nth(folder: Path, how: str, call: str, injected: str, number: int) -> bool | None:
    return _struck(folder, how, call, f"{injected}:when={number}")


def _each_call(how: str, injected: str, folder: Path) -> Seen:
    """Let each system call of a save fail in turn, and count files that are neither old nor new."""
    struck = (
        takewhile(lambda whole: whole is not None, map(partial(_nth, folder, how, call, injected), count(1)))
        for call in CALLS
    )
    found = [whole for calls in struck for whole in calls]
    broken, left = found.count(False), [path.name for path in folder.glob(".result*")]
    said = f"broken {broken} of {len(found)} times"
    if how != "ours":
        return Seen(None, said)
    leftover = "a temporary file is left" if left and "KILL" not in injected else ""
    return Seen(None, said, "a broken file" if broken else leftover)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of 40 KiB."""
    mount = folder / "small"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", mount], check=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", mount], check=True)


def _full_ours(folder: Path) -> Seen:
    with small_disk(folder) as mount, LoadServer() as server:
        write_spec(folder, server.url, scenario=SCENARIO, workload=WORKLOAD, more="confidence: none\n")
        done = slocheck("run", "--allow-concurrent", *REPORTS, cwd=folder)
        halves = [path.name for path in mount.rglob(".*") if path.is_file()]
    verdict = re.search(r"^(PASS|FAIL|UNDECIDED)\b.*", done.stderr, re.MULTILINE)
    seen = seen_of(done, folder)
    wrong = "the verdict is not told" if verdict is None else "half a file is left" if halves else ""
    return Seen(seen.end, f"{verdict[1] if verdict else ''} on stderr; {seen.said}", seen.wrong or wrong)


def _full_locust(folder: Path) -> Seen:
    with small_disk(folder) as mount, LoadServer() as server:
        done = plain(folder, server.url, SCENARIO, "--html", "small/report.html", "--csv", "small/run")
        html = mount / "report.html"
        size = html.stat().st_size if html.exists() else 0
    whole = "its HTML report is cut off" if size else "it has no HTML report"
    return Seen(done.returncode, f"{counted(done)}; {whole}")


def _unwritable(folder: Path) -> Seen:
    with LoadServer() as server:
        write_spec(folder, server.url, scenario=SCENARIO)
        (folder / "small").write_text("a file")
        done = slocheck("run", *REPORTS, cwd=folder)
        sent = server.counts.total()
    return seen_of(done, folder, "requests were sent" if sent else "")


def _output_full(folder: Path) -> Seen:
    with LoadServer() as server, Path("/dev/full").open("w") as full:
        write_spec(folder, server.url, scenario=SCENARIO, workload=WORKLOAD, more="confidence: none\n")
        done = subprocess.run(
            [sys.executable, "-m", "slocheck", "run", "--allow-concurrent"],
            cwd=folder, env=dict(os.environ), stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    return seen_of(subprocess.CompletedProcess((), done.returncode, "", done.stderr), folder)


FAULTS = (
    *(
        Fault(f"{name} at each call", (), partial(_each_call, "ours", how), partial(_each_call, "naive", how))
        for name, how in (("ENOSPC", "error=ENOSPC"), ("EIO", "error=EIO"), ("KILL", "signal=KILL"))
    ),
    Fault("reports folder cannot be written", (2,), _unwritable),
    Fault("disk full when the result is saved", (74,), _full_ours, _full_locust),
    Fault("standard output full", (74,), _output_full),
)
