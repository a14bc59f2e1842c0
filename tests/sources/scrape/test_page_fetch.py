"""One page within bounds: every fault is a reason, never the library's exception."""

import gzip
import zlib
from base64 import b64encode

import pytest

from slocheck.documents.position import Position
from slocheck.errors import SourceError
from slocheck.masking import MASK
from slocheck.plan.metric_plan import MetricPlan
from slocheck.promql.selectors import SeriesQuery
from slocheck.sources.scrape import page_fetch
from slocheck.sources.scrape.exposition import PageError
from slocheck.sources.scrape.page_fetch import fetch_page
from slocheck.sources.scrape.source import ScrapePages
from slocheck.spec.blocks.metric_source.preset import shipped_preset
from slocheck.spec.blocks.metric_source.scrape import ScrapeSource
from slocheck.spec.model import Auth, Tls
from slocheck.tls import tls_context
from tests.support.fault_server import FaultServer, http

CONTEXT = tls_context(Tls(), where="scrape.tls")
GZIP = "Content-Encoding: gzip\r\n"


def test_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text, format and times come back; a proxy of the environment is not asked for the page."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    response = http(gzip.compress(b"a 1\n"), headers=GZIP, content_type="application/openmetrics-text")
    with FaultServer([response]) as server:
        page = fetch_page(server.url, CONTEXT, 10)
        assert (page.text, page.openmetrics) == ("a 1\n", True)
        assert page.sent <= page.midpoint <= page.received
        assert b"accept-encoding: gzip" in server.requests[0].lower()
        assert b"connection: close" in server.requests[0].lower()


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        pytest.param(Auth(bearer_token_env="PAGE_SECRET"), b"authorization: bearer hush-hush", id="bearer"),
        pytest.param(
            Auth(username="me", password_env="PAGE_SECRET"),
            b"authorization: basic " + b64encode(b"me:hush-hush").lower(),
            id="basic",
        ),
        pytest.param(Auth(headers_env={"X-Key": "PAGE_SECRET"}), b"x-key: hush-hush", id="header"),
    ],
)
def test_credentials_are_sent_and_never_shown(
    auth: Auth, header: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that repeats the secret in a broken line does not leak it."""
    monkeypatch.setenv("PAGE_SECRET", "hush-hush")
    broken = http("a hush-hush\n")
    with FaultServer([broken]) as server:
        plan = MetricPlan(shipped_preset("prom-client"), series=(SeriesQuery("a"),))
        url = server.url
        source = ScrapePages(
            ScrapeSource(urls=(url,), preset=plan.mapping, position=Position(1, 1), auth=auth), plan
        )
        with pytest.raises(SourceError) as raised:
            source.preflight()
        assert header in server.requests[0].lower()
    assert "hush" not in str(raised.value)
    assert MASK in str(raised.value)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        pytest.param(http("", "404 Not Found"), "HTTP 404; check the path", id="status"),
        pytest.param(
            http("", "500 Oops"), "HTTP 500: the service failed .*; see its log", id="its own failure"
        ),
        pytest.param(http("", "307 Moved", "Location: /x/\r\n"), "HTTP 307 redirects to /x/,", id="redirect"),
        pytest.param(http(b"no", headers=GZIP), "gzip is damaged", id="no gzip"),
        pytest.param(http(gzip.compress(b"a 1\n")[:-4], headers=GZIP), "gzip is cut off", id="half a gzip"),
        pytest.param(
            http("a", headers="Content-Encoding: br\r\n"), "compressed with 'br'", id="another coding"
        ),
        pytest.param(http(b"\xff\xfe"), "not UTF-8", id="binary"),
        pytest.param(http("a 1\n")[:-2], "the connection broke", id="half a body"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\na 1\nb 12", "cut off: it states no length", id="half a number"),
        pytest.param(b"", "the connection broke", id="closed at once"),
        pytest.param(b"SSH-2.0\r\n\r\n", "the connection broke", id="not HTTP"),
        pytest.param(b"\x15\x03\x01\0\2\2\x28\r\n\r\n", "write https:// if the port speaks TLS", id="TLS"),
        pytest.param(
            http("HTTPS port", "400 Bad"), "HTTP 400; .*, and http against https", id="TLS, and 400"
        ),
        pytest.param(
            http(b"\x0a\x01a", content_type="application/vnd.google.protobuf; encoding=delimited"),
            "protobuf format .*, and slocheck reads text alone",
            id="protobuf",
        ),
        pytest.param(http("x" * 2048), "larger than 0 MiB", id="too large"),
        pytest.param(http(gzip.compress(b"x" * 2048), headers=GZIP), "larger than 0 MiB", id="a bomb"),
    ],
)
def test_faulty_responses(response: bytes, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fault says what it is."""
    monkeypatch.setattr(page_fetch, "MAX_PAGE", 1024)
    with FaultServer([response]) as server, pytest.raises(PageError, match=message):
        fetch_page(server.url, CONTEXT, 10)


def test_a_plain_port_is_asked_by_http() -> None:
    """A certificate authority would not help."""
    with (
        FaultServer([http("a 1\n")]) as server,
        pytest.raises(PageError, match=r"TLS failed .*; write http:// if the port does not speak TLS"),
    ):
        fetch_page(server.url.replace("http:", "https:"), CONTEXT, 10)


def test_a_bomb_is_not_unpacked_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The unpacker is never asked for more than one byte over the limit."""
    monkeypatch.setattr(page_fetch, "MAX_PAGE", 1024)
    asked: list[int] = []
    real = zlib.decompressobj(page_fetch.GZIP_WINDOW)

    class Watched:
        """Counts what is asked for."""

        eof = False

        def decompress(self, data: bytes, limit: int) -> bytes:
            """Pass on to zlib."""
            asked.append(limit)
            return real.decompress(data, limit)

    monkeypatch.setattr("zlib.decompressobj", lambda _: Watched())
    bomb = gzip.compress(b"\0" * 50_000_000)
    with FaultServer([http(bomb, headers=GZIP)]) as server, pytest.raises(PageError, match="larger"):
        fetch_page(server.url, CONTEXT, 10)
    assert asked
    assert max(asked) <= 1025


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(b"", id="no response"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na 1\n", id="half a body"),
    ],
)
def test_a_page_that_hangs(begin: bytes) -> None:
    """The time limit is named."""
    with (
        FaultServer([begin], hang=True) as server,
        pytest.raises(PageError, match=r"no response within 0\.2 s"),
    ):
        fetch_page(server.url, CONTEXT, 0.2)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("ftp://127.0.0.1/", id="another scheme"),
        pytest.param("127.0.0.1:1/metrics", id="no scheme"),
    ],
)
def test_urls_that_cannot_be_used(url: str) -> None:
    """The form that works is shown."""
    with pytest.raises(PageError, match="the URL cannot be used"):
        fetch_page(url, CONTEXT, 1)
