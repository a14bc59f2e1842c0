"""What a fault of the catalogue is, and how its outcome is reported."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slocheck.grading.assess import assess
from slocheck.grading.assessment import Verdict
from slocheck.pipeline.archive import EVIDENCE_FILE, load_evidence
from slocheck.spec.loader import parse_spec

LONGEST_WORDS = 110
BREACHED = parse_spec(
    b"""
service: shop-api
target: {url: "http://127.0.0.1:1"}
workload: {scenario: scenario.py, users: 4, duration: 10s}
tiers: [bronze, silver]
objectives:
  latency_p50: {source: client, bronze: "< 1us", silver: "< 1us"}
  error_rate: {source: client, bronze: "< 50%", silver: "< 20%"}
gate: silver
confidence: none
validity: {steady: false}
""",
    "breached.yaml",
)
"""Limits that every run breaches: a request takes longer than a microsecond."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How a program ended under a fault.

    Attributes:
        end: Its exit code; negative: the signal that ended it; None: it is not a program.
        said: Its message, or what was counted.
        wrong: Which promise of slocheck was broken; empty: none.
    """

    end: int | None
    said: str
    wrong: str = ""


Strike = Callable[[Path], Seen]
"""Runs something under a fault, in an empty folder."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, with slocheck and with a control under it.

    Attributes:
        name: What happens.
        ends: Exit codes that the contract allows; empty: there is none.
        strike: Runs slocheck.
        control: Runs the control; None: the fault cannot happen to it.
    """

    name: str
    ends: tuple[int, ...]
    strike: Strike
    control: Strike | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A fault and its outcome."""

    part: str
    fault: Fault
    ours: Seen
    control: Seen | None

    @property
    def wrong(self) -> str:
        """Which promise was broken; empty: the fault ended as it has to."""
        if self.fault.ends and self.ours.end not in self.fault.ends:
            return f"exit {self.ours.end}, not {' or '.join(map(str, self.fault.ends))}"
        return self.ours.wrong

    def cells(self) -> tuple[str, ...]:
        """Return the row of the table."""
        return (self.fault.name, *_pair(self.ours), *(_pair(self.control) if self.control else ("", "")))


def _pair(seen: Seen) -> tuple[str, str]:
    end = "" if seen.end is None else f"signal {-seen.end}" if seen.end < 0 else str(seen.end)
    return end, f"**{seen.wrong}**: {seen.said}" if seen.wrong else seen.said


def table(rows: Sequence[Row], control: str) -> str:
    """Return rows as a table in Markdown; `control` says what they are compared with."""
    head = ("fault", "exit", "slocheck says", f"{control}: exit", "says")
    lines = [head, ("---",) * len(head), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    """Return a text on one line, without Markdown's syntax."""
    line = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return line if len(line) <= LONGEST_WORDS else f"{line[: LONGEST_WORDS - 1].rstrip()}…"


def words_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return the headline of a result, or else the last message."""
    if done.stdout.lstrip().startswith("{"):
        return str(json.loads(done.stdout)["headline"]).partition("; a window of ")[0]
    messages = [line for line in done.stderr.splitlines() if line.strip()]
    own = [line.removeprefix("slocheck: ") for line in messages if line.startswith("slocheck: ")]
    return (own or messages or [""])[-1]


def seen_of(done: subprocess.CompletedProcess[str], folder: Path, wrong: str = "") -> Seen:
    """Return the outcome of a run, and whether the same fault improves a run that breaches."""
    words = words_of(done).replace(str(folder), ".")
    return Seen(done.returncode, words, wrong or improved(folder))


def improved(folder: Path) -> str:
    """Grade a run again with limits that it breaches: say what the fault improved; empty if nothing."""
    archived = sorted(folder.glob(f"reports/*/{EVIDENCE_FILE}"))
    if not archived:
        return ""
    assessment = assess(BREACHED, load_evidence(archived[-1].parent))
    if assessment.exit_code == 0:
        return "a run that breaches passes with it"
    levels = assessment.objectives[0].levels
    return "a breached level is met with it" if any(one.verdict is Verdict.MET for one in levels) else ""
