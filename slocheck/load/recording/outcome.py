"""The outcome of one request: success, failure or unexpected, and whether a cache responded. No Locust here.

Locust and its clients wrap errors in many layers, in types of five libraries. Those types are recognized
by name, so this module imports none of the libraries.
"""

import errno
import re
import socket
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from slocheck.documents.texts import shorten
from slocheck.documents.units import NS_PER_SECOND
from slocheck.errors import chain_of
from slocheck.evidence.merge import MAX_MESSAGE
from slocheck.evidence.recording import FailureClass
from slocheck.spec.indicators import UNSERVED_STATUSES
from slocheck.spec.model import CacheRule, FailureRule

_OUR_ERRNOS = frozenset({
    errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM,
})  # fmt: skip
_UNREACHABLE_ERRNOS = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH})
_TIMEOUT_NAMES = frozenset({
    "Timeout", "ConnectTimeout", "ReadTimeout", "TimeoutError", "ReadTimeoutError", "ConnectTimeoutError",
})  # fmt: skip
_RESET_NAMES = frozenset({"HTTPConnectionClosed", "RemoteDisconnected"})
_DNS_NAMES = frozenset({"NameResolutionError"})
_EXPECTATION_NAMES = frozenset({"CatchResponseError", "ResponseError", "ReportedError", "AssertionError"})
_STATUS_NAMES = frozenset({"HTTPError", "LocustBadStatusCode"})
_LEAVING = frozenset({
    "GreenletExit", "StopUser", "StopTest", "InterruptTaskSet", "RescheduleTask", "RescheduleTaskImmediately",
})  # fmt: skip
_FORBIDDEN_NAMES = frozenset({"ForbiddenConnectionError", "ForbiddenLookupError"})
_MACHINERY_NAMES = frozenset({
    "greenlet.error", "gevent.exceptions.ConcurrentObjectUseError", "gevent.exceptions.LoopExit",
    "gevent.exceptions.BlockingSwitchOutError", "gevent.exceptions.InvalidSwitchError",
    "gevent.exceptions.InvalidThreadUseError", "builtins.MemoryError", "builtins.RecursionError",
})  # fmt: skip
"""Errors of the process that sends: a client used in another thread, or too little memory."""
_REDIRECT = 3
_ADDRESS = re.compile(r" at 0x[0-9a-f]+(?=.*>)(?:: <[^>]*>|: [^>]*(?=>))?")
_HIT = re.compile(r"hit|stale|updating|revalidated", re.IGNORECASE)
_MISS = re.compile(r"miss|expired|bypass", re.IGNORECASE)


def _class_of(error: BaseException) -> FailureClass | None:
    """Return the class of this error itself, without what it wraps; None if it has no class."""
    if isinstance(own := getattr(error, "failure", None), FailureClass):
        return own
    names = {base.__name__ for base in type(error).__mro__}
    number = error.errno if isinstance(error, OSError) else None
    timed_out = isinstance(error, TimeoutError) or names & _TIMEOUT_NAMES or "timed out" in str(error)
    reset = isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError)
    tests: tuple[tuple[object, FailureClass], ...] = (
        (number in _OUR_ERRNOS or names & _FORBIDDEN_NAMES, FailureClass.GENERATOR),
        (isinstance(error, socket.gaierror) or names & _DNS_NAMES, FailureClass.DNS),
        (isinstance(error, ssl.SSLError) and not timed_out, FailureClass.TLS),
        (number in _UNREACHABLE_ERRNOS, FailureClass.REFUSED),
        (reset or names & _RESET_NAMES, FailureClass.RESET),
        (timed_out, FailureClass.TIMEOUT),
    )
    return next((failure for holds, failure in tests if holds), None)


_ORDER = (
    FailureClass.GENERATOR, FailureClass.DNS, FailureClass.TLS, FailureClass.REFUSED,
    FailureClass.RESET, FailureClass.TIMEOUT,
)  # fmt: skip


