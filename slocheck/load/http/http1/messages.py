"""Requests as HTTP/1.1 bytes: the one place where text of a scenario becomes a message."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from slocheck import __version__
from slocheck.documents.http import TOKEN_CHARACTER

DEFAULT_FIELDS = {
    "User-Agent": f"slocheck/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
}
OWN_FIELDS = frozenset({"host", "content-length", "connection", "transfer-encoding"})
"""Fields that the client writes itself: a second one would give the request two different ends."""

_TOKEN = re.compile(f"{TOKEN_CHARACTER}+")
_UNSENDABLE = re.compile(r"[\r\n\0]")
_SAFE_IN_TARGET = "!#$%&'()*+,/:;=?@[]~-._"
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class UnsendableRequestError(ValueError):
    """A request cannot be written; the text says why."""


def request_target(path: str, params: Mapping[str, Any] | None = None) -> str:
    """Return path and query as they are sent; spaces and what is not ASCII are percent-encoded."""
    path = path.partition("#")[0]
    if params:
        path += ("&" if "?" in path else "?") + urlencode(params, doseq=True)
    try:
        return quote(path if path.startswith("/") else f"/{path}", safe=_SAFE_IN_TARGET)
    except UnicodeEncodeError as error:
        raise UnsendableRequestError(f"path {path!r}: {error}") from error


def body_of(data: Any, json_value: Any) -> tuple[bytes, str]:
    """Return a body and its Content-Type as FastHttpUser sends them; each is empty for none.

    Args:
        data: Text, bytes, or the fields of a form.
        json_value: Any JSON value, without data; None: no body.
    """
    if json_value is not None and not data:
        return json.dumps(json_value).encode(), "application/json"
    if isinstance(data, Mapping):
        return urlencode(data).encode(), "application/x-www-form-urlencoded; charset=utf-8"
    if isinstance(data, str):
        return data.encode(), "text/plain; charset=utf-8" if data else ""
    if data is None:
        return b"", ""
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data), "application/octet-stream" if data else ""
    raise UnsendableRequestError(
        f"a body of type {type(data).__name__} cannot be sent; give text, bytes or a mapping"
    )


def head_bytes(method: str, target: str, authority: str, fields: Mapping[str, str]) -> bytes:
    """Return the request line and the fields, without the empty line that ends them.

    Raises:
        UnsendableRequestError: A part is malformed, or would change where the message ends.
    """
    if not _TOKEN.fullmatch(method):
        raise UnsendableRequestError(f"{method!r} is not an HTTP method")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {authority}"]
    for name, value in fields.items():
        if not _TOKEN.fullmatch(name) or _UNSENDABLE.search(value):
            raise UnsendableRequestError(f"header {name!r}: write a name and a value of one line")
        if name.lower() in OWN_FIELDS:
            raise UnsendableRequestError(f"header {name}: the client writes it itself; leave it out")
        lines.append(f"{name}: {value}")
    try:
        return ("\r\n".join(lines) + "\r\n").encode("latin-1")
    except UnicodeEncodeError as error:
        raise UnsendableRequestError(
            f"a header has a character that Latin-1 does not have: {error.object[error.start]!r}"
        ) from error


def request_bytes(head: bytes, method: str, body: bytes, *, cookie: str = "") -> bytes:
    """Return a whole request: a head from `head_bytes`, the Cookie field and the body."""
    if cookie:
        head += b"Cookie: " + cookie.encode("latin-1", "replace") + b"\r\n"
    if body or method not in _BODILESS:
        head += b"Content-Length: %d\r\n" % len(body)
    return head + b"\r\n" + body


def merged(defaults: Mapping[str, str], own: Mapping[str, Any] | None) -> dict[str, str]:
    """Return fields with those of the same name (in any case) replaced; None leaves a field out."""
    if not own:
        return dict(defaults)
    lowered = {name.lower() for name in own}
    fields = {name: value for name, value in defaults.items() if name.lower() not in lowered}
    return fields | {name: _text(value) for name, value in own.items() if value is not None}


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
