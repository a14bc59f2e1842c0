"""How much CPU time a machine has left, if target and load generator both run on it."""

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from slocheck.evidence.model import SharedMachine

SPARE = 0.1
"""If less than this share of a machine's CPU time is unused, its processes wait for each other."""
_PROC = Path("/proc")
_IDLE = slice(3, 5)
_PARENT, _TIMES = 1, slice(11, 15)
"""Places in a process's ``stat``, after its name: the parent, and CPU times with those of ended children."""


class MachineWatch:
    """Watches the machine's CPU time during a load; knows nothing where there is no ``/proc/stat``.

    Args:
        root: Id of the process whose descendants are generator and target.
        proc: Where the kernel shows processes.
    """

    def __init__(self, root: int | None = None, proc: Path = _PROC) -> None:
        self._root = root or os.getpid()
        self._proc = proc
        self._begun = self._last = self._now()
        self._own = _cpu_of_tree(proc, self._root)
        self._seconds = self._starved = 0.0

    def tick(self) -> None:
        """Look at the time since the last look; called about once a second."""
        now = self._now()
        if now is None or self._last is None or now[1] == self._last[1]:
            return
        seconds = now[0] - self._last[0]
        idle = (now[2] - self._last[2]) / (now[1] - self._last[1])
        self._seconds += seconds
        self._starved += seconds if idle < SPARE else 0.0
        self._last = now

    def result(self) -> SharedMachine | None:
        """Return what was seen until now; None if the machine cannot be watched."""
        if self._last is None or self._begun is None or not self._seconds:
            return None
        total = self._last[1] - self._begun[1]
        busy = total - (self._last[2] - self._begun[2])
        own = _cpu_of_tree(self._proc, self._root) - self._own
        others = min(1.0, max(0.0, (busy - own) / total))
        return SharedMachine(round(self._seconds, 3), round(self._starved, 3), round(others, 4))

    def _now(self) -> tuple[float, int, int] | None:
        """Return the moment, and the machine's CPU time until now: all of it, and the unused, clock ticks."""
        try:
            first = (self._proc / "stat").read_text().partition("\n")[0]
            times = [int(text) for text in first.split()[1:9]]  # the last two are in the first two as well
        except (OSError, ValueError):
            return None
        return monotonic(), sum(times), sum(times[_IDLE])


def _cpu_of_tree(proc: Path, root: int) -> int:
    """Return the CPU time of a process and its descendants, ended ones included, clock ticks."""
    parents: dict[int, int] = {}
    used: dict[int, int] = {}
    for entry in proc.iterdir() if proc.is_dir() else ():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else []
        except OSError:  # it has ended
            continue
        if fields:
            parents[int(entry.name)] = int(fields[_PARENT])
            used[int(entry.name)] = sum(map(int, fields[_TIMES]))
    return sum(used[pid] for pid in _tree(parents, root) if pid in used)


def _tree(parents: Mapping[int, int], root: int) -> set[int]:
    """Return a process and its descendants."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for pid, parent in parents.items():
        children[parent].append(pid)
    found, new = {root}, [root]
    while new:
        new = [child for pid in new for child in children[pid] if child not in found]
        found.update(new)
    return found
