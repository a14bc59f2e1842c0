"""What is not a complete response is a failure in every client, with the same name."""

from pathlib import Path
from urllib.parse import quote

from slocheck.evidence.recording import FailureClass
from tests.builders.load_plans import make_plan, write_scenario
from tests.e2e.support.load_runs import Run, run, sent_of
from tests.support.broken_responses import BROKEN, MAX_BODY, WHOLE
from tests.support.hostile_server import Behaviour, HostileServer, respond_with

REDIRECTS: dict[str, tuple[Behaviour, FailureClass]] = {
    "loop": (
        respond_with(b"HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n"),
        FailureClass.PROTOCOL,
    ),
    "away": (
        respond_with(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"),
        FailureClass.UNEXPECTED,
    ),
}
FILE = """
    from locust import FastHttpUser, HttpUser, constant, task
    from slocheck.users import LeanHttpUser

    def ask(user):
        kind = type(user).__name__
        for path in {paths!r}:
            user.client.get(f"/{{path}}", name=f"{{kind}} {{path}}", allow_redirects=True)

    class Plain(HttpUser):
        wait_time = constant(0.01)
        tasks = [ask]

    class Fast(FastHttpUser):
        wait_time = constant(0.01)
        tasks = [ask]

    class Lean(LeanHttpUser):
        wait_time = constant(0.01)
        tasks = [ask]
"""


def behaviours() -> dict[str, Behaviour]:
    """Return each response, broken or whole, by its path."""
    broken = {
        quote(name): respond_with(data, keep=failure is not FailureClass.RESET)
        for name, (data, failure) in BROKEN.items()
    }
    whole = {quote(name): respond_with(data, keep=name != "until closed") for name, data in WHOLE.items()}
    return broken | whole | {name: behave for name, (behave, _) in REDIRECTS.items()}


def _judged(ended: Run, name: str) -> FailureClass | str | None:
    """Return the one class that all requests of an endpoint failed with; None if all succeeded."""
    counts = ended.total(f"GET {name}")
    assert counts.sent, name
    classes = set(counts.failures) | ({None} if counts.ok else set())
    return classes.pop() if len(classes) == 1 else f"several: {classes}"


def test_all_clients_judge_a_response_alike(tmp_path: Path) -> None:
    """HttpUser, FastHttpUser and LeanHttpUser give each response the same failure class and message.

    A scenario has the lean client's connection, whose own test has the same responses.
    """
    expected: dict[str, FailureClass | None] = {quote(name): failure for name, (_, failure) in BROKEN.items()}
    expected |= dict.fromkeys(map(quote, WHOLE)) | {name: failure for name, (_, failure) in REDIRECTS.items()}
    kinds = ("Plain", "Fast", "Lean")
    with HostileServer(behaviours()) as server:
        scenario = write_scenario(tmp_path, FILE.format(paths=list(expected)))
        plan = make_plan(server.url, scenario, users=3, duration_s=120, max_body=MAX_BODY)
        ended = run(plan, until=sent_of(*(f"GET {kind} {name}" for kind in kinds for name in expected)))
    assert (ended.result.error, ended.result.health.exceptions) == ("", {})
    seen = {(kind, name): _judged(ended, f"{kind} {name}") for name in expected for kind in kinds}
    assert {key: found for key, found in seen.items() if found is not expected[key[1]]} == {}
    words = [error.message for error in ended.result.recording.errors if "bomb" in str(error.endpoint)]
    assert set(words) == {"the body is larger than workload.max_body (1 MiB, decoded)"}
