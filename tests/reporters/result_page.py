"""Writes the pages of the JSON result: ``make docs``, or ``python -m tests.reporters.result_page``."""

import json
import re
from pathlib import Path

from slocheck.reporters.json.keys import KEYS
from slocheck.reporters.json.schema import result_schema

DOCS = Path(__file__).parents[2] / "docs"
PAGE, SCHEMA = DOCS / "json.md", DOCS / "result.schema.json"
_TABLE = re.compile(r"(?<=\| key \| meaning \|\n\| --- \| --- \|\n)(?:\|.*\n)+")


def page() -> str:
    """Return docs/json.md with the table of keys as it has to be."""
    rows = "".join(f"| `{path}` | {meaning} |\n".replace("|  |", "| |") for path, _, meaning in KEYS)
    return _TABLE.sub(lambda _: rows, PAGE.read_text("utf-8"), count=1)


def schema() -> str:
    """Return docs/result.schema.json."""
    return json.dumps(result_schema(), indent=2) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    SCHEMA.write_text(schema(), "utf-8")
