"""The HTML report: one file that needs no network, complete without JavaScript, under a strict CSP."""

from collections.abc import Iterator

from markupsafe import Markup

from slocheck.documents.words import capitalised, quantity
from slocheck.grading.advice import advice
from slocheck.grading.report import Report
from slocheck.reporters import RUN_FILES, text, totals
from slocheck.reporters.decision import numbered_gaps
from slocheck.reporters.escape import for_script_json
from slocheck.reporters.html import change, panels, rows, tables, view
from slocheck.reporters.html.documents import asset, csp_hash, environment
from slocheck.reporters.html.more_panels import distribution_panels, server_panels
from slocheck.reporters.html.panels import TimePanels
from slocheck.reporters.html.why import reasons
from slocheck.reporters.machines import COLUMNS as MACHINE_COLUMNS
from slocheck.reporters.machines import machine_figures, machine_row
from slocheck.reporters.saturation import usage_text, usages
from slocheck.reporters.text import NO_VERDICT


def render(report: Report) -> str:
    """Return the whole report as one HTML document."""
    style, script = asset("style.css"), asset("script.js")
    return (
        environment(__name__)
        .get_template("report.html.j2")
        .render(
            **_shown(report),
            words=text,
            quantity=quantity,
            style=style,
            script=script,
            style_hash=csp_hash(style),
            script_hash=csp_hash(script),
        )
    )


def _shown(report: Report) -> dict[str, object]:
    """Return everything that the template shows about a report, by name."""
    assessment, recording = report.assessment, report.evidence.recording
    time = TimePanels(report)
    why = reasons(report, time.clock)
    failed = [item.message for item in assessment.findings if not item.valid]
    return {
        "assessment": assessment,
        "evidence": report.evidence,
        "spec": report.spec,
        "clock": time.clock,
        "verdict": view.verdict(report),
        "facts": view.facts(report),
        "contents": tuple(_contents(has_why=bool(why or failed))),
        "since": change.since(report),
        "changes": change.tested(report),
        "needed": rows.rows(report, needed=True),
        "unneeded": rows.rows(report, needed=False),
        "latency": time.latency(),
        "why": why,
        "failed_checks": failed,
        "total": totals.window_totals(recording),
        "endpoints": tables.endpoints(report),
        "endpoint_columns": tables.ENDPOINT_COLUMNS,
        "errors": tables.errors(recording),
        "slowest": tables.slowest(recording),
        "panels": [
            *time.others(),
            *distribution_panels(report, time.clock),
            *server_panels(report, time.clock),
        ],
        "usages": [usage_text(usage) for usage in usages(report)],
        "validity": view.validity(report),
        "machines": [machine_row(figures) for figures in machine_figures(report)],
        "machine_columns": MACHINE_COLUMNS,
        "objectives": view.objectives(report),
        "budgets": view.budgets(report),
        "gaps": () if assessment.outcome in NO_VERDICT else numbered_gaps(report),
        "advice": capitalised(advice(assessment, report.spec)),
        "provenance": tables.provenance(report),
        "rerun_command": totals.rerun_command(report),
        "files": [form.file_name for name, form in RUN_FILES.items() if name != "html"],
        "data": Markup(for_script_json(panels.data(time.time, time.clock))),  # noqa: S704 - escaped for a script
    }


def _contents(*, has_why: bool) -> Iterator[tuple[str, str]]:
    """Yield the sections with their titles in the contents bar."""
    yield "objectives", "Objectives"
    yield "latency-over-time", "Latency"
    if has_why:
        yield "why", "Why"
    yield "endpoints", "Endpoints"
    yield "errors", "Errors"
    yield "slowest", "Slowest"
    yield "charts", "Charts"
    yield "validity", "Validity"
    yield "statistics", "Statistics"
    yield "next", "Next tier"
    yield "provenance", "Provenance"