class ReportedError(Exception):
    """What the scenario's own client reports as an error that is not an exception, such as a text."""


class UnmeasuredError(Exception):
    """The scenario itself keeps a request from being measured; the text ends a sentence: "was killed"."""


CUT_SHORT = "no response yet when the Locust file ended it, as its user left"
_TIMER = "gevent.timeout.Timeout"
_OWN_TIMER = 0.9
"""A timer that ends a request is its timeout if the request took this share of its length, or more."""
KILLED = UnmeasuredError("was killed before its response; let the client time out instead")


def reported_error(error: object) -> BaseException | None:
    """Return the error of Locust's `request` event; as in Locust, an empty or false value is not one."""
    if isinstance(error, BaseException):
        return error
    return ReportedError(str(error)) if error else None


def fields_of(response: object) -> Mapping[str, Any] | None:
    """Return the header fields of any client's response; None if they are not a mapping."""
    fields = getattr(response, "headers", None)
    return fields if hasattr(fields, "get") else None


def classify(error: BaseException) -> FailureClass:
    """Return why a request that ended in this transport error failed.

    The most specific error anywhere in the chain decides: first this machine's own lack of open files or
    ports (never the target's fault), then DNS, TLS, refused, reset, timeout. Anything else is PROTOCOL.
    """
    found = {_class_of(cause) for cause in chain_of(error)}
    return next((failure for failure in _ORDER if failure in found), FailureClass.PROTOCOL)


def is_forbidden(error: BaseException) -> bool:
    """Tell whether a request was not sent because it would have gone to a host that is not allowed."""
    return any(base.__name__ in _FORBIDDEN_NAMES for cause in chain_of(error) for base in type(cause).__mro__)


def unmeasured(error: BaseException) -> UnmeasuredError | None:
    """Return how the scenario kept a request from being measured; None if it did not."""
    for cause in chain_of(error):
        if isinstance(cause, UnmeasuredError):
            return cause
        if f"{type(cause).__module__}.{type(cause).__name__}" in _MACHINERY_NAMES:
            told = UnmeasuredError(f"could not be finished: {' '.join(message_of(cause).split())}")
            told.__cause__ = error
            return told
    return None


def is_cut_off(error: BaseException, age_ns: int) -> bool:
    """Tell whether a timer of the scenario ended a request, and began clearly before it: not as its timeout.

    Args:
        error: `gevent.Timeout`, or what a client made of it.
        age_ns: Nanoseconds since the request was sent.
    """
    timers = (
        cause
        for cause in chain_of(error)
        if any(f"{base.__module__}.{base.__name__}" == _TIMER for base in type(cause).__mro__)
    )
    lengths = [getattr(timer, "seconds", None) for timer in timers]
    return any(length is None or age_ns < length * _OWN_TIMER * NS_PER_SECOND for length in lengths)


def is_transport(error: BaseException) -> bool:
    """Tell whether an error comes from the network or from this machine's access to it.

    A system error that names a file does not: a file that the scenario wanted to send was missing.
    """
    if classify(error) is not FailureClass.PROTOCOL:
        return True
    for cause in chain_of(error):
        if any(base.__name__ == "ConnectionError" for base in type(cause).__mro__):
            return True
        if isinstance(cause, OSError) and cause.errno is not None and cause.filename is None:
            return True
    return False


def failure_class(
    *,
    status: int | None,
    error: BaseException | None,
    by_scenario: bool,
    rule: FailureRule,
    approved: bool = False,
) -> FailureClass | None:
    """Return why a request was not a success, or None if it was.

    A status that the spec calls a failure is a failure whatever the scenario says. A status that neither spec
    nor scenario names is unexpected: a 404 is neither a failure, although Locust reports one, nor a success.

    Args:
        status: Of the response; 0 if none came; None if the client does not know it.
        error: What Locust or the client reported.
        by_scenario: The scenario itself set that error (``response.failure``).
        rule: The spec's rule of what is a failure.
        approved: The scenario expects this status, or called the response a success (``response.success``).
    """
    if status and rule.fails(status):
        return FailureClass.STATUS
    unexpected = status and not approved and rule.unexpected(status)
    otherwise = FailureClass.UNEXPECTED if unexpected else None
    if error is None:
        return otherwise
    names = {base.__name__ for base in type(error).__mro__}
    if by_scenario or names & _EXPECTATION_NAMES:
        return FailureClass.EXPECTATION
    if status and names & _STATUS_NAMES:
        return otherwise
    return classify(error)


