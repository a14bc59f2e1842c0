"""Three replicas behind nginx: balanced, kept alive, HTTP/2, and one of them dies."""

import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from slocheck.errors import MeasurementError
from slocheck.reference_api.http.http2 import Certificate
from slocheck.reference_api.stack.nginx import start_nginx
from slocheck.reference_api.stack.processes import Server, Servers
from slocheck.reference_api.stack.replicas import launch_replica
from tests.e2e.reference_api.breaking_upstream import BreakingUpstream
from tests.support.certificates import certified
from tests.support.waiting import wait_until

FAIL_TIMEOUT = "1s"
ORDER = {"item": 1, "quantity": 1}


@dataclass
class Shop:
    """The replicas, nginx in front of them, and its certificate authority."""

    servers: Servers
    replicas: list[Server]
    nginx: Server
    trust: ssl.SSLContext

    def client(self, *, http2: bool = False) -> httpx.Client:
        """Return a client of nginx."""
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.nginx.port}", http2=http2, verify=self.trust, timeout=60
        )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Three replicas behind an nginx with a certificate of a private authority."""
    certificate, trust = certified(tmp_path_factory.mktemp("certificates"))
    with Servers() as servers:
        launched = [launch_replica(servers, f"api-{number}") for number in (1, 2, 3)]
        replicas = [replica.wait() for replica in launched]
        addresses = [f"127.0.0.1:{replica.port}" for replica in replicas]
        nginx = start_nginx(servers, addresses, certificate=certificate, fail_timeout=FAIL_TIMEOUT)
        yield Shop(servers, replicas, nginx, trust)


def served(replica: Server, route: str) -> float:
    """Return how many requests of a route this replica has served."""
    page = httpx.get(f"http://127.0.0.1:{replica.port}/metrics", timeout=60).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "http_requests_total" and sample.labels["route"] == route
    )


def connections_to(replicas: list[Server], nginx: Server) -> int:
    """Return how many connections nginx holds to the replicas."""
    ports = {replica.port for replica in replicas}
    held = [
        connection.raddr.port
        for worker in psutil.Process(nginx.pid).children()
        for connection in worker.net_connections("tcp")
        if connection.status == psutil.CONN_ESTABLISHED and connection.raddr
    ]
    return sum(port in ports for port in held)


def test_requests_are_spread_over_kept_connections(shop: Shop) -> None:
    """HTTP/2 to clients that offer it, HTTP/1.1 to others; each keeps its connection, and nginx its own."""
    sent = 60
    for http2, version in ((True, "HTTP/2"), (False, "HTTP/1.1")):
        sources = set()
        with shop.client(http2=http2) as client:
            for number in range(1, sent + 1):
                with client.stream("GET", f"/items/{number}") as response:
                    response.read()
                    assert (response.status_code, response.http_version) == (200, version)
                    sources.add(response.extensions["network_stream"].get_extra_info("client_addr"))
        assert len(sources) == 1
    counts = [served(replica, "/items/{id}") for replica in shop.replicas]
    assert sum(counts) == 2 * sent
    assert min(counts) > 0
    assert 1 <= connections_to(shop.replicas, shop.nginx) <= 12


def test_a_replica_that_dies_is_left_out_until_it_is_back(shop: Shop) -> None:
    """No request fails because of it, neither read nor order, and it gets its share again once back."""
    dead = shop.replicas[1]
    with shop.client() as client, ThreadPoolExecutor(4) as senders:

        def read(number: int) -> int:
            if number == 40:
                dead.kill()  # while others are being served
            return client.get(f"/items/{number}").status_code

        assert list(senders.map(read, range(1, 121))) == [200] * 120
        statuses = [client.post("/checkout", json=ORDER).status_code for _ in range(20)]
        assert statuses == [201] * 20
        alive = [replica for replica in shop.replicas if replica is not dead]
        assert sum(served(replica, "/checkout") for replica in alive) == 20

        shop.replicas[1] = launch_replica(shop.servers, "api-2b", port=dead.port).wait()

        def back() -> bool:
            assert client.get("/items").status_code == 200
            return served(shop.replicas[1], "/items") > 0

        wait_until(back, "the replica has its share again")


def test_only_what_is_safe_is_sent_to_another_replica(shop: Shop) -> None:
    """A read that breaks off is retried elsewhere; an order that was sent is not: it might be made twice."""
    healthy = f"127.0.0.1:{shop.replicas[0].port}"
    before = served(shop.replicas[0], "/checkout")
    with ExitStack() as stack:
        broken = [stack.enter_context(BreakingUpstream()) for _ in range(2)]
        nginx = start_nginx(shop.servers, [one.address for one in broken] + [f"{healthy}"], name="nginx-2")
        with httpx.Client(base_url=f"http://127.0.0.1:{nginx.port}", timeout=60) as client:
            # first, because three failed reads would take the broken ones out of rotation
            orders = [client.post("/checkout", json=ORDER).status_code for _ in range(3)]
            reads = [client.get("/items/1").status_code for _ in range(3)]
    assert reads == [200, 200, 200]
    assert set(orders) <= {201, 502}
    reached = sum(one.requests.count("POST /checkout HTTP/1.1") for one in broken)
    assert orders.count(502) == reached > 0
    assert served(shop.replicas[0], "/checkout") - before == orders.count(201)


def test_a_server_that_cannot_start_says_why(shop: Shop, tmp_path: Path) -> None:
    """The end of its log is in the message."""
    nothing = Certificate(tmp_path / "none", tmp_path / "none")
    with pytest.raises(
        MeasurementError, match=r"nginx-3 ended with exit code 1(.|\n)*cannot load certificate"
    ):
        start_nginx(shop.servers, ["127.0.0.1:1"], certificate=nothing, name="nginx-3")
