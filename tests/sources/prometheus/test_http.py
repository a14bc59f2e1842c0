"""Every fault in talking to Prometheus becomes an error that says where, what and what to do."""

import json
import re
from pathlib import Path

import pytest

from slocheck.errors import SourceError
from slocheck.sources.prometheus.http import PrometheusHttp
from slocheck.spec.model import Auth
from tests.builders.server.prom_client import prometheus_source
from tests.support.fault_server import FaultServer, http, success
from tests.support.ports import free_port

VECTOR = success("vector", [])
HTML = "<!DOCTYPE html><title>Log in</title>"


def ask(url: str, **more: object) -> None:
    """Send one query."""
    connection = PrometheusHttp(prometheus_source(url, **more))
    try:
        connection.query("up")
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("response", "message"),
    [
        pytest.param(
            http("", "401 Unauthorized"), r"HTTP 401 asks for credentials; set prometheus\.auth", id="401"
        ),
        pytest.param(http("no", "403 Forbidden"), r"HTTP 403 forbids the query \(no\); these", id="403"),
        pytest.param(http("404 page not found", "404 Not Found"), "check the URL's path prefix", id="404"),
        pytest.param(http("", "405 Method Not Allowed"), "refuses POST; allow POST", id="405"),
        pytest.param(
            http("", "302 Found", "Location: https://sso.example/?next=secret\r\n"),
            r"HTTP 302 redirects to https://sso\.example/\?next=\*\*\*, which is not followed",
            id="a redirect, its query values masked",
        ),
        pytest.param(
            http(HTML, "500 Oops"),
            "HTTP 500 has an internal error; see the server's log",
            id="500 with a page",
        ),
        pytest.param(
            http('{"status":"error","errorType":"timeout","error":"query timed out"}', "503 Unavailable"),
            r"HTTP 503 is not ready or timed out \(query timed out\); wait",
            id="503",
        ),
        pytest.param(http("{}", "418 Teapot"), "HTTP 418 fails; see the server's log", id="any other"),
        pytest.param(
            http(HTML, content_type="text/html"), "returns HTML where Prometheus", id="a login page"
        ),
        pytest.param(http('{"status":"success","da'), "cut off or damaged", id="truncated JSON"),
        pytest.param(http("[" * 100_000), "cut off or damaged", id="deeply nested JSON"),
        pytest.param(http("hello"), r"does not return JSON \('hello'\)", id="plain text"),
        pytest.param(http("\x1b[2Jhello"), r"does not return JSON \('\[2Jhello'\)", id="control characters"),
        pytest.param(http(""), "does not return JSON", id="empty body"),
        pytest.param(http("[]"), r"not the query API's \(not an object\)", id="a list"),
        pytest.param(http("{}"), "no status and data", id="an empty object"),
        pytest.param(http('{"status":"success","data":[]}'), "no status and data", id="data of another API"),
        pytest.param(http('{"status":"success","data":{}}'), "no resultType", id="no resultType"),
        pytest.param(
            http('{"status":"error","errorType":"execution","error":"boom"}'),
            r"an error but HTTP 200 \(execution boom\)",
            id="status error under 200",
        ),
        pytest.param(b"", "the connection broke", id="closed without a response"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", "the connection broke", id="not HTTP"),
        pytest.param(VECTOR[:-5], "the connection broke", id="half a body"),
        pytest.param(
            http(b"no gzip", headers="Content-Encoding: gzip\r\n"), "compression is damaged", id="bad gzip"
        ),
    ],
)
def test_a_faulty_response(response: bytes, message: str) -> None:
    """The message begins with the server's address and ends with what to do."""
    with FaultServer([response]) as server:
        with pytest.raises(SourceError, match=message) as caught:
            ask(server.url)
        assert str(caught.value).startswith(f"prometheus {server.url}: ")
        assert len(server.requests) == 1


def test_a_refused_connection() -> None:
    """Nobody listens."""
    with pytest.raises(SourceError, match="connection refused; start Prometheus there"):
        ask(f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("http://no-such-host.invalid:9090", "unknown host; check the name", id="unknown host"),
        pytest.param("127.0.0.1:9090", "the URL cannot be used", id="no scheme"),
        pytest.param("http://", "the URL cannot be used", id="no host"),
        pytest.param("http://a..b:9090", "the URL cannot be used|unknown host", id="an impossible host"),
    ],
)
def test_a_url_that_leads_nowhere(url: str, message: str) -> None:
    """Each is told apart."""
    with pytest.raises(SourceError, match=message):
        ask(url)


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(b"", id="no response at all"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", id="half a head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", id="half a body"),
    ],
)
def test_a_server_that_hangs(begin: bytes) -> None:
    """The timeout is ours, and is named."""
    with (
        FaultServer([begin], hang=True) as server,
        pytest.raises(SourceError, match=r"no response within 0\.2 s"),
    ):
        ask(server.url, timeout=0.2)


def test_tls_where_there_is_none() -> None:
    """For https against a plain port, the error names TLS and the remedy."""
    with (
        FaultServer([b"HTTP/1.1 400 Bad Request\r\n\r\n"]) as server,
        pytest.raises(SourceError, match=r"TLS fails .*; set prometheus\.tls\.ca"),
    ):
        ask(server.url.replace("http:", "https:"))


