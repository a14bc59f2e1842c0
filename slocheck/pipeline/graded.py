"""Makes every `Report`: graded, and with the secrets masked, so that no reporter has to think of them."""

from collections.abc import Sequence
from pathlib import Path

from slocheck.evidence.model import Evidence
from slocheck.grading.assess import assess
from slocheck.grading.report import Report
from slocheck.indicators.pooling import pooled
from slocheck.masking import masked
from slocheck.spec.model import Spec


def graded(
    spec: Spec, runs: Sequence[Evidence], folders: Sequence[Path], *, secrets: Sequence[str]
) -> Report:
    """Grade runs as one sample.

    Args:
        spec: What they are graded against, overrides applied.
        runs: One or more runs of the same load on the same target.
        folders: Their folders, in the same order.
        secrets: What must not show in the report.
    """
    evidence = runs[0] if len(runs) == 1 else pooled(runs)
    names = " ".join(shown_path(folder) for folder in folders)
    return masked(Report(spec, evidence, assess(spec, *runs), names), secrets)


def shown_path(path: Path) -> str:
    """Return a path as the user would type it: relative to the working folder if it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
