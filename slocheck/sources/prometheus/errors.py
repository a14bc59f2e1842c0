"""Errors of asking Prometheus: where, what, and what to do.

No exception of the HTTP client leaves this package: each becomes one of these.
"""

import json
import re
from collections.abc import Iterable
from http import HTTPStatus

from slocheck.documents.texts import shorten
from slocheck.errors import SourceError
from slocheck.masking import mask, strip_url

EXCERPT = 200
UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a1-\u1fff\u3040-\ufaff]+")


class TransientError(SourceError):
    """A failure that may pass: a restart, a 500, a 503."""


class TooMuchError(SourceError):
    """The query needs more samples than the server loads at once (422)."""


class BadQueryError(SourceError):
    """The server does not understand the query (400) or cannot execute it."""


class Messages:
    """Builds the errors of one server: its address first, secrets masked, foreign text shortened."""

    def __init__(self, url: str, secrets: Iterable[str] = ()) -> None:
        self.place = f"prometheus {strip_url(url)}"
        self._secrets = tuple(secrets)

    def text(self, what: str) -> str:
        """Return the message that says `what` of this server, secrets masked."""
        return mask(f"{self.place}: {what}", self._secrets)

    def excerpt(self, foreign: str) -> str:
        """Return the beginning of a foreign text, on one line, without control characters."""
        flat = mask(" ".join(UNPRINTABLE.sub(" ", foreign).split()), self._secrets)
        return shorten(flat, EXCERPT)

    def of_status(self, status: int, body: bytes, location: str = "") -> SourceError:
        """Map a response whose status is not 200."""
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            where = strip_url(location) if location else "nowhere"
            return SourceError(
                self.text(
                    f"HTTP {status} redirects to {self.excerpt(where)}, which is not followed; "
                    "write the final URL, path prefix included, or log in differently"
                )
            )
        said = self._said(body)
        quote = f" ({self.excerpt(said)})" if said else ""
        what, remedy, kind = _STATUSES.get(status, ("fails", "see the server's log", SourceError))
        return kind(self.text(f"HTTP {status} {what}{quote}; {remedy}"))

    def of_api_error(self, error_type: str, said: str) -> SourceError:
        """Map ``status: error`` that came with status 200."""
        return SourceError(
            self.text(
                f"responded with an error but HTTP 200 ({self.excerpt(f'{error_type} {said}'.strip())}); "
                "a proxy hides the status: see the server's log"
            )
        )

    def not_json(self, body: bytes, content_type: str) -> SourceError:
        """Map a body with status 200 that is not a JSON document."""
        text = body[:4096].decode("utf-8", "replace").lstrip()
        if text.startswith("<") or "html" in content_type:
            return SourceError(
                self.text(
                    "returns HTML where Prometheus returns JSON (a login page, or not Prometheus at all); "
                    "check the URL, its path prefix and the credentials"
                )
            )
        if text.startswith(("{", "[")):
            return TransientError(
                self.text("the JSON response is cut off or damaged; look for a proxy that truncates it")
            )
        return SourceError(
            self.text(f"does not return JSON ({self.excerpt(text)!r}); check that the URL is Prometheus's")
        )

    def unexpected_form(self, what: str) -> SourceError:
        """Map a JSON document that does not have the API's form."""
        return SourceError(
            self.text(
                f"returns JSON that is not the query API's ({what}); check that the URL is Prometheus's"
            )
        )

    @staticmethod
    def _said(body: bytes) -> str:
        """Return the error text of an API response or a plain one; empty for an HTML page."""
        text = body[:65536].decode("utf-8", "replace").strip()
        try:
            response = json.loads(text)
        except (ValueError, RecursionError):
            return "" if text.startswith("<") else text
        if isinstance(response, dict):
            return str(response.get("error") or response.get("message") or "")
        return ""


_STATUSES: dict[int, tuple[str, str, type[SourceError]]] = {
    400: ("refuses the query", "check its text, and http against https", BadQueryError),
    401: (
        "asks for credentials",
        "set prometheus.auth (bearer_token_file, or username and password_file)",
        SourceError,
    ),
    403: ("forbids the query", "these credentials may not query; ask for permission", SourceError),
    404: ("has no query API at this URL", "check the URL's path prefix (Mimir: /prometheus)", SourceError),
    405: ("refuses POST", "allow POST to /api/v1/query in the proxy before it", SourceError),
    407: (
        "means that the proxy asks for credentials",
        "set them in HTTPS_PROXY, or the host in NO_PROXY",
        SourceError,
    ),
    413: ("says that the request is too large", "raise the proxy's body limit", SourceError),
    422: (
        "cannot execute the query",
        "select fewer series, or raise --query.max-samples",
        TooMuchError,
    ),
    429: ("limits the rate of queries", "wait, or raise the tenant's limit", TransientError),
    500: ("has an internal error", "see the server's log", TransientError),
    502: ("cannot reach Prometheus behind the proxy", "check that it runs", TransientError),
    503: ("is not ready or timed out", "wait until it is ready, or raise --query.timeout", TransientError),
    504: ("timed out behind the proxy", "raise the proxy's timeout", TransientError),
}
