"""What the commands print: results to stdout, progress to stderr."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from slocheck.cli import github, streams
from slocheck.cli.masked_observer import MaskedObserver
from slocheck.cli.messages import say
from slocheck.evidence.model import Tick
from slocheck.grading.assessment import Assessment
from slocheck.grading.report import Report
from slocheck.masking import environment_secrets, mask
from slocheck.named_files import write_to
from slocheck.reporters import FORMATS, RUN_FILES
from slocheck.reporters.escape import for_terminal
from slocheck.reporters.terminal.layout import say as say_line
from slocheck.reporters.terminal.live import LiveView, progress_for
from slocheck.reporters.terminal.summary import render_summary
from slocheck.spec.model import Spec

STDOUT = "-"


class Silence:
    """An observer that shows nothing but warnings."""

    def step(self, text: str) -> None:
        """Show nothing."""

    def warn(self, text: str) -> None:
        """Print the warning: it may limit the possible verdicts."""
        say(f"warning: {text}")

    def update(self, tick: Tick, grade: Callable[[], Assessment]) -> None:
        """Show nothing."""


@contextmanager
def observer(spec: Spec, secrets: Sequence[str], *, quiet: bool) -> Iterator[MaskedObserver]:
    """Yield the observer of a run: a live view on a terminal, plain lines elsewhere, or silence."""
    if quiet:
        yield MaskedObserver(Silence(), secrets)
        return
    with progress_for(spec, Console(stderr=True)) as progress:
        yield MaskedObserver(progress, secrets)


def shower(observer: MaskedObserver) -> Callable[[str], None]:
    """Return a function that shows what a Locust file prints: above a live view, else as it comes."""
    view = observer.observer

    def show(line: str) -> None:
        if isinstance(view, LiveView):
            view.show(line)
        else:
            print(for_terminal(line), file=sys.stderr)

    return show


def print_plan(lines: Iterable[str]) -> None:
    """Print what a run is about to do."""
    console = Console(stderr=True)
    for line in lines:
        say_line(console, Text(for_terminal(line)))


def report_paths(report: Report) -> Mapping[str, str]:
    """Return each format's path as the user would type it."""
    return {name: str(Path(report.folder) / reporter.file_name) for name, reporter in RUN_FILES.items()}


def print_result(report: Report, *, as_json: bool, paths: Mapping[str, str], verbose: bool = False) -> None:
    """Print the result to stdout, a summary for people or one JSON document, and tell GitHub Actions.

    Raises:
        SaveError: Standard output could not take it (the summary is on stderr), or GitHub's files could not.
    """
    if as_json:
        streams.write_document(FORMATS["json"].render(report))
    else:
        print_summary(report, Console(), paths=paths, verbose=verbose)
    lost = streams.lost_output()
    if lost:
        print_summary(report, Console(stderr=True), paths=paths)
    github.tell(report, paths)
    if lost:
        raise streams.save_error(lost)


def print_summary(
    report: Report, console: Console, *, paths: Mapping[str, str], verbose: bool = False
) -> None:
    """Print the summary of a run; `verbose`: with statistics and all checks."""
    render_summary(report, console, paths, verbose=verbose)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines to stdout; nothing in them is obeyed by a terminal or a CI runner."""
    console, secrets = Console(), environment_secrets()
    for line in lines:
        say_line(console, Text(for_terminal(mask(line, secrets))))


def write_masked(text: str, to: Path | None, *, utf8_only: bool = False, for_people: bool = False) -> None:
    """Write out a document in which secrets of the environment do not show; see `write_out`."""
    write_out(mask(text, environment_secrets()), to, utf8_only=utf8_only, for_people=for_people)


def write_out(text: str, to: Path | None, *, utf8_only: bool = False, for_people: bool = False) -> None:
    """Write a document to a file, or to stdout if none is named or it is ``-``; raises SaveError.

    Args:
        text: The document; it is masked already, as numbers in it may look like a secret.
        to: The file.
        utf8_only: See `slocheck.reporters.Format`.
        for_people: It is a text to read: characters that a terminal cannot show are replaced.
    """
    if to is not None and str(to) != STDOUT:
        write_to(to, text.encode())
    elif for_people:
        sys.stdout.write(text)
    else:
        streams.write_document(text, utf8_only=utf8_only)
