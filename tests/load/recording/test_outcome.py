"""What became of a request: failure class, cache."""

import errno
import socket
import ssl

import gevent
import pytest
import requests
import urllib3

from slocheck.evidence.recording import FailureClass
from slocheck.load.recording.outcome import (
    UnmeasuredError,
    cache_outcome,
    classify,
    failure_class,
    is_cut_off,
    is_unserved,
    message_of,
    reported_error,
    status_message,
    unmeasured,
)
from slocheck.spec.model import CacheRule, FailureRule


class CatchResponseError(Exception):
    """It has the name that Locust gives it."""


class LocustBadStatusCode(Exception):  # noqa: N818 - Locust's name
    """It has the name that Locust gives it."""


class HTTPConnectionClosed(Exception):  # noqa: N818 - geventhttpclient's name
    """Named as geventhttpclient's."""


class Timeout(BaseException):
    """Named as gevent's."""


class RetriesExceeded(Exception):  # noqa: N818 - geventhttpclient's name
    """Named as geventhttpclient's, which wraps the cause so."""

    def __init__(self, original: BaseException) -> None:
        self.original = original
        super().__init__("retries")


def wrapped(cause: Exception) -> Exception:
    """Wrap an error as requests and urllib3 do."""
    refused = urllib3.exceptions.MaxRetryError(urllib3.HTTPConnectionPool("h"), "/", cause)
    refused.__cause__ = cause
    return requests.exceptions.ConnectionError(refused)


@pytest.mark.parametrize(
    ("seconds", "age_ns", "cut_off"),
    [
        pytest.param(0.05, 49_000_000, False, id="began with the request"),
        pytest.param(0.05, 51_000_000, False, id="fired late"),
        pytest.param(30.0, 20_000_000, True, id="began long before, around several requests"),
        pytest.param(None, 10**12, True, id="thrown without a time"),
    ],
)
def test_a_timer_around_several_requests_is_not_the_timeout_of_the_last(
    seconds: float | None, age_ns: int, cut_off: bool
) -> None:
    """A request that a timeout around it ends was cut off by the scenario; one with its own has timed out."""
    timer = gevent.Timeout(seconds)
    for error in (timer, RetriesExceeded(timer)):
        assert is_cut_off(error, age_ns) is cut_off
    assert not is_cut_off(TimeoutError(), age_ns)


@pytest.mark.parametrize(
    ("error", "how"),
    [
        pytest.param(wrapped(RecursionError("too deep")), "could not be finished: RecursionError: too deep"),
        pytest.param(MemoryError(), "could not be finished: MemoryError:"),
        pytest.param(
            type("error", (Exception,), {"__module__": "greenlet"})("another\n\tthread"),
            "could not be finished: error: another thread",
        ),
        pytest.param(wrapped(UnmeasuredError("was killed")), "was killed"),
        pytest.param(wrapped(ConnectionResetError(errno.ECONNRESET, "reset")), None),
        pytest.param(ValueError("a malformed response"), None),
    ],
    ids=repr,
)
def test_an_error_of_the_sending_process_itself_leaves_a_request_unmeasured(
    error: Exception, how: str | None
) -> None:
    """A client used in another thread, or memory that ran out, says nothing of the target."""
    told = unmeasured(error)
    assert (str(told) if told else None) == how


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(socket.gaierror(-2, "unknown"), FailureClass.DNS, id="dns"),
        pytest.param(ConnectionRefusedError(errno.ECONNREFUSED, "no"), FailureClass.REFUSED, id="refused"),
        pytest.param(OSError(errno.EHOSTUNREACH, "no route"), FailureClass.REFUSED, id="unreachable"),
        pytest.param(ConnectionResetError(errno.ECONNRESET, "reset"), FailureClass.RESET, id="reset"),
        pytest.param(BrokenPipeError(errno.EPIPE, "pipe"), FailureClass.RESET, id="broken pipe"),
        pytest.param(HTTPConnectionClosed("connection closed."), FailureClass.RESET, id="closed"),
        pytest.param(TimeoutError("timed out"), FailureClass.TIMEOUT, id="timeout"),
        pytest.param(RetriesExceeded(Timeout()), FailureClass.TIMEOUT, id="gevent's timeout"),
        pytest.param(requests.exceptions.ReadTimeout("slow"), FailureClass.TIMEOUT, id="read timeout"),
        pytest.param(ssl.SSLCertVerificationError("self-signed"), FailureClass.TLS, id="certificate"),
        pytest.param(ssl.SSLError("The read operation timed out"), FailureClass.TIMEOUT, id="slow TLS"),
        pytest.param(OSError(errno.EMFILE, "too many"), FailureClass.GENERATOR, id="descriptors"),
        pytest.param(OSError(errno.EADDRNOTAVAIL, "no port"), FailureClass.GENERATOR, id="ports"),
        pytest.param(urllib3.exceptions.ProtocolError("bad"), FailureClass.PROTOCOL, id="not HTTP"),
    ],
)
def test_transport_errors_are_classed_however_wrapped(error: BaseException, expected: FailureClass) -> None:
    """The innermost cause counts, also through the layers of requests."""
    assert classify(error) is expected
    if isinstance(error, Exception):
        assert classify(wrapped(error)) is expected


