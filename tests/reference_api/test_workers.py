"""Several workers behind one port: one set of metrics, and a worker that dies."""

import os
import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from slocheck.errors import UsageError
from slocheck.reference_api.server import ReferenceApi
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.workers import MOST_SHORT_LIVES, ApiWorkers
from tests.support.waiting import wait_until


def served(url: str, name: str) -> float:
    """Return the sum of a metric's samples on the page of whichever worker is asked."""
    page = httpx.get(f"{url}/metrics").text
    families = text_string_to_metric_families(page)
    return sum(item.value for family in families for item in family.samples if item.name == name)


def order(url: str) -> int:
    """Order an item on a connection of its own, so that either worker may serve it."""
    made = httpx.post(f"{url}/checkout", json={"item": 1, "quantity": 1, "user": 7})
    return int(made.json()["order"])


def test_workers_are_one_instance_and_are_replaced() -> None:
    """Each page has the sums of all; a killed worker's counts stay, another takes over, no order is lost."""
    with ReferenceApi(settings=Settings(workers=2, items=50)) as api:
        start = served(api.url, "process_start_time_seconds")
        orders = [order(api.url) for _ in range(20)]
        parent = psutil.Process(api.pid)
        before = set(parent.children())
        victim = min(before, key=lambda worker: worker.pid)
        os.kill(victim.pid, signal.SIGKILL)
        wait_until(lambda: set(parent.children()) - before, "another takes over")
        orders += [order(api.url) for _ in range(20)]
        stored = httpx.get(f"{api.url}/users/7/orders").json()["orders"]
        assert served(api.url, "http_requests_total") >= 41
        assert served(api.url, "process_start_time_seconds") == start
    assert set(orders) <= {row["id"] for row in stored}
    assert len(set(orders)) == 40
    assert api.wait() == 0
    assert not psutil.pid_exists(victim.pid)


def test_workers_that_keep_ending_are_not_started_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that ends soon after its start is replaced, but not after a few in a row."""
    program = tmp_path / "ends"
    program.write_text(f"#!/bin/sh\necho started >> {tmp_path}/log\necho '{{\"url\": 1}}'\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    reading, writing = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        workers = ApiWorkers([], listener, str(tmp_path))
        try:
            workers.start(1)
            with pytest.raises(UsageError, match="workers end as soon as they have started"):
                workers.watch(reading)
        finally:
            workers.stop()
            os.close(reading)
            os.close(writing)
    assert (tmp_path / "log").read_text().count("started") == MOST_SHORT_LIVES


def test_what_is_being_served_is_served_to_the_end() -> None:
    """TERM ends the API after the response, not instead of it."""
    with ReferenceApi(settings=Settings(items=50), delays_ms=[800]) as api:
        port = urlsplit(api.url).port
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(b"GET /items/1 HTTP/1.1\r\nHost: shop\r\n\r\n")
            httpx.get(f"{api.url}/health")  # once this is answered, what came before it is being served
            os.kill(api.pid, signal.SIGTERM)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        assert api.wait() == 0
