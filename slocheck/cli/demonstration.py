"""What ``slocheck demo`` does: the reference API, one run of the shipped spec, and where to go next."""

import os
from dataclasses import replace
from pathlib import Path

import typer

from slocheck.assets import asset
from slocheck.cli.running import Flags, Options, load, make_run
from slocheck.grading.advice import advice
from slocheck.grading.assessment import Outcome
from slocheck.pipeline.interrupts import Interrupted, Interrupts
from slocheck.reference_api.server import ReferenceApi
from slocheck.spec.blocks.scrape import ScrapeSource
from slocheck.spec.model import Spec

DEFAULT_PORT = 8000
"""The port that the shipped slo.yaml names."""


def serve(port: int) -> int:
    """Keep the reference API up until a signal; returns the exit code."""
    with Interrupts(), ReferenceApi(port=port) as api:
        typer.echo(f"reference API on {api.url}; in another terminal: slocheck run {_shipped_spec()}")
        typer.echo("Ctrl-C stops it")
        try:
            api.wait()
        except Interrupted:
            return 0
    return 4


def run(*, port: int, duration: str | None, reports: Path, quiet: bool) -> int:
    """Run the shipped spec against a fresh reference API; 0 when a grade was reached by measuring."""
    with ReferenceApi(port=port) as api:
        spec, overrides = load(Path(_shipped_spec()), Flags(target=api.url, duration=duration))
        spec = _scraping(spec, api.url)
        report = make_run(spec, overrides, Options(reports=reports, seed=1, quiet=quiet))
    typer.echo(advice(report.assessment, report.spec))
    measured = report.assessment.outcome in (Outcome.PASS, Outcome.FAIL, Outcome.UNDECIDED)
    return 0 if measured else report.assessment.exit_code


def _scraping(spec: Spec, url: str) -> Spec:
    """Point the spec's scrape source at the API's own metrics page."""
    if not isinstance(spec.metric_source, ScrapeSource):
        return spec
    return replace(spec, metric_source=replace(spec.metric_source, urls=(f"{url}/metrics",)))


def _shipped_spec() -> str:
    """Return the shipped spec's path as it can be typed here."""
    return os.path.relpath(asset("slo.yaml"))
