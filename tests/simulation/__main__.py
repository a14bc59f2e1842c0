"""Print the error rates of the statistics: ``python -m tests.simulation``; with ``--quick``, roughly."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from tests.simulation import analysis_tables, window_tables
from tests.simulation.tables import OVER, QUICK_RUNS, RUNS, SEED, Table
from tests.simulation.untuned import table as untuned

TABLES = (*window_tables.TABLES, *untuned.TABLES, *analysis_tables.TABLES)


def lines(tables: Sequence[Table], seed: int, runs: int, command: str) -> Iterator[str]:
    """Yield the whole output."""
    began, over = time.monotonic(), 0
    yield f"{datetime.now(UTC):%Y-%m-%d}, `{command}`: {runs:,} runs a row, seed {seed}."
    yield "Per cent of runs with a false verdict at the exact limit; 5 promised where no level is named."
    yield f"Behind a rate, {OVER} says that its lower 99 % bound is over the promised one."
    for table in tables:
        yield ""
        for line in table.lines(seed, runs):
            over += line.count(OVER) if line.startswith("|") else 0
            yield line
    yield ""
    yield f"{over} rates are over what was promised. It took {time.monotonic() - began:.0f} s."


def main(arguments: Sequence[str]) -> None:
    """Print the tables line by line, as they are found."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} runs a row, not {RUNS}")
    parser.add_argument("--runs", type=int, help="so many runs a row")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", choices=[table.name for table in TABLES], help="this table alone")
    options = parser.parse_args(arguments)
    runs = options.runs or (QUICK_RUNS if options.quick else RUNS)
    command = " ".join(["python -m tests.simulation", *arguments])
    tables = [table for table in TABLES if options.only in (None, table.name)]
    for line in lines(tables, options.seed, runs, command):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
