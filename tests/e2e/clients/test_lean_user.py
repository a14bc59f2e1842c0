"""`LeanHttpUser` in a Locust file: it replaces FastHttpUser, under slocheck and under plain Locust."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from slocheck.evidence.recording import FailureClass
from tests.builders.load_plans import make_plan, write_scenario
from tests.e2e.support.load_runs import Run, run, sent_of
from tests.e2e.support.plain_locust import locust_alone
from tests.support.hostile_server import Behaviour, HostileServer, Peer, hang, respond_with

FAST = "from locust import FastHttpUser as U"
LEAN = "from slocheck.users import LeanHttpUser as U"
DROP_IN = """
    {imported}
    from locust import TaskSet, constant, task
    from locust.exception import StopUser


    class Steps(U):
        wait_time = constant(0)
        default_headers = {{"X-Default": "d"}}

        def on_start(self):
            self.client.post("/login", json={{"user": "a", "n": 1}})

        def on_stop(self):
            self.client.get("/bye")

        @task
        class Nested(TaskSet):
            @task
            class Deeper(TaskSet):
                @task
                def all_of_it(self):
                    calls(self.client)
                    raise StopUser


    def calls(client):
        assert client.get("/plain").text == "ok"
        client.get("/named/1", name="/named/{{id}}")
        client.get("/named/2", name="/named/{{id}}", headers={{"X-Own": "o", "x-default": "mine"}})
        with client.rename_request("renamed"):
            client.get("/named/3")
            client.get("/named/4", name="its own")
        client.request("PUT", "/put", data="text")
        client.put("/put", data=b"bytes")
        client.patch("/patch", json=[1, 2])
        client.post("/form", data={{"a": "b c", "d": "e"}})
        client.post("/empty")
        client.delete("/delete")
        client.options("/options")
        client.head("/head")
        client.get("/auth", auth=("ann", "secret"))
        assert client.get("/json").json() == {{"a": [1]}}
        assert client.get("/zipped").text == "zipped"
        assert client.get("/status/404").status_code == 404
        assert not client.get("/status/500").ok
        client.get("/set-cookie")
        client.get("/shows-cookie")
        with client.get("/good", catch_response=True) as response:
            assert response.ok and response.headers["X-Told"] == "yes"
        with client.get("/failed", catch_response=True) as response:
            response.failure("not what I want")
        with client.get("/status/404", name="excused", catch_response=True) as response:
            response.success()
        with client.get("/status/500", name="not excused", catch_response=True) as response:
            pass
        with client.get("/good", name="both", catch_response=True) as response:
            response.success()
            response.failure("after all")
