"""The CPU that the processes of a short run take: ``python -m tests.benchmarks.whole_run``.

Seconds of processor time, not of the clock. ``--beside FOLDER`` names another checkout, whose runs take turns
with those of this one. The parts are from looks every few hundredths of a second; the sum is what the system
counted.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from statistics import median

import psutil

from tests.benchmarks.around import SPEC
from tests.support.shop_server import ShopServer

ROUNDS, SECONDS, RATE = 10, 2, 20
LOOK_S = 0.02
PARTS = ("command line", "master", "worker", "together")


def one_run(checkout: Path, folder: Path) -> Mapping[str, float]:
    """Make a run with the code of a checkout; return the seconds of each part."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as an installed package is compiled
    command = [sys.executable, "-P", "-m", "slocheck", "run", "--quiet", "--exit-zero"]
    found = dict.fromkeys(PARTS, 0.0)
    run = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    process = psutil.Process(run.pid)
    while not (ended := os.wait4(run.pid, os.WNOHANG))[0]:
        with suppress(psutil.Error):
            for part, each in zip(PARTS, (process, *process.children(recursive=True)), strict=False):
                found[part] = max(found[part], sum(each.cpu_times()[:2]))
        time.sleep(LOOK_S)
    run.returncode = os.waitstatus_to_exitcode(ended[1])
    found["together"] = ended[2].ru_utime + ended[2].ru_stime
    return found


def measured(checkouts: Mapping[str, Path], rounds: int) -> Mapping[str, list[Mapping[str, float]]]:
    """Return the runs of each checkout, made in turn; a first one of each, which may compile, is left out."""
    found: dict[str, list[Mapping[str, float]]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory() as name, ShopServer() as server:
        folder = Path(name)
        (folder / "scenario.yaml").write_text("flows:\n  - steps: [{get: /items}]\n")
        (folder / "slo.yaml").write_text(SPEC.format(url=server.url, rate=RATE, seconds=SECONDS))
        for number in range(rounds + 1):
            for label, checkout in checkouts.items():
                run = one_run(checkout, folder)
                found[label] += [run] if number else []
    return found


def main() -> None:
    """Read the options and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.whole_run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"runs of each (default {ROUNDS})")
    parser.add_argument("--beside", type=Path, help="another checkout")
    chosen = parser.parse_args()
    here = {"this checkout": Path(__file__).parents[2]}
    checkouts = ({"the other": chosen.beside.resolve()} if chosen.beside else {}) | here
    found = measured(checkouts, chosen.rounds)
    print(f"CPU seconds of a run of {SECONDS} s, medians of {chosen.rounds}")  # noqa: T201 - its output
    for part in PARTS:
        shown = (f"{label} {median(run[part] for run in runs):.2f}" for label, runs in found.items())
        print(f"{part}: {', '.join(shown)}")  # noqa: T201 - as above


if __name__ == "__main__":
    main()
