"""The benchmarks' commands in their shortest form run, and their counts add up. No figure is asserted."""

import subprocess
import sys

import pytest

AT_ONCE = ("--patience", "0")
"""Without waiting for an idle machine."""


def printed(*command: str) -> str:
    """Run a benchmark; returns what it printed."""
    arguments = [sys.executable, "-m", *command]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("command", "rows"),
    [
        (
            ("tests.benchmarks.throughput", "--quick", "--only", "zipf", *AT_ONCE),
            ["### GET with a Zipf-drawn number", "| slocheck, declarative |"],
        ),
        (
            ("tests.benchmarks.accuracy", "--rates", "300", "--seconds", "1", "--highest", "600", *AT_ONCE),
            ["| 300 | p99.9 |", "the last line is half of that."],
        ),
        (
            ("tests.benchmarks.stall", "--seconds", "3", "--only", "declarative", *AT_ONCE),
            ["| open, declarative | 300 |", "| closed, FastHttpUser, 4 users, constant_throughput |"],
        ),
        (("tests.benchmarks.scrape_parse", "--rounds", "1"), ["5376 series a page"]),
        (("tests.benchmarks.server_side", "--rounds", "1"), ["series    grading", "     400"]),
    ],
    ids=["throughput", "accuracy", "stall", "scrape", "grading"],
)
def test_a_benchmark_prints_its_table(command: tuple[str, ...], rows: list[str]) -> None:
    """Each command of its page runs to its end; its own checks of counts hold on the way."""
    text = printed(*command)
    for row in rows:
        assert row in text
