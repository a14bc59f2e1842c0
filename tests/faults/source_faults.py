"""Prometheus and metrics pages fail before, during and after the load; Locust alone knows neither."""

import time
from functools import partial
from pathlib import Path

from slocheck.reference_api.server import ReferenceApi
from tests.e2e.sources.test_prometheus_faults import CASES, Api, Case, Done, run_case, run_until_bad, write
from tests.e2e.support.cli import slocheck
from tests.e2e.support.servers.fault_proxy import Fault as ProxyFault
from tests.e2e.support.servers.fault_proxy import FaultProxy, Kind
from tests.e2e.support.servers.prometheus_server import PrometheusServer, start_prometheus
from tests.faults.catalogue import Fault, Seen, seen_of
from tests.support.hostile_server import HostileServer, respond_with
from tests.support.waiting import wait_until

JOB = "shop-api"
HALF_S = 3.0
AFTER = "waiting for the last samples"
LOGIN = b"<!doctype html><title>Log in</title>"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(LOGIN), LOGIN)


def _during(case: Case, folder: Path) -> Seen:
    """Make the run of a case with an API and a Prometheus of its own."""
    with ReferenceApi(port=0) as api, _prometheus(api.url, folder) as server:
        done: Done = run_case(case, Api(api.url, JOB), folder / "run", server.url)
    seen = seen_of(done.process, done.folder)
    if seen.wrong or case.exit == 0:
        return seen
    reason = done.objective("errors")["reason"]
    invalid = [item["message"] for item in done.result["findings"] if not item["valid"]]
    return Seen(seen.end, invalid[0] if invalid else reason)


def _prometheus(url: str, folder: Path) -> PrometheusServer:
    return start_prometheus(folder, {JOB: [f"{url}/metrics"]})


def _away(folder: Path) -> Seen:
    """Prometheus is down from the middle of the load to just after it, and scrapes nothing meanwhile."""
    run = folder / "run"
    with ReferenceApi(port=0) as api, _prometheus(api.url, folder) as server:
        spec = write(run, api.url, server.url)
        spec.write_text(spec.read_text().replace("max_scrape_gap: 60", "max_scrape_gap: 2"))

        def leave() -> None:
            begun = time.monotonic()
            wait_until(lambda: time.monotonic() - begun > HALF_S, "the middle of the load")
            server.stop()
            wait_until(lambda: AFTER in (run / "stderr").read_text(), "the end of the load")
            server.start()

        done = run_until_bad(run, leave)
    return seen_of(done, run)


def _before(folder: Path) -> Seen:
    """It responds 503 from the start."""
    with (
        ReferenceApi(port=0) as api,
        _prometheus(api.url, folder) as server,
        FaultProxy(server.url) as proxy,
    ):
        write(folder / "run", api.url, proxy.url)
        proxy.set(ProxyFault(Kind.STATUS_503))
        done = slocheck("run", "--json", "--allow-concurrent", cwd=folder / "run")
    return seen_of(done, folder / "run")


def _page(folder: Path) -> Seen:
    """A page of metrics that is a login page."""
    with ReferenceApi(port=0) as api, HostileServer({"metrics": respond_with(PAGE)}) as server:
        spec = write(folder / "run", api.url, "http://127.0.0.1:1")
        lines = spec.read_text().splitlines(keepends=True)
        scraped = f'scrape: ["{server.url}/metrics"]\n'
        spec.write_text("".join(scraped if line.startswith("prometheus:") else line for line in lines))
        done = slocheck("run", "--json", "--allow-concurrent", cwd=folder / "run")
    return seen_of(done, folder / "run")


FAULTS = (
    Fault("away from the middle of the load to just after it", (3, 4), _away),
    Fault("responds 503 before the load", (4,), _before),
    Fault("a page of metrics is a login page", (4,), _page),
    *(Fault(name, (case.exit,), partial(_during, case)) for name, case in CASES.items()),
)