def test_a_transient_failure_is_tried_again_within_patience() -> None:
    """A 503 and a cut connection are retried; without patience the first failure is final."""
    responses = [http("", "503 Unavailable"), b"", VECTOR]
    with FaultServer(responses) as server:
        connection = PrometheusHttp(prometheus_source(server.url))
        connection.patience = 20.0
        assert connection.query("up").kind == "vector"
        connection.close()
        assert len(server.requests) == 3


def test_a_failure_that_cannot_heal_is_not_tried_again() -> None:
    """A 401 stays one."""
    with FaultServer([http("", "401 Unauthorized")]) as server:
        connection = PrometheusHttp(prometheus_source(server.url))
        connection.patience = 20.0
        with pytest.raises(SourceError, match="401"):
            connection.query("up")
        connection.close()
        assert len(server.requests) == 1


def test_patience_ends() -> None:
    """A server that stays down is given up."""
    with FaultServer([http("", "500 Oops")]) as server:
        connection = PrometheusHttp(prometheus_source(server.url))
        connection.patience = 3.0
        with pytest.raises(SourceError, match="HTTP 500"):
            connection.query("up")
        connection.close()
        assert len(server.requests) >= 2


@pytest.mark.parametrize("warnings", [5, "a text", {"a": 1}])
def test_warnings_of_another_form_are_refused(warnings: object) -> None:
    """They are a list of texts."""
    with FaultServer([success("vector", [], warnings=warnings)]) as server:
        connection = PrometheusHttp(prometheus_source(server.url))
        with pytest.raises(SourceError, match="warnings that are not a list"):
            connection.query("up")
        connection.close()


def test_warnings_and_partial_responses_are_kept() -> None:
    """A part that the client library would drop makes the result incomplete."""
    with FaultServer([success("vector", [], warnings=["store gone\n"], isPartial=True)]) as server:
        connection = PrometheusHttp(prometheus_source(server.url))
        response = connection.query("up")
        connection.close()
    assert response.warnings == ("store gone",)
    assert response.partial
    assert connection.distributed


def test_what_is_sent(tmp_path: Path) -> None:
    """A form by POST, times with 3 decimals, the parameters of other backends, headers, credentials."""
    (tmp_path / "password").write_text("pass:word", encoding="utf-8")
    source = prometheus_source(
        "URL",
        headers={"X-Scope-OrgID": "team"},
        params={"dedup": "false", "extra": "1"},
        auth=Auth(username="me", password_file=str(tmp_path / "password")),
    )
    with FaultServer([VECTOR]) as server:
        connection = PrometheusHttp(
            prometheus_source(
                f"{server.url}/prefix/", headers=source.headers, params=source.params, auth=source.auth
            )
        )
        connection.query('up{a="+&="}', 1700000000.12345)
        connection.close()
        head, _, body = server.requests[0].decode().partition("\r\n\r\n")
    assert head.startswith("POST /prefix/api/v1/query HTTP/1.1")
    assert "X-Scope-OrgID: team" in head
    assert "Authorization: Basic bWU6cGFzczp3b3Jk" in head
    assert "query=up%7Ba%3D%22%2B%26%3D%22%7D" in body
    assert "time=1700000000.123" in body
    for field in ("dedup=false", "extra=1", "partial_response=false", "latency_offset=0s", "nocache=1"):
        assert field in body


def test_netrc_does_not_replace_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's ~/.netrc for the same host is left alone."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("TOKEN", "tok-123456")
    with FaultServer([VECTOR]) as server:
        ask(server.url, auth=Auth(bearer_token_env="TOKEN"))
        assert b"Authorization: Bearer tok-123456" in server.requests[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_this_machine_is_not_asked_through_a_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback of a proxy is another one's, and credentials are none of its business."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with FaultServer([success("scalar", [0, "1"])]) as server:
        source = prometheus_source(server.url.replace("127.0.0.1", host))
        assert PrometheusHttp(source).query("1").result == [0, "1"]
    with pytest.raises(SourceError, match="the proxy fails"):
        PrometheusHttp(prometheus_source("http://prometheus.invalid")).query("1")


def test_secrets_never_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a token that the server echoes, nor what the URL carries, is in the message or its causes."""
    monkeypatch.setenv("TOKEN", "tok-123456")
    echo = json.dumps({"status": "error", "error": "bad token tok-123456"})
    with FaultServer([http(echo, "403 Forbidden")]) as server:
        url = server.url.replace("//", "//user:hunter22@") + "/?key=sesame77"
        with pytest.raises(SourceError) as caught:
            ask(url, auth=Auth(bearer_token_env="TOKEN"))
    shown = f"{caught.value} {caught.value.__cause__}"
    assert "bad token ***" in shown
    for secret in ("tok-123456", "hunter22", "sesame77"):
        assert secret not in shown


def test_all_named_statuses_end_with_a_remedy() -> None:
    """For every status the message names the next step."""
    messages = PrometheusHttp(prometheus_source("http://127.0.0.1:1")).messages
    for status in (*range(300, 310), *range(400, 430), *range(500, 512)):
        text = str(messages.of_status(status, b""))
        assert re.search(r"; \w+|, \w+", text), text