"""
ZIPPED = gzip.compress(b"zipped")


def status(peer: Peer, head: bytes) -> bool:
    """Respond with the status that the path names."""
    code = head.split(b" ")[1].split(b"/")[2]
    return respond_with(b"HTTP/1.1 %s Planted\r\nContent-Length: 0\r\n\r\n" % code)(peer, head)


def with_fields(fields: bytes, body: bytes = b"") -> Behaviour:
    """Return a behaviour that returns 200 with fields and a body."""
    return respond_with(b"HTTP/1.1 200 OK\r\n%s\r\nContent-Length: %d\r\n\r\n" % (fields, len(body)) + body)


BEHAVIOURS: dict[str, Behaviour] = {
    "status": status,
    "json": with_fields(b"Content-Type: application/json", b'{"a": [1]}'),
    "zipped": with_fields(b"Content-Encoding: gzip", ZIPPED),
    "good": with_fields(b"X-Told: yes"),
    "head": respond_with(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
    "set-cookie": with_fields(b"Set-Cookie: a=b; Path=/"),
}
SEEN = ("authorization", "content-type", "content-length", "cookie", "x-default", "x-own")


def seen(server: HostileServer) -> Counter[tuple[str, ...]]:
    """Return the requests as the server saw them: request line, and the fields that a task decides on."""
    found: Counter[tuple[str, ...]] = Counter()
    for head in server.heads:
        line, *fields = head.decode("latin-1").split("\r\n")
        told = [field for field in fields if field.lower().startswith(SEEN)]
        compact = [field for field in told if field.lower() != "content-length: 0"]
        found[(line, *sorted(name.lower() for name in compact))] += 1
    return found


def by_endpoint(ended: Run) -> dict[str, tuple[int, dict[FailureClass, int], dict[int, int]]]:
    """Return what was counted: requests, failures and statuses of each endpoint."""
    totals = {(name := str(one.endpoint)): ended.total(name) for one in ended.result.recording.endpoints}
    return {name: (c.sent, dict(c.failures), dict(c.statuses)) for name, c in totals.items()}


def test_one_import_changes_nothing_but_the_speed(tmp_path: Path) -> None:
    """The same tasks send the same requests and get the same counts, whichever client they import."""
    counted, sent = [], []
    for imported in (FAST, LEAN):
        with HostileServer(BEHAVIOURS) as server:
            scenario = write_scenario(tmp_path, DROP_IN.format(imported=imported))
            ended = run(make_plan(server.url, scenario, duration_s=60), until=sent_of("GET /bye", each=2))
        assert ended.result.health.exceptions == {}
        assert ended.sent == server.requests.total()
        counted.append(by_endpoint(ended))
        sent.append(seen(server))
    assert counted[0] == counted[1]
    assert sent[0] == sent[1]
    assert counted[1]["GET /failed"] == (2, {FailureClass.EXPECTATION: 2}, {200: 2})
    assert counted[1]["GET excused"] == (2, {}, {404: 2})
    assert counted[1]["GET both"][1] == {FailureClass.EXPECTATION: 2}
    assert counted[1]["GET not excused"][1] == {FailureClass.STATUS: 2}


def both_ended(server: HostileServer) -> Callable[[], bool]:
    """Return a condition: both users have said goodbye."""
    return lambda: server.requests["/bye"] == 2


def test_plain_locust_counts_alike(tmp_path: Path) -> None:
    """Under Locust itself both imports give the same statistics, as Locust counts."""
    counted = []
    for imported in (FAST, LEAN):
        with HostileServer(BEHAVIOURS) as server:
            text = DROP_IN.format(imported=imported)
            code, entries, said = locust_alone(tmp_path, server.url, text, both_ended(server))
        assert code == 0, said
        assert sum(entry["num_requests"] for entry in entries) == server.requests.total() > 40
        counted.append(
            {
                (entry["method"], entry["name"]): (entry["num_requests"], entry["num_failures"])
                for entry in entries
            }
        )
        assert all(entry["max_response_time"] > 0 for entry in entries)
    assert counted[0] == counted[1]
    assert counted[1]["GET", "excused"] == (2, 0)
    assert counted[1]["GET", "/status/404"] == (2, 2)


def test_a_proxy_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """In plain Locust too, which then starts no user."""
    text = f"""
        {LEAN}

        class Asking(U):
            proxy_host = "127.0.0.1"
    """
    with HostileServer() as server:
        _, entries, said = locust_alone(tmp_path, server.url, text)
    assert entries == []
    assert "this client does not use proxies" in said
    assert server.connections == 0


BLOCKS = f"""
    import gevent
    {LEAN}
    from locust import constant, task
    from locust.exception import RescheduleTask, StopUser

    class Blocks(U):
        wait_time = constant(0)

        @task
        def everything(self):
            client = self.client
            for name, raised in (("raises", KeyError("absent")), ("leaves", RescheduleTask())):
                try:
                    with client.get("/" + name, catch_response=True):
                        raise raised
                except (KeyError, RescheduleTask):
                    pass
            try:
                with client.get("/broken", catch_response=True) as response:
                    response.text
            except Exception as error:
                assert type(error).__name__ == "TransportError", error
            client.get("/broken", name="unread")
            client.get("/forgotten", catch_response=True)
            with client.get("/reset", catch_response=True) as response:
                assert response.status_code == 0 and response.error is not None and not response.ok
                response.success()
            with client.get("/status/503", catch_response=True) as response:
                response.success()
            with client.get("/status/404", catch_response=True) as response:
                response.raise_for_status()
            try:
                with gevent.Timeout(0.2):
                    client.get("/hangs")
            except gevent.Timeout:
                pass
            for url in ("http://other.example/x", "/x\\ud800"):
                try:
                    client.get(url)
                except ValueError as error:
                    assert type(error).__name__ == "UnsendableRequestError", error
                else:
                    raise AssertionError(url)
            try:
                client.get("/x", headers={{"X": "a\\r\\nY: b"}})
            except ValueError:
                pass
            group = [gevent.spawn(client.get, "/side-by-side") for _ in range(3)]
            gevent.joinall(group, raise_error=True)
            client.get(self.host + "/absolute?x=1", name="absolute")
            raise StopUser
"""


def test_what_a_block_says_of_its_response(tmp_path: Path) -> None:
    """Each request counts once: by success() or failure(), what was raised, its status, or its error."""
    behaviours: dict[str, Behaviour] = {
        "status": status,
        "broken": with_fields(b"Content-Encoding: gzip", b"no gzip"),
        "reset": respond_with(b"", keep=False),
        "hangs": hang,
    }
    with HostileServer(behaviours) as server:
        plan = make_plan(server.url, write_scenario(tmp_path, BLOCKS), users=1, duration_s=60, drain_s=2)
        ended = run(plan, until=sent_of("GET absolute"))
    unsent = ended.result.health.exceptions
    assert list(unsent.values()) == [1, 1, 1]
    assert all("could not be sent: UnsendableRequestError" in text for text in unsent)
    assert ended.sent == server.requests.total()
    failures = {name: failed for name, (_, failed, _) in by_endpoint(ended).items()}
    assert failures == {
        "GET /raises": {FailureClass.EXPECTATION: 1},
        "GET /leaves": {},
        "GET /broken": {FailureClass.PROTOCOL: 1},
        "GET unread": {FailureClass.PROTOCOL: 1},
        "GET /forgotten": {},
        "GET /reset": {FailureClass.RESET: 1},
        "GET /status/503": {FailureClass.STATUS: 1},
        "GET /status/404": {FailureClass.EXPECTATION: 1},
        "GET /hangs": {FailureClass.TIMEOUT: 1},
        "GET /side-by-side": {},
        "GET absolute": {},
    }
    assert server.requests["/absolute"] == 1
    assert ended.total("GET /side-by-side").sent == 3


def redirecting(code: int, location: str) -> Behaviour:
    """Return a behaviour that redirects."""
    return respond_with(
        b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (code, location.encode())
    )


REDIRECTS = f"""
    {LEAN}
    from locust import constant, task
    from locust.exception import StopUser

    class Redirected(U):
        wait_time = constant(0)

        @task
        def once(self):
            get, post = self.client.get, self.client.post
            get("/a", name="not asked")
            assert get("/a", name="asked", params={{"q": 1}}, allow_redirects=True).text == "ok"
            assert post("/see", name="303", json={{"a": 1}}, allow_redirects=True).text == "ok"
            assert post("/keep", name="307", json={{"a": 1}}, allow_redirects=True).text == "ok"
            assert get("/whole", name="whole", allow_redirects=True).text == "ok"
            self.client.head("/see", name="head", allow_redirects=True)
            get("/away", name="away", allow_redirects=True)
            get("/loop", name="loop", allow_redirects=True)
            raise StopUser
