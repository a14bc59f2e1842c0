"""What ``slocheck run`` does before its first line: ``python -m tests.benchmarks.start``.

CPU is that of the process from its beginning, Python's own start included, not the time that passed.
"""

import json
import subprocess
import sys
from statistics import median
from typing import Any

STARTS = 20
CODE = """\
import json, os, sys, time
from slocheck.cli import exit_code_of
from slocheck.load import launch
order = []
launch.start_master = lambda: order.append("started")
def write(text):
    if text.strip():
        found = {"cpu_s": time.process_time(), "order": [*order, text.strip()], "modules": [*sys.modules]}
        os.write(1, json.dumps(found).encode())
        os._exit(0)
sys.stderr.write = write
exit_code_of(["run", "none.yaml"])
"""


def first_line() -> dict[str, Any]:
    """Run it up to its first line, with the start of the load's master only noted.

    Returns:
        `cpu_s`; `order`: that the master was started, and the line; `modules`: the names of those loaded.
    """
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print the figures."""
    starts = [first_line() for _ in range(STARTS)]
    seconds = [start["cpu_s"] for start in starts]
    modules = starts[0]["modules"]
    own = [name for name in modules if name.partition(".")[0] == "slocheck"]
    print(f"CPU of {STARTS} starts: {min(seconds):.3f} s at best, {median(seconds):.3f} s in the middle")  # noqa: T201 - its output
    print(f"{len(modules)} modules, {len(own)} of them of slocheck")  # noqa: T201 - as above


if __name__ == "__main__":
    main()
