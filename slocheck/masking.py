"""Secrets never show: known values are masked in every text that leaves, URLs are stripped."""

import base64
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, quote_plus

from slocheck.documents.texts import each_text
from slocheck.evidence.recording import SliceCounts
from slocheck.evidence.series import RawSeries
from slocheck.spec.model import Auth, Spec

T = TypeVar("T")

MASK = "***"
SHORTEST_SECRET = 4
"""Shorter values would mask half of every report; they guard nothing anyway."""
_MARKS = frozenset("?#@")
_USER_INFO = re.compile(r"^((?:[A-Za-z][A-Za-z0-9+.-]*:)?//)[^/]*@")
_USER_INFO_IN_TEXT = re.compile(r"//[^/\s?#]*@")
_QUERY_IN_TEXT = re.compile(r"\?([^\s\"<>]+)")


def mask(text: str, secrets: Iterable[str]) -> str:
    """Replace each secret in `text`, also where it stands base64- or percent-encoded."""
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def masked(value: T, secrets: Sequence[str]) -> T:
    """Return a report, or evidence, with the secrets masked in each of its texts.

    This comes before any sink's escapes, which would disguise a secret. Counts and samples are left
    alone: they are most of a report's size and hold no free text.
    """
    if not secrets:
        return value
    return each_text(value, lambda text: mask(text, secrets), untouched=(SliceCounts, RawSeries))


def _forms(secret: str) -> Iterator[str]:
    if len(secret) < SHORTEST_SECRET:
        return
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    raw = secret.encode()
    for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        yield encoded.decode().rstrip("=")


def strip_url(url: str) -> str:
    """Return an address, whole or relative, without user info and fragment, each query value masked.

    The keys of the query stay: ``/items?id=7`` becomes ``/items?id=***``. This is also the name of a
    request that a Locust file gives none.
    """
    if not _MARKS & set(url):
        return url
    address, mark, query = url.partition("#")[0].partition("?")
    return _USER_INFO.sub(r"\1", address) + mark + _mask_values(query)


def mask_urls(text: str) -> str:
    """Mask the query values, and leave out the user info, of every address in a text.

    A value ends only at white space, a double quote or an angle bracket, which no address has: what stands
    behind it goes rather than a part of the value stays.
    """
    if "@" in text:
        text = _USER_INFO_IN_TEXT.sub("//", text)
    return _QUERY_IN_TEXT.sub(lambda match: f"?{_mask_values(match[1])}", text) if "?" in text else text


def _mask_values(query: str) -> str:
    """Mask the value of each ``key=value``; a key alone stays."""
    keys = (part.partition("=") for part in query.split("&"))
    return "&".join(f"{key}={MASK}" if equals else key for key, equals, _ in keys)


def secrets_of(spec: Spec) -> tuple[str, ...]:
    """Read the values of the credentials that the spec points at; what cannot be read is left out."""
    auth = spec.metric_source.auth if spec.metric_source else Auth()
    names = [auth.bearer_token_env, auth.password_env, *auth.headers_env.values()]
    values = [os.environ.get(name, "") for name in names if name]
    values += [_content(path) for path in (auth.bearer_token_file, auth.password_file) if path]
    if auth.username:
        values += [f"{auth.username}:{value}" for value in values if value]
    return tuple(value for value in values if value)


def _content(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
