"""The fault catalogue with real processes: ``python -m tests.faults [--only TEXT] [--at-once N]``.

Each fault strikes slocheck and, where one can meet it, a control; the tables are printed in Markdown. After
each run that was archived, the same evidence is graded with limits that it breaches: no fault may make such a
run pass. Exits 1 if any fault ended otherwise than docs/development/reliability.md promises.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from slocheck.documents.words import quantity
from tests.faults import (
    guard_faults,
    input_faults,
    process_faults,
    sink_faults,
    source_faults,
    storage_faults,
    target_faults,
)
from tests.faults.catalogue import Fault, Row, Seen, Strike, table
from tests.faults.evidence_faults import EVIDENCE_FAULTS
from tests.faults.test_evidence_faults import PLACES, improvements

AT_ONCE = 3


def _archived(_folder: Path) -> Seen:
    """Strike the archived evidence of a run that breaches with each fault, at each place."""
    tried = [(fault, place) for fault in EVIDENCE_FAULTS for place in PLACES]
    better = [fault.id for fault, place in tried if improvements([(fault, place)])]
    said = f"{len(better)} of {len(tried)} faulty runs were graded better"
    return Seen(None, said, f"better with {better[0]}" if better else "")


EVIDENCE = (Fault(f"{len(EVIDENCE_FAULTS)} faults in the evidence of a run that breaches", (), _archived),)
LOCUST = "Locust alone"
PARTS: Mapping[str, tuple[Sequence[Fault], str]] = {  # those that take longest come first
    "Prometheus and metrics pages": (source_faults.FAULTS, "no control"),
    "Target": (target_faults.FAULTS, LOCUST),
    "Processes and signals": (process_faults.PROCESS_FAULTS, LOCUST),
    "Locust files": (process_faults.FILE_FAULTS, LOCUST),
    "Another host": (guard_faults.FAULTS, LOCUST),
    "Storage": (storage_faults.FAULTS, "naive write, Locust alone"),
    "Hostile input": (input_faults.FAULTS, "PyYAML"),
    "Where foreign text is shown": (sink_faults.FAULTS, "naive page, Locust alone"),
    "Archived runs": (EVIDENCE, "no control"),
}
"""Maps each part to its faults, and to what they are compared with."""


def chosen(*texts: str) -> list[tuple[str, Fault]]:
    """Return the faults, with their parts, whose part or name has one of these texts; without any, all."""
    return [
        (part, fault)
        for part, (faults, _) in PARTS.items()
        for fault in faults
        if not texts or any(text.lower() in f"{part}: {fault.name}".lower() for text in texts)
    ]


def made(part: str, fault: Fault, root: Path) -> Row:
    """Let a fault strike both; an exception on slocheck's side also counts as an outcome."""
    ours = _struck(fault.strike, root)
    control = _struck(fault.control, root) if fault.control else None
    row = Row(part, fault, ours, control)
    sys.stderr.write(f"{'WRONG' if row.wrong else 'ok   '} {part}: {fault.name}: {row.wrong or ours.said}\n")
    return row


def _struck(strike: Strike, root: Path) -> Seen:
    folder = Path(tempfile.mkdtemp(dir=root))
    try:
        return strike(folder)
    except Exception as error:  # noqa: BLE001 - one fault must not end the others
        return Seen(None, f"{type(error).__name__}: {error}", "it could not be tried")


def report(rows: Sequence[Row]) -> str:
    """Return the tables of all parts."""
    texts = []
    for part, (_, control) in PARTS.items():
        found = [row for row in rows if row.part == part]
        if found:
            texts.append(f"### {part}\n\n{table(found, control)}\n")
    return "".join(texts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen faults and print their tables; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="TEXT",
        help="faults with this in part or name; repeatable",
    )
    parser.add_argument("--at-once", type=int, default=AT_ONCE, metavar="N")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.at_once) as pool:
        waiting = [pool.submit(made, part, fault, Path(folder)) for part, fault in chosen(*options.only)]
        rows = [each.result() for each in waiting]
    wrong = [row for row in rows if row.wrong]
    sys.stdout.write(report(rows))
    minutes = (time.monotonic() - begun) / 60
    sys.stdout.write(
        f"{quantity(len(rows), 'fault')}, {len(wrong)} ended otherwise than promised; {minutes:.1f} minutes\n"
    )
    return 1 if wrong or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
