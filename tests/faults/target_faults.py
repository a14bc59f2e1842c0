"""The target fails, before and during the load; the control is Locust alone."""

import json
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import trustme

from tests.e2e.load.test_malformed_responses import FILE, behaviours
from tests.e2e.support.load_runs import BOTH_CLIENTS
from tests.e2e.support.servers.load_server import LoadServer
from tests.faults.catalogue import Fault, Seen, Strike
from tests.faults.runs import locust, ours, plain
from tests.support.broken_responses import BROKEN
from tests.support.hostile_server import HostileServer
from tests.support.ports import free_port

Run = Callable[[Path, str, str], Seen]
PATHS = [quote(name) for name in BROKEN]


def asking(path: str) -> str:
    """Return a Locust file whose two users ask for one path."""
    return BOTH_CLIENTS.format(plain=path, fast=path, wait=0.05)


def _behaving(name: str, path: str, *ends: int) -> Fault:
    """Return a fault of a server that responds to everything in one way."""

    def under(run: Run) -> Strike:
        def strike(folder: Path) -> Seen:
            with LoadServer() as elsewhere, LoadServer() as server:
                there = path.format(elsewhere=elsewhere.url.removeprefix("http://"))
                return run(folder, server.url, asking(there))

        return strike

    return Fault(name, ends, under(ours), under(locust))


def _at(name: str, url: Callable[[], str], *ends: int, options: tuple[str, ...] = ()) -> Fault:
    """Return a fault in which nothing responds at an address."""
    return Fault(
        name,
        ends,
        lambda folder: ours(folder, url(), asking("x"), *options),
        lambda folder: locust(folder, url(), asking("x")),
    )


def _dying(run: Callable[..., Seen]) -> Strike:
    def strike(folder: Path) -> Seen:
        with ExitStack() as stack:
            server = stack.enter_context(LoadServer())
            return run(
                folder,
                server.url,
                asking("x"),
                act=lambda _: stack.close(),
                sending=lambda: server.counts.total() > 50,
            )

    return strike


def _untrusted(run: Run) -> Strike:
    """The certificate is of an unknown authority."""

    def strike(folder: Path) -> Seen:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("localhost", "127.0.0.1").configure_cert(context)
        with LoadServer(tls=context) as server:
            return run(folder, server.url, asking("x").replace("(HttpUser)", "(FastHttpUser)"))

    return strike


def _malformed_ours(folder: Path) -> Seen:
    """Every request has to fail, whatever client sent it."""
    with HostileServer(behaviours()) as server:
        seen = ours(
            folder,
            server.url,
            FILE.format(paths=PATHS),
            change=lambda text: text.replace("workload: {", "workload: {max_body: 1 MiB, "),
        )
    (result,) = folder.glob("reports/*/result.json")
    endpoints = json.loads(result.read_text())["endpoints"]
    good = [one["endpoint"] for one in endpoints if one["failed"] != one["requests"]]
    said = f"all {len(endpoints)} pairs of client and response failed: {seen.said}"
    return Seen(seen.end, said, seen.wrong or (f"taken for good: {good[:3]}" if good else ""))


def _malformed_locust(folder: Path) -> Seen:
    with HostileServer(behaviours()) as server:
        done = plain(folder, server.url, FILE.format(paths=PATHS).replace("(LeanHttpUser)", "(HttpUser)"))
    entries = json.loads(done.stdout) if done.stdout.startswith("[") else []
    entries = [one for one in entries if not one["name"].startswith("Lean")]
    good = [one for one in entries if one["num_failures"] < one["num_requests"]]
    return Seen(done.returncode, f"{len(good)} of {len(entries)} pairs of client and response taken for good")


FAULTS = (
    _behaving("none, for comparison", "x", 0),
    _at("refuses connections", lambda: f"http://127.0.0.1:{free_port()}", 4),
    _at(
        "unknown host",
        lambda: "http://shop.invalid",
        4,
        options=("--allow-target", "shop.invalid"),
    ),
    Fault("certificate of an unknown authority", (4,), _untrusted(ours), _untrusted(locust)),
    Fault("dies during the load", (1,), _dying(ours), _dying(locust)),
    _behaving("accepts and never responds", "hang", 1, 3),
    _behaving("drips bytes", "drip", 1, 3),
    _behaving("resets in the middle of a body", "reset", 1),
    _behaving("closes without a response", "silent", 1),
    _behaving("speaks something else than HTTP", "garbage", 1),
    _behaving("responds 503", "status/503", 1),
    _behaving("responds 429", "status/429", 1),
    _behaving("responds 404 to everything", "status/404", 4),
    _behaving("responds 404 to every second request", "every/2-404", 4),
    _behaving("redirects to another host, which is fine", "redirect/{elsewhere}", 4),
    _behaving("redirects to a login page", "to/login", 4),
    Fault(f"{len(BROKEN)} malformed responses", (1,), _malformed_ours, _malformed_locust),
)
