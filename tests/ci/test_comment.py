"""The comment on a pull request: one per spec, updated and not repeated, whoever else comments."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from slocheck.reporters import FORMATS
from tests.builders.reports import HOSTILE, hostile_report, report
from tests.support.workflow import Runner

BOT = "github-actions[bot]"
COMMENTS = "/repos/shop/api/issues/12/comments"


@dataclass
class Forge:
    """The comments of one pull request, served as GitHub's API serves them.

    Attributes:
        url: Of the API.
        comments: In the order of their numbers.
        tokens: The tokens that came.
    """

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)

    def add(self, body: str, author: str = BOT) -> None:
        """Add a comment."""
        number = len(self.comments)
        url = f"{self.url}/repos/shop/api/issues/comments/{number}"
        self.comments.append({"url": url, "body": body, "user": {"login": author}})

    def answer(self, method: str, path: str, body: bytes) -> object:
        """Handle a request; returns the API's response."""
        place, _, query = path.partition("?")
        if method == "GET":
            assert place == COMMENTS
            options = dict(part.split("=") for part in query.split("&"))
            size, page = int(options["per_page"]), int(options["page"])
            return self.comments[size * (page - 1) : size * page]
        text = json.loads(body)["body"]
        if method == "POST":
            assert place == COMMENTS
            self.add(text)
        else:
            self.comments[int(place.rpartition("/")[2])]["body"] = text
        return {}


@pytest.fixture
def forge() -> Iterator[Forge]:
    """Serve a forge on loopback."""
    found = Forge()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found.tokens.add(self.headers.get("Authorization"))
            said = json.dumps(found.answer(self.command, self.path, body)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 - the names that the server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield found
        server.shutdown()
        thread.join()


def comment(forge: Forge, folder: Path, text: str, *, number: str = "12") -> int:
    """Let the action's step comment with a summary; returns its exit code."""
    summary = folder / "summary $(touch pwned).md"
    summary.write_text(text, "utf-8")
    context = {"github.token": "t-1", "github.event.number": number}
    environment = {"GITHUB_API_URL": forge.url, "GITHUB_REPOSITORY": "shop/api", "no_proxy": "127.0.0.1"}
    runner = Runner(folder, folder, {}, environment, context)
    runner.outputs["run"] = {"summary": str(summary)}
    code = runner.run("Keep a comment on the pull request").returncode
    assert not [*folder.rglob("pwned")]
    return code


def test_one_comment_is_kept_and_changed(forge: Forge, tmp_path: Path) -> None:
    """The first run adds it after 150 others, the second updates it; one that only looks like it stays."""
    first = FORMATS["markdown"].render(report())
    for number in range(150):
        forge.add(f"comment {number}", author="somebody")
    forge.add(first, author="somebody")
    assert comment(forge, tmp_path, first) == 0
    second = FORMATS["markdown"].render(hostile_report(HOSTILE[5])).partition("\n")[2]
    marker = first.partition("\n")[0]
    assert comment(forge, tmp_path, f"{marker}\n{second}") == 0
    assert len(forge.comments) == 152
    assert forge.comments[150]["body"] == first
    assert forge.comments[151]["body"] == f"{marker}\n{second}"
    assert forge.tokens == {"Bearer t-1"}


@pytest.mark.parametrize(
    ("text", "number"),
    [("no marker", "12"), ("<!-- slocheck a -->", "12; touch pwned"), ("<!-- slocheck a -->", "")],
)
def test_what_is_no_summary_or_no_pull_request_is_refused(
    forge: Forge, tmp_path: Path, text: str, number: str
) -> None:
    """Nothing is sent to the forge."""
    assert comment(forge, tmp_path, text, number=number) == 1
    assert forge.tokens == set()
