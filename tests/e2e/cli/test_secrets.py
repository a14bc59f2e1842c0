"""Canaries: whichever client carries a secret, and in whichever encoding, no output of a run shows it."""

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

from slocheck.pipeline.archive import Archive
from slocheck.pipeline.regrade import regrade
from slocheck.reporters import FORMATS
from tests.e2e.support.cli import slocheck, write_spec

TOKEN = "c4nary/t0ken+of=the shop"
LISTED = "c4nary-licence-0815"
PASSWORD = "c4nary:passw0rd"
METRICS_TOKEN = "c4nary-metrics-t0ken"
ENVIRONMENT = {
    "SHOP_TOKEN": TOKEN,
    "SHOP_LICENCE": LISTED,
    "DB_PASSWORD": PASSWORD,
    "PAGE_TOKEN": METRICS_TOKEN,
    "NO_COLOR": "1",
}
SECRETS = (TOKEN, LISTED, PASSWORD, METRICS_TOKEN)
CLEAN = "erase\x1b[2Jthe screen\n::error::pwned\n##vso[task.complete]"
SCENARIO = f"""
import base64, logging, os, urllib.parse
import requests
from locust import FastHttpUser, HttpUser, constant, task
from slocheck.users import LeanHttpUser

SECRETS = [os.environ[name] for name in ("SHOP_TOKEN", "SHOP_LICENCE", "DB_PASSWORD", "PAGE_TOKEN")]
PLAIN, QUOTED = SECRETS, [urllib.parse.quote(each, safe="") for each in SECRETS]
BASE64 = [base64.b64encode(("ann:" + each).encode()).decode() for each in SECRETS]


def carry(user):
    name = type(user).__name__
    for plain, quoted, encoded in zip(PLAIN, QUOTED, BASE64):
        headers = {{"Authorization": "Basic " + encoded, "X-Key": plain}}
        user.client.get("/ok/" + quoted + "?q=query-of-" + name, headers=headers)
        user.client.get("/broken/" + encoded + "?token=" + quoted, headers=headers)
        with user.client.get("/ok?i=id-of-all", name=name + " " + plain, catch_response=True) as response:
            response.failure("refused " + plain + " and " + encoded + " at /x?y=value-of-all")
        print("printed", plain, quoted, encoded, {CLEAN!r})
        logging.getLogger("shop").warning("logged %s %s %s", plain, quoted, encoded)


def alone(user):
    session = requests.Session()
    session.get(user.host + "/broken/own?token=" + QUOTED[0], headers={{"X-Key": PLAIN[0]}})
    raise ValueError("raised " + PLAIN[0] + " " + BASE64[1])


class Plain(HttpUser):
    wait_time = constant(0.05)
    tasks = [carry, alone]


class Fast(FastHttpUser):
    wait_time = constant(0.05)
    tasks = [carry]


class Lean(LeanHttpUser):
    wait_time = constant(0.05)
    tasks = [carry]
"""


def forms(secret: str) -> Iterator[str]:
    """Yield a secret in the three encodings, and in that of reports in JSON and HTML."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield quote(secret, safe="")
    yield quote(secret)
    for before in ("", "ann:"):
        yield base64.b64encode((before + secret).encode()).decode().rstrip("=")[len(before) * 2 :][:-2]


class _Echo(BaseHTTPRequestHandler):
    """Echoes what it was sent: in the body, in the reason, in a metrics page's labels."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer 500 below /broken; the page has labels with secrets."""
        sent = f"{self.path} {self.headers.get('Authorization', '')} {self.headers.get('X-Key', '')}"
        text = page() if self.path == "/metrics" else sent
        self.send_response(500 if self.path.startswith("/broken") else 200, "said")
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def page() -> str:
    """Return a metrics page whose label values hold the secrets, and the value of a query."""
    lines = ["# TYPE http_requests_total counter"]
    for secret in SECRETS:
        written = (secret, quote(secret, safe=""), base64.b64encode(f"ann:{secret}".encode()).decode())
        series = 'http_requests_total{{path="/x/{}?q=label-of-all",status="200"}} 1'
        lines += [series.format(form) for form in written]
    lines.append("process_start_time_seconds 1700000000")
    return "\n".join(dict.fromkeys(lines)) + "\n"


