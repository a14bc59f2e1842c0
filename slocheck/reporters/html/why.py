"""Why the gate is not met: an objective's bad requests by endpoint, status, instance and time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from slocheck.documents.words import capitalised, quantity
from slocheck.grading.assessment import SEVERITY, TOO_MANY_BAD, ObjectiveResult, Verdict
from slocheck.grading.report import Report
from slocheck.indicators.by_instance import InstanceCount, bad_by_instance
from slocheck.indicators.measured_run import measured
from slocheck.indicators.server.server_side import ServerSide
from slocheck.reporters.breach import Breakdown, breakdown, lead_text
from slocheck.reporters.decision import reason_text
from slocheck.reporters.html.charts import over_time, svg
from slocheck.reporters.html.charts.clock import Clock
from slocheck.reporters.html.charts.over_time import Axes
from slocheck.reporters.html.charts.svg import BOTTOM
from slocheck.reporters.html.charts.timeline import Counts, Timeline
from slocheck.reporters.html.rows import anchor_of
from slocheck.reporters.text import latency_text, limit_text, ratio_text

MOST_ROWS = 8
MOST_OBJECTIVES = 8
_HEIGHT = 150
_COLOUR, _CSS = "#b3261e", "s50"

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A small table of parts.

    Attributes:
        title: Its caption.
        head: Of its columns.
        rows: Of it.
    """

    title: str
    head: tuple[str, ...]
    rows: Rows


@dataclass(frozen=True, slots=True)
class Why:
    """One objective that is not met.

    Attributes:
        anchor: Id of the place where it is graded.
        name: Of the objective.
        verdict: Breached or undecided.
        limit: The level that decides.
        lead: Where most of the bad requests are; empty if the client counted none.
        reason: The verdict's own reason.
        tables: The breakdowns.
        chart: Bad requests over time; empty without any.
        name_of_chart: What the chart shows.
    """

    anchor: str
    name: str
    verdict: Verdict
    limit: str
    lead: str
    reason: str
    tables: tuple[Table, ...]
    chart: Markup
    name_of_chart: str


def reasons(report: Report, clock: Clock) -> tuple[Why, ...]:
    """Return the objectives of the gate that are not met, breached ones first."""
    numbered = [
        (number, result)
        for number, result in enumerate(report.assessment.objectives)
        if result.verdict not in (None, Verdict.MET)
    ]
    numbered.sort(key=lambda item: (SEVERITY.index(item[1].shown.verdict), item[0]))
    server = measured(report.evidence).server if numbered else None
    found = [_why(report, result, number, clock, server) for number, result in numbered[:MOST_OBJECTIVES]]
    return tuple(item for item in found if item.reason or item.tables)


def _why(
    report: Report, result: ObjectiveResult, number: int, clock: Clock, server: ServerSide | None
) -> Why:
    objective, level = result.objective, result.shown
    recording, reason = report.evidence.recording, reason_text(level, report.assessment.outcome)
    found = breakdown(objective, level.limit, recording, report.evidence.failures)
    tables = [*_tables(found)] if found else []
    if (instances := _instances(report, result, server)) is not None:
        tables.append(instances)
    lead, chart = "", Markup("")
    if found is not None:
        lead = capitalised(lead_text(found, recording.window_s, clock.moment))
        chart = _chart(found, report, clock, number)
    return Why(
        anchor=anchor_of(result, number),
        name=objective.name,
        verdict=level.verdict,
        limit=limit_text(level.level, level.limit),
        lead=lead,
        reason="" if found and TOO_MANY_BAD in reason else capitalised(reason),
        tables=tuple(tables),
        chart=chart,
        name_of_chart=capitalised(found.what[1]) if found else "",
    )


def _tables(found: Breakdown) -> Sequence[Table]:
    tables = [
        Table(
            "By endpoint",
            ("endpoint", "bad", "share of all bad", "share of its requests"),
            _listed(
                tuple(
                    (
                        part.name,
                        f"{part.bad:,}",
                        ratio_text(part.bad, found.bad),
                        ratio_text(part.bad, part.total),
                    )
                    for part in found.endpoints
                )
            ),
        )
    ]
    if found.kinds:
        rows = tuple((text, f"{count:,}", ratio_text(count, found.bad)) for text, count in found.kinds)
        tables.append(Table("By status", ("how", "bad", "share of all bad"), _listed(rows)))
    return tables


def _listed(rows: Rows) -> Rows:
    """Return the first rows, and how many are left out."""
    if len(rows) <= MOST_ROWS:
        return rows
    return (*rows[:MOST_ROWS], (f"and {len(rows) - MOST_ROWS} more", *[""] * (len(rows[0]) - 1)))


def _instances(report: Report, result: ObjectiveResult, server: ServerSide | None) -> Table | None:
    if server is None:
        return None
    found = bad_by_instance(result.objective, result.shown.limit, report.spec, server)
    if not found:
        return None
    rows = tuple((one.name, f"{one.bad:,}", ratio_text(one.bad, one.total)) for one in found)
    return Table(
        "By instance (server side)", ("instance", _bad_title(found), "share of its requests"), _listed(rows)
    )


def _bad_title(found: Sequence[InstanceCount]) -> str:
    boundary = found[0].boundary
    return "bad" if boundary is None else f"over {latency_text(boundary * 1e9)}"


def _chart(found: Breakdown, report: Report, clock: Clock, number: int) -> Markup:
    """Return the bad requests over time."""
    recording = report.evidence.recording
    counts: Counts = np.zeros(max(1, recording.window.stop), dtype=np.int64)
    counts[recording.window.start : recording.window.stop] = found.by_second
    axes = Axes(Timeline(np.arange(len(counts)), {}, {}, {}), clock, recording.warmup_s)
    y = svg.count_scale(float(counts.max()), _HEIGHT - BOTTOM)
    drawing = svg.together(
        [
            svg.value_axis(y, [f"{value:,.0f}" for value in y.ticks()], "bad requests per second"),
            axes.draw(_HEIGHT),
            over_time.area(axes, counts, None, y, colour=_COLOUR, css=_CSS),
        ]
    )
    words = f"{capitalised(found.what[1])} in each second of the window: {quantity(found.bad, *found.what)}."
    return svg.chart(f"bad-{number}", "Bad requests over time", words, drawing, height=_HEIGHT)
