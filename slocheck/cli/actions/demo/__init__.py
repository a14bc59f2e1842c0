"""What ``slocheck demo`` does: the reference API, one run of the shipped spec, and what to do next."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from slocheck.assets import asset
from slocheck.cli.actions.run import GRADED, load, make_run
from slocheck.cli.demo_options import DemoOptions
from slocheck.cli.options import RunOptions
from slocheck.load.launch import Launch
from slocheck.pipeline.interrupts import Interrupted, Interrupts
from slocheck.reference_api.server import ReferenceApi
from slocheck.spec.blocks.metric_source.scrape import ScrapeSource
from slocheck.spec.model import Spec

DEFAULT_PORT = 8000
"""The port that the shipped slo.yaml names."""


def serve(port: int) -> int:
    """Keep the reference API up until a signal; returns the exit code."""
    with Interrupts(), ReferenceApi(port=port) as api:
        print(f"reference API on {api.url}; in another terminal: slocheck run {shipped_spec()}")
        print("Ctrl-C stops it")
        try:
            api.wait()
        except Interrupted:
            return 0
    return 4


def run(options: DemoOptions, launch: Launch) -> int:
    """Run the shipped spec against a new reference API; returns 0 if the run could be graded."""
    with ReferenceApi(port=options.port or 0) as api:
        return run_shipped(options, launch, target=api.url, measured=partial(scraping, url=api.url))


def run_shipped(
    options: DemoOptions,
    launch: Launch,
    *,
    target: str,
    measured: Callable[[Spec], Spec],
    rate: str | None = None,
) -> int:
    """Run the shipped spec; returns 0 if the run could be graded.

    Args:
        options: Of the command.
        launch: The load's master, started ahead.
        target: Address of the API, which this process has started.
        measured: Points the spec at the API's metrics.
        rate: Of the arrivals; None: the spec's.
    """
    of_run = RunOptions(
        spec=shipped_spec(),
        target=target,
        rate=rate,
        duration=options.duration,
        reports=options.reports,
        seed=1,
        quiet=options.quiet,
    )
    spec, overrides = load(of_run)
    report = make_run(measured(spec), overrides, of_run, launch, starts_target=True)
    return 0 if report.assessment.outcome in GRADED else report.assessment.exit_code


def scraping(spec: Spec, url: str) -> Spec:
    """Point the spec's scrape source at the API's own metrics page."""
    if not isinstance(spec.metric_source, ScrapeSource):
        return spec
    return replace(spec, metric_source=replace(spec.metric_source, urls=(f"{url}/metrics",)))


def shipped_spec() -> Path:
    """Return the shipped spec's path as it can be typed here."""
    return Path(os.path.relpath(asset("slo.yaml")))
