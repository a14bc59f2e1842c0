"""What ``slocheck compare`` does: two sides, each a run or a folder of runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from slocheck.cli import output
from slocheck.cli.actions.baseline import margin_of
from slocheck.comparison.compare import NOT_VALID, comparable, compare
from slocheck.comparison.model import Comparison, RunRecord
from slocheck.comparison.spectrum import Spectrum, spectrum
from slocheck.errors import UsageError
from slocheck.pipeline.archive import LATEST, Archive, load_evidence
from slocheck.pipeline.earlier.reading import newest_first, read_runs
from slocheck.reporters.runs.lines import comparison_lines
from slocheck.reporters.runs.machine import comparison_json
from slocheck.reporters.runs.side_by_side import comparison_page
from slocheck.reporters.terminal.layout import columns


def compare_runs(
    before: str, after: str, *, reports: Path, max_regression: str | None, form: str, to: Path | None
) -> int:
    """Compare the runs of two names, in one of `FORMS`; returns 1 if a regression is proven, else 0.

    Raises:
        UsageError: A side has no run, or the sides have nothing in common.
    """
    if form not in FORMS:
        raise UsageError(f"--format {form}: not a format; write one of {', '.join(FORMS)}")
    margin, archive = margin_of(max_regression), Archive(reports)
    named = _runs(before, archive), _runs(after, archive)
    if {run.run_id for run in named[0]} == {run.run_id for run in named[1]}:
        raise UsageError(_itself(before, after))
    old, new = _of_one_service(named[0], _to_newest_valid(named[1]))
    if old[-1].conditions.service != new[-1].conditions.service:
        services = f"{old[-1].conditions.service} and {new[-1].conditions.service}"
        raise UsageError(f"{before} and {after} are runs of two services, {services}; name runs of one")
    if len(new) > 1 or len(old) > 1:
        old, new = _made_like(old, new)
    if {run.run_id for run in old} & {run.run_id for run in new}:
        raise UsageError(_itself(before, after))
    found = compare(new, old, margin)
    output.write_masked(FORMS[form](found), to, for_people=form == "text")
    return int(found.gates and bool(found.regressions))


def _itself(before: str, after: str) -> str:
    return f"{before} and {after}: a run cannot be compared with itself; name other runs"


def _to_newest_valid(runs: Sequence[RunRecord]) -> Sequence[RunRecord]:
    """Return a folder's runs up to its newest valid one; all if there is none, or only one run."""
    last = max((place for place, run in enumerate(runs) if run.valid), default=-1)
    return runs[: last + 1] or runs


def _runs(name: str, archive: Archive) -> list[RunRecord]:
    """Return the runs that a name refers to, oldest first; ``latest`` is the newest valid one."""
    if name != LATEST:
        return read_runs(name, archive)
    valid = (run for run in newest_first(archive) if isinstance(run, RunRecord) and run.valid)
    if newest := next(valid, None):
        return [newest]
    raise UsageError(f"{archive.root}: no valid run is archived there; start one with `slocheck run`")


def _of_one_service(
    old: Sequence[RunRecord], new: Sequence[RunRecord]
) -> tuple[Sequence[RunRecord], Sequence[RunRecord]]:
    """Return a folder's runs of the other side's service, as a folder may hold runs of several services."""
    service = (old if len(new) > 1 and len(old) == 1 else new)[-1].conditions.service

    def same(runs: Sequence[RunRecord]) -> Sequence[RunRecord]:
        return [run for run in runs if run.conditions.service == service] or runs

    return same(old), same(new)


def _made_like(
    old: Sequence[RunRecord], new: Sequence[RunRecord]
) -> tuple[Sequence[RunRecord], Sequence[RunRecord]]:
    """Return those runs of a folder that were made like the newest one; raises UsageError without any."""
    newest = new[-1]
    earlier, left_out = comparable(newest, old)
    same, _ = comparable(newest, new[:-1])
    if not newest.valid:
        raise UsageError(f"{newest.folder}: {NOT_VALID}")
    if not earlier:
        raise UsageError(f"{newest.folder}: no earlier run can be compared: {list(left_out.values())[-1]}")
    return earlier, (*same, newest)


def _spectra(comparison: Comparison) -> Iterator[tuple[str, Spectrum]]:
    """Yield the spectrum of the newest run on each side, if both still have their evidence."""
    found = []
    for run in (comparison.old[-1], comparison.new[-1]):
        try:
            found.append((run.run_id, spectrum(load_evidence(Path(run.folder)).recording)))
        except UsageError:
            return
    if all(shown for _, shown in found):
        yield from found


def _text(comparison: Comparison) -> str:
    return "".join(f"{line}\n" for line in comparison_lines(comparison, columns(Console())))


def _page(comparison: Comparison) -> str:
    return comparison_page(comparison, list(_spectra(comparison)))


FORMS: Mapping[str, Callable[[Comparison], str]] = {
    "text": _text,
    "json": comparison_json,
    "html": _page,
}
