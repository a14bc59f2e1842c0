"""Requests that cannot be sent, or whose responses are fine: the target is not to blame."""

from pathlib import Path

from slocheck.evidence.recording import FailureClass
from tests.builders.load_plans import make_plan, write_scenario
from tests.e2e.support.load_runs import run, sent_of
from tests.e2e.support.servers.load_server import LoadServer

CLUMSY = """
    from locust import FastHttpUser, HttpUser, User, constant, task
    from slocheck.users import LeanHttpUser

    def calls(client):
        yield lambda: client.request("", "/method")
        yield lambda: client.get("//slashes")
        yield lambda: client.get("/field", headers={"Bad Name": "x"})
        yield lambda: client.get("/chinese", headers={"X-Name": "\u4f60\u597d"})
        yield lambda: client.post("/lines", headers={"X-Name": "a\\r\\nb"})
        yield lambda: client.get("/params", params=5)
        yield lambda: client.post("/json", json=object())
        yield lambda: client.get(None)
        yield lambda: client.get("/unknown", headers=7)
        yield lambda: client.post("/body", data=object())

    class Clumsy(User):
        abstract = True
        wait_time = constant(0.02)

        @task
        def ask(self):
            for call in calls(self.client):
                try:
                    call()
                except Exception:
                    pass
                self.client.get("/good", name="good")
            for method, status in (("GET", 204), ("GET", 304), ("HEAD", 200)):
                self.client.request(method, f"/encoded/{status}", name="encoded")
            self.client.get("/uncaught", headers={"X": "\u4f60"})

    class Plain(Clumsy, HttpUser):
        pass

    class Fast(Clumsy, FastHttpUser):
        concurrency = 2

    class Lean(Clumsy, LeanHttpUser):
        pass

    class Own(User):
        wait_time = constant(0.05)

        @task
        def call(self):
            for error in (ValueError("response 7, not 8"), ConnectionRefusedError(111, "refused")):
                self.environment.events.request.fire(
                    request_type="RPC", name=type(error).__name__, response_time=1, response_length=0,
                    exception=error, context={},
                )
"""
NAMES = (
    "/method",
    "//slashes",
    "/field",
    "/chinese",
    "/lines",
    "/params",
    "/json",
    "None",
    "/unknown",
    "/body",
    "/uncaught",
)


def test_what_a_file_cannot_have_meant_is_not_a_failure_of_the_target(tmp_path: Path) -> None:
    """A request that cannot be built is reported once, with its line, even if the file catches the error.

    Nor is an empty body that a header calls compressed, and what a client of the file's own reports is an
    expectation unless it is plainly the network's.
    """
    scenario = write_scenario(tmp_path, CLUMSY)
    with LoadServer() as server:
        plan = make_plan(server.url, scenario, users=4, duration_s=60)
        ended = run(plan, until=sent_of("HEAD encoded", "RPC ValueError", each=9))
    exceptions = ended.result.health.exceptions
    for name in NAMES:
        told = [text for text in exceptions if f" {name} could not be sent: " in text]
        assert sum(exceptions[text] for text in told) >= 3, (name, exceptions)
        assert all("scenario.py:" in text for text in told)
    assert sum(exceptions.values()) == sum(n for text, n in exceptions.items() if "could not be sent" in text)
    assert {path for path in server.counts if path != "/body"} == {
        "/good", "/encoded/204", "/encoded/304", "/encoded/200",
    }  # fmt: skip
    sent = {str(one.endpoint) for one in ended.result.recording.endpoints}
    assert sent == {
        "GET good", "GET encoded", "HEAD encoded", "RPC ValueError", "RPC ConnectionRefusedError",
    }  # fmt: skip
    for name in ("GET good", "GET encoded", "HEAD encoded"):
        assert ended.total(name).ok == ended.total(name).sent > 0, name
    assert ended.total("GET good").ok == server.counts["/good"]
    assert set(ended.total("RPC ValueError").failures) == {FailureClass.EXPECTATION}
    assert set(ended.total("RPC ConnectionRefusedError").failures) == {FailureClass.REFUSED}


