"""CSV files of feeders: each is read once, however many feeders use it; their total size is limited."""

import csv
from collections.abc import Iterator

from slocheck.documents.reader import InvalidValue
from slocheck.documents.units import shown
from slocheck.scenario.model import CsvTable
from slocheck.scenario.parse.templates import ScenarioProblemLog, explain

MAX_CSV = 64 * 1024 * 1024
"""Bytes of all CSV files of a scenario."""
MOST_VALUES = 8_000_000
"""Values in all of them; each takes about sixty bytes in each process of the load."""


def read_table(log: ScenarioProblemLog, file: str) -> CsvTable:
    """Return the table in a file, the same one for each feeder that names it.

    Raises:
        InvalidValue: It cannot be read, is not a table, or exceeds the limit with the files before it.
    """
    name = "/".join(part for part in file.split("/") if part != ".")
    if name not in log.tables:
        log.tables[name] = _read(log, file)
    return log.tables[name]


def _read(log: ScenarioProblemLog, file: str) -> CsvTable:
    left = MAX_CSV - log.csv_bytes
    try:
        data = log.read(file, left)
    except (OSError, ValueError) as error:
        what = f"{shown(file)} cannot be read: {explain(error)}"
        raise InvalidValue(f"{what}; name a CSV file, relative to the scenario's folder") from error
    if len(data) > left:
        others = ", the CSV files before it included" if log.csv_bytes else ""
        raise InvalidValue(f"{shown(file)} is over {MAX_CSV:,} bytes{others}; write a shorter file")
    log.csv_bytes += len(data)
    log.digest.update(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidValue(f"{shown(file)} is not UTF-8; save it as UTF-8") from None
    del data
    return _table(text, file, MOST_VALUES - sum(len(other.cells) for other in log.tables.values()))


def _table(text: str, file: str, most: int) -> CsvTable:
    """Read a CSV text with a header line and a limited number of values; raises InvalidValue."""
    reader = csv.reader(_lines(text), strict=True)
    columns: dict[str, int] = {}
    cells: list[str] = []
    try:
        for row in reader:
            if not row:
                continue
            if not columns:
                columns = _columns(row, file)
                continue
            if len(row) != len(columns):
                counts = f"{len(row)} values and the header line {len(columns)}"
                raise InvalidValue(f"{shown(file)}: line {reader.line_num} has {counts}; fix that line")
            cells += row
            if len(cells) > most:
                raise InvalidValue(
                    f"{shown(file)}: line {reader.line_num} is over {MOST_VALUES:,} values, those of other "
                    "CSV files included; leave out rows, or columns that no placeholder names"
                )
    except csv.Error as error:
        raise InvalidValue(
            f"{shown(file)}: line {reader.line_num} is not valid CSV ({error}); fix that line"
        ) from error
    if not cells:
        raise InvalidValue(
            f"{shown(file)} has no rows; write a header line with the column names and at least one row"
        )
    return CsvTable(file, columns, tuple(cells))


def _columns(header: list[str], file: str) -> dict[str, int]:
    """Return the names in a header line with their places; raises InvalidValue."""
    columns: dict[str, int] = {}
    for place, cell in enumerate(header):
        name = cell.strip()
        if not name:
            raise InvalidValue(f"{shown(file)}: a column has no name in the header line; write one for each")
        if name in columns:
            raise InvalidValue(
                f"{shown(file)}: the column {shown(name)} is in the header line twice; rename one"
            )
        columns[name] = place
    return columns


def _lines(text: str) -> Iterator[str]:
    """Yield the lines one by one, as a list of short lines would take many times the file's size."""
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        yield text[at:end].removesuffix("\r") + "\n"
        at = end + 1
