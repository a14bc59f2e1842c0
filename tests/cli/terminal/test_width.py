"""Long lines on a terminal: slocheck breaks them between words, so the terminal never breaks a word."""

import io
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from slocheck.reporters.terminal.fit import fitted
from slocheck.reporters.terminal.layout import say
from tests.support.terminal import on_a_terminal

LONG = "orders and deliveries and returns of the shop on the other side of the river, all of them"
SPEC = f"""\
service: {LONG}
target: {{url: "http://127.0.0.1:8000", instances: 1}}
workload: {{scenario: browse.yaml, rate: 10/s, warmup: 5s, duration: 12s}}
tiers: [silver]
objectives:
  error_rate: {{silver: "< 0.01%"}}
gate: silver
"""
SCENARIO = "flows: [{steps: [{get: /items, expect: {status: 200}}]}]\n"


@pytest.mark.parametrize(
    ("line", "width", "parts"),
    [
        pytest.param("a bird sings", 12, ["a bird sings"], id="it fits"),
        pytest.param("a bird sings", 11, ["a bird", "  sings"], id="between words"),
        pytest.param("load      1,000/s", 12, ["load", "  1,000/s"], id="columns"),
        pytest.param("  load  10/s on average", 16, ["  load  10/s on", "    average"], id="indented"),
        pytest.param("/a/long/path it is", 8, ["/a/long/path", "  it is"], id="a longer word stays whole"),
        pytest.param("東京の空 東京", 10, ["東京の空", "  東京"], id="wide characters take two columns"),
        pytest.param("", 10, [""], id="an empty line"),
        pytest.param("it says ::group:: x", 10, ["it says", ": :group::", "  x"], id="not a command"),
    ],
)
def test_a_line_is_broken_between_words(line: str, width: int, parts: list[str]) -> None:
    """Continuation lines are indented."""
    assert list(fitted(line, width)) == parts


@given(st.text(alphabet="ab 東", max_size=80), st.integers(1, 40))
def test_no_word_is_cut_and_none_is_lost(line: str, width: int) -> None:
    """Whatever the width; only a single word is longer than a line."""
    parts = list(fitted(line, width))
    assert " ".join(parts).split() == line.split()
    assert all(cell_len(part.rstrip()) <= width or len(part.split()) == 1 for part in parts)


class Terminal(io.StringIO):
    """A file that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(("file", "lines"), [(Terminal, 2), (io.StringIO, 1)])
def test_only_a_terminal_has_a_width(file: type[io.StringIO], lines: int) -> None:
    """A log line is searched for by its text, so it stays whole, with or without colours."""
    out = file()
    say(Console(file=out, width=20, force_terminal=True), Text("a line of thirty characters", style="red"))
    assert len(out.getvalue().splitlines()) == lines


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["run", "--dry-run"], 0, "even if none is bad", id="the plan"),
        pytest.param(["validate"], 0, "all of them", id="a spec"),
        pytest.param(["grade", "latest"], 2, "no run is archived", id="an error"),
    ],
)
def test_no_command_leaves_the_breaking_to_the_terminal(
    tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    """At 60 columns: each word is as it would be on a wide screen."""
    (tmp_path / "slo.yaml").write_text(SPEC)
    (tmp_path / "browse.yaml").write_text(SCENARIO)
    ended, got = on_a_terminal([sys.executable, "-m", "slocheck", *words], tmp_path, columns=60)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", got.decode()).replace("\r\n", "\n").splitlines()
    assert ended == code, lines
    assert said in " ".join(" ".join(lines).split())
    assert [line for line in lines if len(line) > 60 and len(line.split()) > 1] == []
