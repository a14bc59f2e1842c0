"""What ``slocheck list`` and ``slocheck history`` do: read results, and show them in their order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from rich.console import Console

from slocheck.cli import output
from slocheck.cli.messages import say
from slocheck.cli.options import DEFAULT_REPORTS
from slocheck.comparison.compare import MOST_RUNS
from slocheck.comparison.history import History, histories
from slocheck.comparison.model import RunRecord
from slocheck.errors import UsageError
from slocheck.named_files import asked
from slocheck.pipeline.archive import Archive
from slocheck.pipeline.earlier.reading import Unread, newest, newest_first
from slocheck.reporters.runs.lines import history_lines, run_rows
from slocheck.reporters.runs.machine import bencher_json, commits_csv, history_json, list_json
from slocheck.reporters.runs.trend import history_page
from slocheck.reporters.terminal.layout import columns, table_columns


def archive_at(reports: Path) -> Archive:
    """Return the archive in a folder; that of the default need not be there, as before the first run.

    Raises:
        UsageError: There is no such folder.
    """
    exists = asked(reports.exists)
    if not asked(reports.is_dir) and (reports != DEFAULT_REPORTS or exists):
        what = "is not a folder" if exists else "no such folder"
        raise UsageError(f"--reports {reports}: {what}; name the folder that keeps runs")
    return Archive(reports)


def list_runs(*, reports: Path, last: int, as_json: bool) -> int:
    """Print the newest runs of a folder; returns the exit code."""
    records, unread = _apart(newest(archive_at(reports), last))
    if as_json:
        output.write_masked(list_json(records, unread), None)
    elif records or unread:
        output.print_lines(run_rows(records, unread, table_columns(Console())))
    else:
        say(f"{reports}: no run is archived there; start one with `slocheck run`")
    return 0


def _apart(found: Sequence[RunRecord | Unread]) -> tuple[list[RunRecord], Mapping[str, str]]:
    records = [run for run in found if isinstance(run, RunRecord)]
    return records, {run.run_id: run.why for run in found if isinstance(run, Unread)}


def show_history(service: str, *, reports: Path, last: int, form: str, to: Path | None) -> int:
    """Show the runs of a service, or of each, in one of `FORMS`; returns the exit code.

    Raises:
        UsageError: There is no such format, or no run of that service.
    """
    if form not in FORMS:
        raise UsageError(f"--format {form}: not a format; write one of {', '.join(FORMS)}")
    records, unread = _apart(newest(archive_at(reports), last + MOST_RUNS, service=service))
    if service and not records:
        raise UsageError(_no_such_service(service, reports))
    for run_id, why in list(unread.items())[-last:]:
        say(f"{run_id}: {why}")
    text = FORMS[form](histories(records, last))
    output.write_masked(text, to, utf8_only=form == "csv", for_people=form == "text")
    return 0


def _no_such_service(service: str, reports: Path) -> str:
    """Say which services there are, and which of them may have been meant."""
    found = {run.conditions.service for run in newest_first(Archive(reports)) if isinstance(run, RunRecord)}
    if not found:
        return f"{reports}: no run with a result is archived there; start one with `slocheck run`"
    close = get_close_matches(service, found, n=1)
    meant = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(sorted(found)[:10])}"
    return f"{reports}: no run of {service!r}{meant}"


def _text(found: Sequence[History]) -> str:
    def lines() -> Iterator[str]:
        width = columns(Console())
        for place, history in enumerate(found):
            yield from ("", "") if place else ()
            yield from history_lines(history, width)

    return "".join(f"{line}\n" for line in lines()) or "no run with a result is archived there\n"


def _bencher(found: Sequence[History]) -> str:
    runs = sorted((run for history in found for run in history.runs if run.valid), key=lambda run: run.run_id)
    if not runs:
        raise UsageError("--format bencher: there is no valid run to export")
    return bencher_json(runs[-1])


FORMS: Mapping[str, Callable[[Sequence[History]], str]] = {
    "text": _text,
    "json": history_json,
    "html": history_page,
    "csv": commits_csv,
    "bencher": _bencher,
}