UNMEASURED = """
    from types import SimpleNamespace

    import gevent
    from locust import FastHttpUser, HttpUser, User, constant, events, task
    from requests.adapters import HTTPAdapter
    from slocheck.users import LeanHttpUser

    @events.report_to_master.add_listener
    def add_junk(client_id, data):
        data["junk"] = object()
        data["more junk"] = "x" * (1 << 26)

    class Again(HTTPAdapter):
        def send(self, request, **kwargs):
            answer = super().send(request, **kwargs)
            return super().send(request.copy(), **kwargs) if answer.status_code == 200 else answer

    class Repeats(HttpUser):
        wait_time = constant(0.1)

        @task
        def ask(self):
            self.client.mount(self.host, Again())
            self.client.get("/again")

    asked = []

    class Kills(User):
        abstract = True
        wait_time = constant(3600)

        @task
        def ask(self):
            asking = gevent.spawn(self.slow)
            gevent.sleep(0.3)
            asking.kill()
            with gevent.Timeout(1, False):
                gevent.sleep(0.2)
                self.client.get("/delay/2000", name=f"{type(self).__name__} within a second")
            try:
                gevent.get_hub().threadpool.apply(lambda: self.client.get("/never"))
            except RuntimeError:
                pass
            asked.append(self)
            if len(asked) == 3:
                self.environment.runner.quit()

        def slow(self):
            self.client.get("/delay/2000", name=type(self).__name__)

    class Plain(Kills, HttpUser):
        pass

    class Fast(Kills, FastHttpUser):
        pass

    class Lean(Kills, LeanHttpUser):
        pass

    class Own(User):
        wait_time = constant(0.1)

        @task
        def call(self):
            self.environment.events.request.fire(
                request_type="RPC", name="untimed", response_time=None, response_length=0, exception=None,
                context={},
            )
            for time, status in ((1e300, 200), (-10 ** 30, 200), (1.0, 10 ** 30)):
                self.environment.events.request.fire(
                    request_type="RPC", name="odd \\ud83d", response_time=time, response_length=-10 ** 30,
                    response=SimpleNamespace(status_code=status, headers={}), exception=None, context={},
                )
            self.environment.runner.send_message("exception", 10 ** 30)
            self.environment.runner.send_message("own", {"__ObjectId__": 1, "as_str": "x"})
            gevent.get_hub().threadpool.apply(
                lambda: self.environment.events.request.fire(
                    request_type="RPC", name="told in a thread", response_time=1, response_length=0,
                    exception=None, context={},
                )
            )
            if len(self.environment.runner.user_greenlets) == 5:
                self.stop(force=True)
"""
SAID = (
    "GET /again was sent a second time by Again, and slocheck counts a request once",
    "GET Plain was killed before its response; let the client time out instead",
    "GET Fast was killed before its response; let the client time out instead",
    "GET Lean was killed before its response; let the client time out instead",
    *(
        f"GET {name} within a second was killed before its response; let the client time out instead"
        for name in ("Plain", "Fast", "Lean")
    ),
    "GET /never could not be sent: OtherThreadError: a client works in its user's thread only; ",
    "RPC untimed was reported with response_time=None",
    "RPC odd \\ud83d was reported with response_time=1e+300",
    f"RPC odd \\ud83d was reported with response_time=-1{'0' * 30}",
    f"RPC odd \\ud83d was reported with status_code=1{'0' * 30}",
)


def test_what_the_file_keeps_from_being_measured_is_not_a_failure_of_the_target(tmp_path: Path) -> None:
    """Sent twice, killed, without a time or with an odd one: reported with its line, not as a failure."""
    scenario = write_scenario(tmp_path, UNMEASURED)
    with LoadServer() as server:
        ended = run(make_plan(server.url, scenario, users=5, duration_s=60))
    health = ended.result.health
    for text in SAID:
        found = [said for said in health.exceptions if said.startswith(text)]
        assert found, (text, health.exceptions)
        assert all("scenario.py:" in said for said in found)
    unsent = sum(count for said, count in health.exceptions.items() if "could not be sent" in said)
    assert health.unrecorded == sum(health.exceptions.values()) - unsent
    assert "/never" not in server.counts
    assert ended.sent == ended.total("RPC told in a thread").ok > 0, ended.result.recording.endpoints
    (worker,) = health.workers
    assert (worker.complete, worker.unreadable) == (True, 0)
    for what in ("'junk' cannot be sent: can not serialize", "'more junk' cannot be sent: 67,108,"):
        assert any(what in text for text in worker.messages), worker.messages
    assert health.gone.startswith("a user was ended: user.stop() in ")