def test_an_error_that_wraps_itself_ends() -> None:
    """A ring of causes is walked once."""
    one, two = ValueError(), ValueError()
    one.__context__, two.__context__ = two, one
    assert classify(one) is FailureClass.PROTOCOL


RULE = FailureRule(("5xx", "429"), ("410",))


@pytest.mark.parametrize(
    ("status", "error", "by_scenario", "expected"),
    [
        pytest.param(200, None, False, None, id="fine"),
        pytest.param(500, None, True, FailureClass.STATUS, id="success() on a 500 changes nothing"),
        pytest.param(429, None, False, FailureClass.STATUS, id="listed 4xx"),
        pytest.param(204, None, False, None, id="another 2xx"),
        pytest.param(304, None, False, None, id="not modified"),
        pytest.param(404, LocustBadStatusCode(), False, FailureClass.UNEXPECTED, id="4xx, fast client"),
        pytest.param(404, requests.HTTPError(), False, FailureClass.UNEXPECTED, id="4xx, plain client"),
        pytest.param(401, None, False, FailureClass.UNEXPECTED, id="4xx, a client that reports no error"),
        pytest.param(302, None, False, FailureClass.UNEXPECTED, id="a redirect that is not followed"),
        pytest.param(101, None, False, FailureClass.UNEXPECTED, id="1xx"),
        pytest.param(410, None, False, None, id="expected by the spec"),
        pytest.param(410, LocustBadStatusCode(), False, None, id="expected, though the client reports it"),
        pytest.param(
            410, requests.HTTPError(), True, FailureClass.EXPECTATION, id="expected, not by the task"
        ),
        pytest.param(404, requests.HTTPError(), True, FailureClass.EXPECTATION, id="the scenario's word"),
        pytest.param(200, CatchResponseError("x"), False, FailureClass.EXPECTATION, id="failure()"),
        pytest.param(200, ConnectionResetError(), False, FailureClass.RESET, id="reset in the body"),
        pytest.param(0, ConnectionRefusedError(111, "x"), False, FailureClass.REFUSED, id="refused"),
        pytest.param(None, None, False, None, id="no HTTP, fine"),
        pytest.param(None, AssertionError(), False, FailureClass.EXPECTATION, id="no HTTP, asserted"),
    ],
)
def test_judgement(
    status: int | None, error: Exception | None, *, by_scenario: bool, expected: FailureClass | None
) -> None:
    """The spec's rule comes first, then the scenario's judgement, then the transport."""
    assert failure_class(status=status, error=error, by_scenario=by_scenario, rule=RULE) is expected


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        pytest.param(404, None, None, id="4xx"),
        pytest.param(302, None, None, id="3xx"),
        pytest.param(503, None, FailureClass.STATUS, id="what the spec calls a failure stays one"),
        pytest.param(404, AssertionError(), FailureClass.EXPECTATION, id="what the task refuses, too"),
    ],
)
def test_what_a_scenario_approves_is_a_success(
    status: int, error: Exception | None, expected: FailureClass | None
) -> None:
    """``expect: {status: 404}`` and ``response.success()`` make an unexpected status a success."""
    assert failure_class(status=status, error=error, by_scenario=False, rule=RULE, approved=True) is expected


