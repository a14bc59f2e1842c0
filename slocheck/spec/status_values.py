"""What the value of a status label stands for, in the forms in which libraries write it."""

import re
from collections.abc import Mapping
from functools import lru_cache

_PREFIX = re.compile(r"(?:(?:http(?:/[0-9.]+)?|status|code|response)[\W_]*)+", re.IGNORECASE)
"""What may be in front, as in ``HTTPStatus.OK``, ``HTTP_404_NOT_FOUND`` and ``HTTP/1.1 200 OK``."""
_EXACT = re.compile(r"([1-5][0-9]{2})(?:\.0+|[\W_]+[A-Za-z].*)?")
_GROUP = re.compile(r"([1-5])(?:xx|\*\*|00-(?:\1)99)(?:[\W_]+[A-Za-z].*)?", re.IGNORECASE)

_REASONS = """
200 OK, 201 Created, 202 Accepted, 203 Non-Authoritative Information, 204 No Content, 205 Reset Content,
206 Partial Content, 207 Multi-Status, 208 Already Reported, 226 IM Used, 300 Multiple Choices,
301 Moved Permanently, 302 Found, 303 See Other, 304 Not Modified, 305 Use Proxy, 307 Temporary Redirect,
308 Permanent Redirect, 400 Bad Request, 401 Unauthorized, 402 Payment Required, 403 Forbidden,
404 Not Found, 405 Method Not Allowed, 406 Not Acceptable, 407 Proxy Authentication Required,
408 Request Timeout, 409 Conflict, 410 Gone, 411 Length Required, 412 Precondition Failed,
413 Content Too Large, 413 Payload Too Large, 413 Request Entity Too Large, 414 URI Too Long,
414 Request URI Too Long, 415 Unsupported Media Type, 416 Range Not Satisfiable,
416 Requested Range Not Satisfiable, 417 Expectation Failed, 418 I'm a Teapot, 421 Misdirected Request,
422 Unprocessable Entity, 422 Unprocessable Content, 423 Locked, 424 Failed Dependency, 425 Too Early,
426 Upgrade Required, 428 Precondition Required, 429 Too Many Requests,
431 Request Header Fields Too Large, 451 Unavailable For Legal Reasons, 500 Internal Server Error,
501 Not Implemented, 502 Bad Gateway, 503 Service Unavailable, 504 Gateway Timeout,
505 HTTP Version Not Supported, 506 Variant Also Negotiates, 507 Insufficient Storage, 508 Loop Detected,
510 Not Extended, 511 Network Authentication Required
"""
ALL_STATUSES = frozenset({"total", "all"})
"""Values of a status label on a series that adds up the others, as nginx-module-vts has one."""
_SUCCESSES, _FAILURES = ("2xx", "3xx"), ("4xx", "5xx")
_OUTCOMES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("ok", "okay", "success", "successful", "succeeded", "unset"), _SUCCESSES),
    **dict.fromkeys(("error", "errors", "failure", "failed", "fail", "exception", "timeout"), _FAILURES),
    **dict.fromkeys(("redirect", "redirection"), ("3xx",)),
    **dict.fromkeys(("clienterror", "usererror"), ("4xx",)),
    **dict.fromkeys(("servererror", "internalerror"), ("5xx",)),
}
"""Words for groups of statuses; ``ok`` is also the reason of 200, but often the opposite of ``error``."""


@lru_cache(maxsize=4096)
def statuses_of(value: str) -> tuple[str, ...]:
    """Return the statuses that a label's value stands for, exact (``503``) or grouped (``5xx``).

    It may stand for any of several groups. Empty: it is not a status.
    """
    text = value.strip()
    begin = _PREFIX.match(text)
    for plain in (text, *([text[begin.end() :]] if begin else [])):
        if match := _EXACT.fullmatch(plain):
            return (match[1],)
        if match := _GROUP.fullmatch(plain):
            return (f"{match[1]}xx",)
        if meant := _WORDS.get(_letters(plain)):
            return meant
    return ()


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())


def _reasons() -> dict[str, tuple[str, ...]]:
    """Return the reason phrases without blanks, which the names of enumerations are as well."""
    pairs = (entry.split(maxsplit=1) for entry in _REASONS.replace("\n", " ").split(", "))
    return {_letters(reason): (status,) for status, reason in pairs}


_WORDS: Mapping[str, tuple[str, ...]] = {**_reasons(), **_OUTCOMES}
