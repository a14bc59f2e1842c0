"""Reports: one module for each format, which turns a `Report` into text and writes nothing.

A new format is one new module with ``render(report) -> str`` and one line in `FORMATS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `slocheck report --help` reads the formats' names and stays light
    from slocheck.grading.report import Report


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of report.

    Attributes:
        file_name: Its name in a run's folder.
        module: Where its ``render`` is; imported when first used, as templates load slowly.
        on_demand: Only ``slocheck report`` writes it: it may be large, or few want it.
        utf8_only: It has no character references, so it is UTF-8 whatever the terminal's encoding.
    """

    file_name: str
    module: str
    on_demand: bool = False
    utf8_only: bool = False

    def render(self, report: "Report") -> str:
        """Return the report's text; the same report always gives the same text."""
        text: str = import_module(self.module).render(report)
        return text


FORMATS: Mapping[str, Format] = {
    "html": Format("report.html", "slocheck.reporters.html"),
    "json": Format("result.json", "slocheck.reporters.json"),
    "junit": Format("junit.xml", "slocheck.reporters.junit"),
    "markdown": Format("summary.md", "slocheck.reporters.markdown"),
    "openmetrics": Format("metrics.txt", "slocheck.reporters.openmetrics", utf8_only=True),
    "csv": Format("seconds.csv", "slocheck.reporters.csv", on_demand=True, utf8_only=True),
    "hgrm": Format("latency.hgrm", "slocheck.reporters.hgrm", on_demand=True),
}
RUN_FILES: Mapping[str, Format] = {name: item for name, item in FORMATS.items() if not item.on_demand}
"""What each run leaves in its folder."""
