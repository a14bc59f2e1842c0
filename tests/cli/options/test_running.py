"""What ``slocheck run`` makes of its flags."""

import os
from pathlib import Path

import pytest

from slocheck.cli.actions.run import load
from slocheck.cli.options import RunOptions
from slocheck.cli.output import observer
from slocheck.cli.typed import LARGEST_SEED, MAX_PROCESSES, seed_typed, worker_count
from slocheck.errors import UsageError
from slocheck.evidence.model import Tick
from slocheck.grading.assessment import Assessment
from tests.builders.recordings import make_recording
from tests.builders.specs import make_spec


def test_processes_are_a_number_or_all_cores_but_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """One core is left for the master, the command line and the rest; a single core is used."""
    assert worker_count("3") == 3
    for cores, workers in ((1, 1), (2, 1), (8, 7)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        assert worker_count("auto") == workers


@pytest.mark.parametrize("text", ["0", "-1", "two", "", "1.5", str(MAX_PROCESSES + 1)])
def test_other_words_are_refused(text: str) -> None:
    """The flag is named, and what to write."""
    with pytest.raises(UsageError, match=r"--processes: .* write 1 to 64, or auto"):
        worker_count(text)


def test_a_seed_is_one_that_an_archive_can_hold() -> None:
    """None is drawn, short enough to be typed; one that is too large or below 0 would cost the whole run."""
    assert seed_typed(0) == 0
    assert seed_typed(LARGEST_SEED) == LARGEST_SEED < 2**63
    assert 0 <= seed_typed(None) < 10**9
    for seed in (-1, LARGEST_SEED + 1):
        with pytest.raises(UsageError, match=r"--seed: .* write a whole number from 0 to 9{18}"):
            seed_typed(seed)


def test_no_window_is_no_default(tmp_path: Path) -> None:
    """A longest window of 0 s is refused, never replaced by the spec's."""
    spec = tmp_path / "slo.yaml"
    spec.write_text(make_spec().text)
    assert load(RunOptions(spec=spec, max_duration="20s", duration="10s"))[0].workload.duration == 20
    with pytest.raises(UsageError, match="0"):
        load(RunOptions(spec=spec, max_duration="0s"))


def test_a_quiet_run_asks_for_no_grade() -> None:
    """What is not shown is not computed."""

    def grade() -> Assessment:
        pytest.fail("a grade was made for nobody")

    with observer(make_spec(), (), quiet=True) as watching:
        watching.update(Tick(30, "window", 20, make_recording()), grade)