"""


def test_redirects_are_followed_on_request_and_on_the_same_host(tmp_path: Path) -> None:
    """Off by default; if followed, they count once, with the first status; other hosts are never visited."""
    with HostileServer() as other, HostileServer() as server:
        server.behaviours |= {
            "a": redirecting(302, "/b"),
            "b": redirecting(301, "c"),
            "see": redirecting(303, "/c"),
            "keep": redirecting(307, "/c"),
            "whole": redirecting(308, f"{server.url}/c?w=1"),
            "away": redirecting(302, f"{other.url}/c"),
            "loop": redirecting(302, "/loop"),
        }
        plan = make_plan(server.url, write_scenario(tmp_path, REDIRECTS), users=1, duration_s=60)
        ended = run(plan, until=sent_of("GET loop"))
    assert other.connections == 0
    assert ended.result.health.exceptions == {}
    found = by_endpoint(ended)
    protocol, unexpected = {FailureClass.PROTOCOL: 1}, {FailureClass.UNEXPECTED: 1}
    assert {name: (failed, statuses) for name, (_, failed, statuses) in found.items()} == {
        "GET not asked": (unexpected, {302: 1}),
        "GET asked": (unexpected, {302: 1}),
        "POST 303": (unexpected, {303: 1}),
        "POST 307": (unexpected, {307: 1}),
        "GET whole": (unexpected, {308: 1}),
        "HEAD head": (unexpected, {303: 1}),
        "GET away": (unexpected, {302: 1}),
        "GET loop": (protocol, {0: 1}),
    }
    lines = Counter(head.split(b"\r\n")[0].rpartition(b" ")[0].decode() for head in server.heads)
    assert lines["GET /a?q=1"] == lines["POST /c"] == lines["HEAD /c"] == lines["GET /c?w=1"] == 1
    assert lines["GET /c"] == 2, "parameters are the first request's"


STATISTICS = f"""
    import json, os
    {LEAN}
    from locust import FastHttpUser, constant, events, task
    from locust.runners import MasterRunner

    class Fast(FastHttpUser):
        wait_time = constant(0.02)

        @task
        def ask(self):
            self.client.get("/fast")
            self.client.get("/status/500", name="fast fails")

    class Lean(U):
        wait_time = constant(0.02)

        @task
        def ask(self):
            self.client.get("/lean")
            self.client.get("/status/500", name="lean fails")

    @events.test_stop.add_listener
    def tell(environment, **_):
        if isinstance(environment.runner, MasterRunner):
            stats = environment.stats
            found = {{e.name: (e.num_requests, e.num_failures) for e in stats.entries.values()}}
            found["total"] = (stats.total.num_requests, stats.total.num_failures)
            found["errors"] = (sum(e.occurrences for e in stats.errors.values()), 0)
            with open(os.environ["TOLD"], "w") as told:
                json.dump(found, told)
"""


@pytest.mark.parametrize("processes", [1, 2])
def test_locusts_own_statistics_agree_with_the_recording(
    tmp_path: Path, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listener in the scenario that reads them when the test stops finds every request."""
    told = tmp_path / "told.json"
    monkeypatch.setenv("TOLD", str(told))
    scenario = write_scenario(tmp_path, STATISTICS)
    with HostileServer(BEHAVIOURS) as server:
        plan = make_plan(server.url, scenario, users=4, processes=processes)
        ended = run(plan)
    found = {name: tuple(counts) for name, counts in json.loads(told.read_text()).items()}
    recorded = {
        name[4:]: (sent, sum(failed.values())) for name, (sent, failed, _) in by_endpoint(ended).items()
    }
    failed = sum(count for _, count in recorded.values())
    assert found == {**recorded, "total": (ended.sent, failed), "errors": (failed, 0)}
    assert ended.sent == server.requests.total()
