"""How much CPU time a machine had left, and who used the rest, by what the kernel shows."""

from pathlib import Path

import pytest

from slocheck.evidence.model import SharedMachine
from slocheck.pipeline.target import shared_machine
from slocheck.pipeline.target.shared_machine import MachineWatch

OWN, GENERATOR, TARGET, OTHER = 10, 11, 12, 13
PARENTS = {OWN: 1, GENERATOR: OWN, TARGET: GENERATOR, OTHER: 1}


def write(proc: Path, *, busy: int, idle: int, used: dict[int, int]) -> None:
    """Write what the kernel shows: the machine's ticks, and each process's."""
    (proc / "stat").write_text(f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 1 1 1\n")
    for pid, ticks in used.items():
        folder = proc / str(pid)
        folder.mkdir(exist_ok=True)
        rest = f"S {PARENTS[pid]} {' 0' * 9} {ticks} 0 0 0 20 0 1 0"
        (folder / "stat").write_text(f"{pid} (a name) with) {rest}")


def test_seconds_without_spare_time_and_the_share_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One second of three leaves 5 % unused; of all CPU time 450 of 600 ticks are others'."""
    moments = iter((0.0, 1.0, 2.0, 3.0, 3.0))
    monkeypatch.setattr(shared_machine, "monotonic", lambda: next(moments))
    write(tmp_path, busy=0, idle=0, used={OWN: 5, GENERATOR: 0, TARGET: 0, OTHER: 900})
    watch = MachineWatch(OWN, tmp_path)
    write(tmp_path, busy=150, idle=50, used={OWN: 10})
    watch.tick()
    write(tmp_path, busy=340, idle=60, used={GENERATOR: 20})
    watch.tick()
    write(tmp_path, busy=500, idle=100, used={TARGET: 25, OTHER: 1400})
    watch.tick()
    assert watch.result() == SharedMachine(seconds=3.0, starved=1.0, others=0.75)
    watch.tick()
    assert watch.result() == SharedMachine(seconds=3.0, starved=1.0, others=0.75)


def test_nothing_is_known_where_the_kernel_shows_nothing(tmp_path: Path) -> None:
    """Neither without the file, nor before the first look."""
    watch = MachineWatch(OWN, tmp_path / "missing")
    watch.tick()
    assert watch.result() is None
    assert MachineWatch().result() is None