def given_up_text(age_ns: int) -> str:
    """Say that a request had no response when the drain ended; `age_ns`: its age then, nanoseconds."""
    return f"no response {age_ns / 1e9:.0f} s after it was sent, when the drain ended"


def status_message(status: int, fields: Mapping[str, Any] | None) -> str:
    """Return how to show a response that its status decides: ``HTTP 404``, ``HTTP 301 to /login``.

    Args:
        status: The status code.
        fields: The response's header fields, by lower-case name or case-insensitive.
    """
    location = str(fields.get("location") or "") if fields and status // 100 == _REDIRECT else ""
    try:
        parts = urlsplit(location)
        where = parts.netloc.rpartition("@")[2] + parts.path
    except ValueError:
        where = ""
    return shorten(f"HTTP {status} to {where}", MAX_MESSAGE) if where else f"HTTP {status}"


def is_unserved(status: int | None, failure: FailureClass | None) -> bool:
    """Tell whether a request was not served at all: no response, or 502, 503, 504.

    A request that this machine could not send counts as well; its class distinguishes it.
    """
    if status:
        return status in UNSERVED_STATUSES
    return failure is not None and failure is not FailureClass.EXPECTATION


def leaves_block(error: BaseException) -> bool:
    """Tell whether an exception only leaves a block or a task, as Locust does to stop or to go on."""
    return not _LEAVING.isdisjoint(base.__name__ for base in type(error).__mro__)


def without_addresses(text: str) -> str:
    """Return a text with objects shown without addresses, which differ from run to run: ``<Greenlet>``."""
    return _ADDRESS.sub("", text)


def message_of(error: BaseException) -> str:
    """Return an error as one bounded text that is the same for the same cause.

    If the exception's own code cannot make its text, the text is left out. An error of the lean client's
    parser keeps its words, whichever client read the response.
    """
    for cause in chain_of(error):
        if isinstance(getattr(cause, "failure", None), FailureClass):
            return shorten(str(getattr(cause, "message", cause)), MAX_MESSAGE)
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - whatever a scenario's own exception class raises
        text = type(error).__name__
    return shorten(without_addresses(text), MAX_MESSAGE)


def cache_outcome(headers: Mapping[str, Any] | None, rule: CacheRule) -> int:
    """Return 1 if the headers show a cache hit, -1 for a miss, 0 if they show neither.

    The first header of the rule that shows either decides. ``age`` is a hit above 0 and a miss at 0 (a hit
    younger than a second counts as a miss, which errs on the safe side). In any other header, the words
    hit, stale, updating and revalidated mean a hit, even next to a miss: an outer cache responded. The words
    miss, expired and bypass mean a miss. Anything else, such as ``DYNAMIC``, means neither.
    """
    if not headers:
        return 0
    for name in rule.headers:
        value = headers.get(name)
        if value is None:
            continue
        text = ", ".join(value) if isinstance(value, list) else str(value)
        outcome = _age_outcome(text) if name == "age" else _word_outcome(text)
        if outcome:
            return outcome
    return 0


def _age_outcome(text: str) -> int:
    digits = text.strip()
    if not digits.isascii() or not digits.isdigit():
        return 0
    return 1 if digits.strip("0") else -1


def _word_outcome(text: str) -> int:
    if _HIT.search(text):
        return 1
    return -1 if _MISS.search(text) else 0
