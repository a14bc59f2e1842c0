"""The cookies of one virtual user, for a single origin."""

import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from slocheck.load.http.http1.heads import Head

MAX_COOKIES = 100
_UNSENDABLE = re.compile(r"[\r\n\0;]")
_AGE = re.compile(r"-?[0-9]+", re.ASCII)
_AGE_DIGITS = 12
_LONGEST_S = 400 * 86_400
"""The longest that a cookie is kept, whatever its server asks."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie.

    Attributes:
        value: As it was set.
        path: It is sent for this path and below.
        secure: It is sent under TLS only.
        expires: When it expires, in seconds since the epoch; None: when the user ends.
    """

    value: str
    path: str
    secure: bool
    expires: float | None


class Cookies:
    """A cookie jar (RFC 6265) for one host: it needs neither domains nor public suffixes."""

    def __init__(self, host: str, *, tls: bool) -> None:
        self._host = host
        self._tls = tls
        self._jar: dict[tuple[str, str], Cookie] = {}

    def __bool__(self) -> bool:
        return bool(self._jar)

    def __len__(self) -> int:
        return len(self._jar)

    def set(self, name: str, value: str, path: str = "/") -> None:
        """Add or replace a cookie; raises ValueError if a Cookie field cannot hold it."""
        if _UNSENDABLE.search(name + value) or "=" in name:
            raise ValueError(f"cookie {name!r}: write a name and a value of one line, without a semicolon")
        self._jar[name, path] = Cookie(value, path, secure=False, expires=None)

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return a cookie's value."""
        found = [cookie.value for (known, _), cookie in self._jar.items() if known == name]
        return found[-1] if found else default

    def clear(self) -> None:
        """Delete all of them."""
        self._jar.clear()

    def header(self, target: str) -> str:
        """Return the Cookie field for a request's path, longer paths first; empty for none."""
        path, now = target.partition("?")[0], time.time()
        for key, cookie in list(self._jar.items()):
            if cookie.expires is not None and cookie.expires <= now:
                del self._jar[key]
        fitting = [
            (name, cookie)
            for (name, _), cookie in self._jar.items()
            if _covers(cookie.path, path) and (self._tls or not cookie.secure)
        ]
        fitting.sort(key=lambda item: -len(item[1].path))
        return "; ".join(f"{name}={cookie.value}" for name, cookie in fitting)

    def store(self, head: Head, target: str) -> None:
        """Store all cookies that a response sets."""
        for name, value in head.fields():
            if name.lower() == "set-cookie":
                self._take(value, target.partition("?")[0])

    def _take(self, text: str, path: str) -> None:
        pair, *attributes = text.split(";")
        name, equals, value = pair.strip().partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name:
            return
        given = {key.strip().lower(): rest.strip() for key, _, rest in (a.partition("=") for a in attributes)}
        domain = given.get("domain", "").lstrip(".").lower()
        if domain and self._host != domain and not self._host.endswith(f".{domain}"):
            return
        where = given.get("path", "")
        where = where if where.startswith("/") else path.rpartition("/")[0] or "/"
        cookie = Cookie(value, where, "secure" in given, _expiry(given))
        self._jar.pop((name, where), None)
        if (cookie.expires is None or cookie.expires > time.time()) and len(self._jar) < MAX_COOKIES:
            self._jar[name, where] = cookie


def _expiry(given: dict[str, str]) -> float | None:
    """Return when a cookie expires, by Max-Age, else by Expires; None without a readable one."""
    age = _AGE.fullmatch(given.get("max-age", ""))
    if age is not None:
        return time.time() + min(int(age[0][:_AGE_DIGITS]), _LONGEST_S)
    try:
        return parsedate_to_datetime(given["expires"]).timestamp()
    except (KeyError, ValueError, OverflowError, TypeError, IndexError):  # it raises each of them
        return None


def _covers(prefix: str, path: str) -> bool:
    return path == prefix or (path.startswith(prefix) and (prefix.endswith("/") or path[len(prefix)] == "/"))
