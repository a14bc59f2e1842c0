"""The machine while a tool runs: its processor time and memory, and what other processes use."""

import os
import resource
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Self

import psutil

SAMPLE_S = 0.25
BUSY = 0.05
PATIENCE_S = 240.0
_TICKS = os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """Return the processor seconds that all cores have spent on anything, steal time included."""
    words = Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
    user, nice, system, _idle, _waiting, irq, softirq, stolen = map(int, words)
    return (user + nice + system + irq + softirq + stolen) / _TICKS


def wait_until_idle(patience_s: float = PATIENCE_S) -> None:
    """Wait until the machine is idle for a second, but no longer than the patience lasts."""
    until = time.monotonic() + patience_s
    cores = os.cpu_count() or 1
    while time.monotonic() < until:
        before = busy_seconds()
        time.sleep(1)
        if busy_seconds() - before <= BUSY * cores:
            return


def _tree(root: psutil.Process) -> list[psutil.Process]:
    return [root, *root.children(recursive=True)]


def tree_seconds(root: psutil.Process) -> float:
    """Return the processor seconds of a process and all its descendants, the ended ones included."""
    total = 0.0
    for process in _tree(root):
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.Error:
            continue
    return total


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a tool's processes.

    Attributes:
        at: Wall clock, epoch seconds.
        cpu_s: Processor seconds of all of them until then.
        memory: Resident bytes of the process that has most.
    """

    at: float
    cpu_s: float
    memory: int


@dataclass(frozen=True, slots=True)
class Ran:
    """A tool's run.

    Attributes:
        output: All that it printed.
        samples: Of its processes, in order.
        others: Share of all cores that neither it nor the server used, 0..1.
    """

    output: str
    samples: tuple[Sample, ...]
    others: float

    @property
    def ended(self) -> float:
        """Wall clock of the last sample."""
        return self.samples[-1].at

    def cores_used(self, begin: float, end: float) -> float:
        """Return the processor seconds per second that the tool used between two moments."""
        within = [sample for sample in self.samples if begin <= sample.at <= end]
        if len(within) < 2:
            raise RuntimeError(f"too short to measure:\n{self.output}")
        return (within[-1].cpu_s - within[0].cpu_s) / (within[-1].at - within[0].at)

    def memory_mb(self, moment: float) -> float:
        """Return the memory of the largest process at the last sample before a moment, megabytes."""
        return max((sample for sample in self.samples if sample.at <= moment), key=_when).memory / 1e6


def _when(sample: Sample) -> float:
    return sample.at


class _Watch:
    """Samples a process tree from a thread, every given number of seconds; a context manager."""

    def __init__(self, pid: int, every_s: float) -> None:
        self._every_s = every_s
        self.samples: list[Sample] = []
        self._root = psutil.Process(pid)
        self._over = Event()
        self._thread = Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(self._every_s):
            try:
                memory = max(process.memory_info().rss for process in _tree(self._root))
                self.samples.append(Sample(time.time(), tree_seconds(self._root), memory))
            except psutil.Error:  # it is just ending
                continue


def run(command: Sequence[str], *, core: int, folder: Path, server: int, every_s: float = SAMPLE_S) -> Ran:
    """Run a command on one core, sampling it now and then; `server` is the process it talks to."""
    peer = psutil.Process(server)
    begun, busy = time.monotonic(), busy_seconds()
    known = _children_seconds() + tree_seconds(peer)
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=folder,
    )
    with process, _Watch(process.pid, every_s) as watch:
        output, _ = process.communicate()
    known = _children_seconds() + tree_seconds(peer) - known
    unknown = busy_seconds() - busy - known
    cores = os.cpu_count() or 1
    share = max(0.0, unknown / (time.monotonic() - begun) / cores)
    return Ran(output, tuple(watch.samples), share)


def _children_seconds() -> float:
    """Return the processor seconds of this process and of all its ended children."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)
