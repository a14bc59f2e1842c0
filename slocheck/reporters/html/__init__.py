"""The HTML report: one file that needs no network, complete without JavaScript, under a strict CSP."""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from slocheck.grading.report import Report
from slocheck.reporters import text, totals
from slocheck.reporters.escape import for_html, for_script_json
from slocheck.reporters.html import panels, tables, view
from slocheck.reporters.html.timeline import timeline
from slocheck.reporters.saturation import usage_text, usages


def render(report: Report) -> str:
    """Return the whole report as one HTML document."""
    style, script = _asset("style.css"), _asset("script.js")
    time = timeline(report.evidence.recording)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            assessment=report.assessment,
            evidence=report.evidence,
            spec=report.spec,
            words=text,
            rerun_command=totals.rerun_command(report),
            total=totals.window_totals(report.evidence.recording),
            verdict=view.verdict(report),
            objectives=view.objectives(report),
            budgets=view.budgets(report),
            panels=panels.panels(report, time),
            endpoints=tables.endpoints(report.evidence.recording),
            errors=tables.errors(report.evidence.recording),
            usages=[usage_text(usage) for usage in usages(report)],
            provenance=tables.provenance(report),
            data=Markup(for_script_json(panels.data(time))),  # noqa: S704 - escaped for a script element
            style=style,
            script=script,
            style_hash=_csp_hash(style),
            script_hash=_csp_hash(script),
        )
    )


@cache
def _environment() -> Environment:
    """Return the template environment: everything is escaped, an unknown name is an error."""
    return Environment(
        loader=PackageLoader("slocheck.reporters.html", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )


def _finalize(value: object) -> Markup:
    """Clean and escape what is shown; our own markup is clean and escaped already."""
    if isinstance(value, Markup):
        return value
    return Markup(for_html(str(value)))  # noqa: S704 - escaped by the sink's own function


@cache
def _asset(name: str) -> Markup:
    """Return a file of this package; it must not contain a closing tag of its element."""
    text = files(__name__).joinpath(name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - our own file


def _csp_hash(text: str) -> str:
    """Return the CSP source expression that allows an inline element with exactly this text."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
