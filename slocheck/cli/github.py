"""Reports a result to GitHub Actions if slocheck runs in one of its jobs: annotations, summary, outputs."""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from slocheck.cli.messages import say
from slocheck.documents.texts import each_text, valid_text
from slocheck.errors import SaveError, SlocheckError
from slocheck.grading.report import Report
from slocheck.masking import environment_secrets, mask
from slocheck.pipeline.earlier.prune import is_url_spec
from slocheck.reporters import FORMATS
from slocheck.reporters.github import (
    MAX_SUMMARY,
    Annotation,
    annotations,
    of_error,
    output_lines,
    outputs,
)


def in_actions() -> bool:
    """Tell whether this is a job of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def tell(report: Report, files: Mapping[str, str]) -> None:
    """Annotate the spec, and write the step's summary and outputs; elsewhere nothing happens.

    Args:
        report: The graded run.
        files: The reports that were written, by format.

    Raises:
        SaveError: Summary or outputs cannot be written; a later step would find no verdict.
    """
    if not in_actions():
        return
    found = annotations(report)
    if is_url_spec(report.spec.path, report.spec.text):  # which is not in the checkout
        found = [replace(annotation, path="", line=0, column=0) for annotation in found]
    _annotate(found)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        _summarise(Path(summary), FORMATS["markdown"].render(report))
    if output := os.environ.get("GITHUB_OUTPUT"):
        delimiter = f"slocheck-{secrets.token_hex(16)}"
        _append(Path(output), output_lines(outputs(report, files), delimiter))


def tell_error(error: SlocheckError) -> None:
    """Annotate an error that ends the command: at the lines of a document if it is about one."""
    if in_actions():
        _annotate(of_error(error))


def _annotate(found: Sequence[Annotation]) -> None:
    """Print workflow commands to stderr, which a runner reads as it reads stdout: that may hold JSON."""
    workspace = os.environ.get("GITHUB_WORKSPACE", "")
    known = environment_secrets()
    for annotation in found:
        shown = each_text(annotation, lambda text: mask(valid_text(text), known))
        print(shown.command(workspace), file=sys.stderr)


def _summarise(path: Path, text: str) -> None:
    """Add a summary to those of other runs in the step, as long as all of them fit."""
    try:
        size = path.stat().st_size if path.exists() else 0
    except OSError as error:
        raise _unwritable(path, error) from error
    if size + len(text.encode("utf-8", "backslashreplace")) + 2 > MAX_SUMMARY:
        say(f"warning: GITHUB_STEP_SUMMARY: a step may have {MAX_SUMMARY:,} bytes; this summary does not fit")
        return
    _append(path, f"{text}\n")


def _append(path: Path, text: str) -> None:
    try:
        with path.open("ab") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> SaveError:
    return SaveError(f"{path}: cannot be written: {error.strerror}")
