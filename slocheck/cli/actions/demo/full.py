"""What ``slocheck demo --full`` does: the shipped spec against the full stack, from Debian's packages."""

from dataclasses import replace
from functools import partial

from slocheck.cli.actions.demo import run_shipped
from slocheck.cli.actions.demo.ladder import ITEMS, climb
from slocheck.cli.demo_options import DemoOptions
from slocheck.cli.messages import say
from slocheck.errors import SIGNAL_EXIT_CODES
from slocheck.load.launch import Launch
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.stack.full import Front, require_programs, start_front, start_parts
from slocheck.reference_api.stack.processes import Servers
from slocheck.reference_api.stack.prometheus import API_JOB
from slocheck.spec.blocks.metric_source.prometheus import PrometheusSource
from slocheck.spec.model import AUTO, Spec

RATE = "200/s"
"""What two cores can serve and send with all these servers on them."""


def run_full(options: DemoOptions, launch: Launch) -> int:
    """Start all servers, climb the ladder if asked, then run the shipped spec against all replicas.

    Returns:
        0 if each run measured a grade.

    Raises:
        UsageError: A server is not installed.
        MeasurementError: One did not come up.
    """
    tell = (lambda _: None) if options.quiet else say
    code = 0
    require_programs()
    with Servers() as servers:
        parts = start_parts(servers, Settings(items=ITEMS if options.ladder else Settings().items), tell)
        if options.ladder:
            found = parts.settings
            on_parts = replace(
                options, database=found.database_url, replica=found.replica_url, redis=found.redis_url
            )
            code = climb(on_parts, launch)
            if code in SIGNAL_EXIT_CODES.values():
                return code
        return _run(start_front(servers, parts, tell), options, launch) or code


def _run(front: Front, options: DemoOptions, launch: Launch) -> int:
    """Run the shipped spec through nginx, with the numbers of all replicas from Prometheus."""
    return run_shipped(
        options,
        launch,
        target=front.url,
        measured=partial(asking, prometheus_url=front.prometheus_url),
        rate=options.rate or RATE,
    )


def asking(spec: Spec, prometheus_url: str) -> Spec:
    """Point a spec at the private Prometheus, which also knows the number of replicas."""
    assert spec.metric_source is not None, "the shipped spec has one"
    source = PrometheusSource(
        url=prometheus_url,
        preset=AUTO,
        position=spec.metric_source.position,
        selector={"job": API_JOB},
    )
    return replace(spec, metric_source=source, target=replace(spec.target, instances=None))