@pytest.mark.parametrize(
    ("status", "fields", "expected"),
    [
        pytest.param(404, {"location": "/x"}, "HTTP 404", id="not a redirect"),
        pytest.param(301, {"location": "/login?next=/items/7"}, "HTTP 301 to /login", id="query left out"),
        pytest.param(302, {"location": "https://u:p@sso.example/a"}, "HTTP 302 to sso.example/a", id="host"),
        pytest.param(302, {"location": "http://[bad"}, "HTTP 302", id="not a URL"),
        pytest.param(302, {}, "HTTP 302", id="no location"),
        pytest.param(302, None, "HTTP 302", id="no headers"),
    ],
)
def test_a_status_is_shown_with_where_it_leads(
    status: int, fields: dict[str, str] | None, expected: str
) -> None:
    """The same cause has the same text: no query, no user info."""
    assert status_message(status, fields) == expected


@pytest.mark.parametrize(
    ("status", "failure", "expected"),
    [
        pytest.param(200, None, False, id="served"),
        pytest.param(404, FailureClass.UNEXPECTED, False, id="an unexpected response is a response"),
        pytest.param(500, FailureClass.STATUS, False, id="500 is a response"),
        pytest.param(503, FailureClass.STATUS, True, id="503"),
        pytest.param(0, FailureClass.TIMEOUT, True, id="no response"),
        pytest.param(0, FailureClass.GENERATOR, True, id="our own shortage, told apart by its class"),
        pytest.param(200, FailureClass.RESET, False, id="half a response"),
        pytest.param(None, FailureClass.EXPECTATION, False, id="another protocol"),
    ],
)
def test_unserved(status: int | None, failure: FailureClass | None, *, expected: bool) -> None:
    """Unserved means no response at all, or 502, 503, 504."""
    assert is_unserved(status, failure) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"x-cache": "HIT"}, 1, id="hit"),
        pytest.param({"x-cache": "Miss from cloudfront"}, -1, id="miss"),
        pytest.param({"x-cache": "MISS, HIT"}, 1, id="an outer cache responded"),
        pytest.param({"x-cache": ["MISS", "MISS"]}, -1, id="twice"),
        pytest.param({"x-cache": "Error from cloudfront", "age": "3"}, 1, id="the next header tells"),
        pytest.param({"cf-cache-status": "EXPIRED"}, -1, id="expired"),
        pytest.param({"cf-cache-status": "REVALIDATED"}, 1, id="revalidated"),
        pytest.param({"cf-cache-status": "DYNAMIC"}, 0, id="not cacheable"),
        pytest.param({"age": "0"}, -1, id="age 0"),
        pytest.param({"age": "17"}, 1, id="aged"),
        pytest.param({"age": "soon"}, 0, id="no number"),
        pytest.param({}, 0, id="no header"),
        pytest.param(None, 0, id="no response"),
    ],
)
def test_cache_headers(headers: dict[str, str] | None, expected: int) -> None:
    """The first header with a known value decides."""
    assert cache_outcome(headers, CacheRule()) == expected


def test_messages_are_bounded_and_without_addresses() -> None:
    """The same cause has the same text."""
    assert message_of(ValueError("<Object at 0x7f01> " + "x" * 999)).startswith("ValueError: <Object> xxx")
    assert len(message_of(ValueError("x" * 999))) == 300


@pytest.mark.parametrize(
    ("told", "text"),
    [
        pytest.param(None, None, id="none"),
        pytest.param("", None, id="an empty text"),
        pytest.param(False, None, id="false"),
        pytest.param("no response", "ReportedError: no response", id="a text"),
        pytest.param(["a"], "ReportedError: ['a']", id="a list"),
        pytest.param(OSError("gone"), "OSError: gone", id="an exception"),
    ],
)
def test_an_error_may_be_anything(told: object, text: str | None) -> None:
    """What the scenario's own client reports as an error is one if Locust counts it as one."""
    error = reported_error(told)
    assert (None if error is None else message_of(error)) == text
    if text is not None and not isinstance(told, OSError):
        assert (
            failure_class(status=None, error=error, by_scenario=False, rule=FailureRule())
            is FailureClass.EXPECTATION
        )
