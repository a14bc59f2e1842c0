"""The workload's two models and how their load changes over time."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.errors import UsageError
from slocheck.spec.loader import parse_spec
from slocheck.spec.model import Overrides, Workload, load_profile
from slocheck.spec.model.load_profile import ArrivalProcess, Stage
from slocheck.spec.overrides import with_overrides
from tests.builders.good_spec import GOOD

CLOSED = "  users: 100\n  spawn_rate: 50/s\n"


def workload(load: str, *, duration: str = "  duration: 30s\n") -> Workload:
    """Return the workload of the good spec with another load."""
    text = GOOD.replace(CLOSED, f"  {load}\n").replace("  duration: 30s\n", duration)
    return parse_spec(text.encode(), "slo.yaml").workload


@pytest.mark.parametrize(
    ("load", "pool"),
    [
        pytest.param("rate: 200/s", 400, id="what arrives in two seconds"),
        pytest.param("rate: 600/min", 100, id="at least a hundred"),
        pytest.param("rate: 20000/s", 5000, id="at most five thousand"),
        pytest.param("rate: 200/s\n  max_users: 7", 7, id="as written"),
    ],
)
def test_a_rate_brings_its_own_pool(load: str, pool: int) -> None:
    """Users of the open model are not a load themselves, but enough for a stall of two seconds."""
    read = workload(load)
    assert read.users == pool
    assert load_profile.length(read.rate) == 35
    assert read.arrivals is ArrivalProcess.JITTERED


def test_the_old_word_for_even_arrivals_is_read_and_named() -> None:
    """Specs that say uniform keep their meaning, and a warning names the new word."""
    read = workload("rate: 100/s\n  arrivals: uniform")
    assert read.arrivals is ArrivalProcess.EVEN
    (notice,) = read.old_words
    assert notice.startswith("workload.arrivals: uniform is now called even; write arrivals: even, or ")
    assert not workload("rate: 100/s\n  arrivals: even").old_words


def test_stages_hold_and_ramp() -> None:
    """A ramp begins where the stage before it ended; the window is what the warm-up leaves."""
    text = "rate: [{rate: 50/s, for: 5s}, {to: 200/s, for: 10s}, {rate: 80/s, for: 20s}]\n  arrivals: poisson"
    read = workload(text, duration="")
    assert read.rate == (Stage(50, 50, 5), Stage(50, 200, 10), Stage(80, 80, 20))
    assert (read.warmup, read.duration, read.users) == (5, 30, 400)
    assert read.arrivals is ArrivalProcess.POISSON


def test_users_have_stages_too() -> None:
    """The closed model's stages go up and down; `users` is their peak."""
    read = workload("users: [{to: 40, for: 10s}, {users: 20, for: 25s}]")
    assert read.stages == (Stage(0, 40, 10), Stage(20, 20, 25))
    assert read.users == 40
    assert not read.rate


@pytest.mark.parametrize(
    ("load", "overrides", "rate", "users"),
    [
        pytest.param("users: 9", Overrides(rate=50.0), (Stage(50, 50, 35),), 100, id="closed to open"),
        pytest.param("rate: 90/s", Overrides(users=7), (), 7, id="open to closed"),
        pytest.param("rate: 90/s", Overrides(duration=60.0), (Stage(90, 90, 65),), 180, id="a longer window"),
    ],
)
def test_flags_change_the_model(load: str, overrides: Overrides, rate: tuple[Stage, ...], users: int) -> None:
    """``--rate`` and ``--users`` choose the model; a constant rate follows the window's length."""
    text = GOOD.replace(CLOSED, f"  {load}\n")
    changed = with_overrides(parse_spec(text.encode(), "slo.yaml"), overrides).workload
    assert (changed.rate, changed.users) == (rate, users)


def test_flags_cannot_stretch_stages() -> None:
    """It would be unclear which stage a longer window extends."""
    text = GOOD.replace(CLOSED, "  rate: [{rate: 50/s, for: 35s}]\n").replace("rate: 50/s", "to: 50/s")
    spec = parse_spec(text.encode(), "slo.yaml")
    with pytest.raises(UsageError, match="stages say how long the load lasts"):
        with_overrides(spec, Overrides(duration=60.0))
    assert with_overrides(spec, Overrides(duration=30.0)) == replace(spec)


STAGES = st.lists(
    st.builds(Stage, st.integers(0, 500), st.integers(0, 500), st.floats(0.1, 60)), min_size=1, max_size=6
)


@given(STAGES, st.integers(0, 200), st.integers(0, 200), st.integers(0, 200))
def test_amounts_add_up(stages: list[Stage], a: int, b: int, c: int) -> None:
    """The sum over two neighbouring times is that over both; the sum of all stages is the trapezoids'."""
    first, middle, last = sorted((a, b, c))
    parts = load_profile.expected_arrivals(stages, first, middle) + load_profile.expected_arrivals(
        stages, middle, last
    )
    assert parts == pytest.approx(load_profile.expected_arrivals(stages, first, last))
    whole = sum((stage.begin + stage.end) / 2 * stage.seconds for stage in stages)
    assert load_profile.expected_arrivals(stages, 0, load_profile.length(stages)) == pytest.approx(whole)


def test_a_stage_that_begins_between_two_seconds_counts_from_its_own_begin() -> None:
    """0.2 s and 0.5 s do not add up to 0.7 s in binary; the third stage still begins at its own level."""
    stages = [Stage(5, 5, 0.2), Stage(5, 5, 0.5), Stage(100, 100, 1)]
    assert load_profile.expected_arrivals(stages, 0, 1.7) == pytest.approx(103.5)


def test_the_level_between_and_after_the_stages() -> None:
    """A ramp is a straight line, a stage begins at its own level, and the last level stays."""
    stages = (Stage(0, 100, 10), Stage(40, 40, 5))
    assert [load_profile.rate_at(stages, seconds) for seconds in (0, 5, 10, 14, 99)] == [0, 50, 40, 40, 40]
    assert load_profile.peak(stages) == 100