@contextmanager
def echo_server() -> Iterator[str]:
    """Serve on a free port; yields the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def sinks(folder: Path) -> dict[str, str]:
    """Return the text of every file of a run, the evidence unpacked."""
    (run,) = (path for path in (folder / "reports").iterdir() if path.is_dir())
    found = {}
    for path in run.iterdir():
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found[path.name] = data.decode(errors="replace")  # the counts are bytes
    return found


def test_no_output_shows_a_secret(tmp_path: Path) -> None:
    """Terminal, log, every format, history, evidence and archived spec; nor the values of any query."""
    with echo_server() as url:
        spec = write_spec(
            tmp_path,
            url,
            scenario=SCENARIO,
            workload="users: 3, spawn_rate: 3/s, warmup: 0s, duration: 4s",
            source=f'scrape: {{urls: ["{url}/metrics"], preset: {{counter: http_requests_total, '
            "route_label: path, status_label: status}, auth: {bearer_token_env: PAGE_TOKEN}}\n",
            more="secrets: [SHOP_LICENCE]\n",
        )
        done = slocheck("run", spec, "-v", cwd=tmp_path, environment=ENVIRONMENT)
    assert done.returncode in (1, 3, 4), done.stderr
    again = slocheck("grade", "latest", "--json", cwd=tmp_path, environment=ENVIRONMENT)
    history = slocheck("history", "--json", cwd=tmp_path, environment=ENVIRONMENT)
    report = regrade(["latest"], Archive(tmp_path / "reports"))
    shown = {
        **{f"report --format {name}": form.render(report) for name, form in FORMATS.items()},
        "history": history.stdout + history.stderr,
        "stdout": done.stdout,
        "stderr": done.stderr,
        "grade": again.stdout + again.stderr,
        **sinks(tmp_path),
    }
    files = {"scenario.log", "evidence.json.gz", "result.json", "report.html", "junit.xml", "summary.md"}
    assert files <= shown.keys(), done.stderr
    for name, text in shown.items():
        for secret in SECRETS:
            assert not [form for form in forms(secret) if form in text], (name, secret)
        assert "c4nary" not in text, name
        for query in ("query-of-", "value-of-all", "id-of-all", "label-of-all"):
            assert query not in text, (name, query)
    assert "***" in shown["scenario.log"]
    assert "printed" in shown["stderr"]
    assert all(f"{client} ***" in shown["result.json"] for client in ("Plain", "Fast", "Lean"))
    assert "http_requests_total" in shown["evidence.json.gz"]
    for name in ("stdout", "stderr", "scenario.log"):
        assert "\x1b" not in shown[name]
        assert "::error" not in shown[name]
        assert "##vso[" not in shown[name]


def test_an_error_of_the_import_shows_none_either(tmp_path: Path) -> None:
    """The message contains the last line of what it raised, cleaned, without the secret."""
    raising = (
        f"import os\nraise RuntimeError(os.environ['SHOP_TOKEN'] + {CLEAN!r} + os.environ['SHOP_LICENCE'])\n"
    )
    spec = write_spec(tmp_path, "http://127.0.0.1:9", scenario=raising, more="secrets: [SHOP_LICENCE]\n")
    for command in (["validate"], ["--debug", "run", "-v"]):
        done = slocheck(*command, spec, cwd=tmp_path, environment=ENVIRONMENT)
        assert done.returncode == 2, done.stderr
        said = done.stdout + done.stderr
        assert "raises while it is imported: RuntimeError: ***" in said
        assert "c4nary" not in said
        assert "\x1b" not in said
        assert "::error" not in said
        assert "##vso[" not in said
