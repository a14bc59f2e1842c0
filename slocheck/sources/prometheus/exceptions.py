"""The HTTP client's exceptions as slocheck's errors; imports requests and urllib3, so import it late."""

import requests
import urllib3.exceptions as low

from slocheck.errors import SourceError, chain_of, reason_of
from slocheck.sources.prometheus.errors import Messages, TransientError

NETWORK_ERRORS = (requests.RequestException, low.HTTPError, OSError, UnicodeError)
"""Everything that sending a request and reading its response can raise."""


TLS_FAILS = (
    "TLS fails ({detail}); set prometheus.tls.ca to the certificate authority's file, tls.cert and tls.key "
    "if the server requires a client certificate, or write http:// if it does not use TLS"
)


def of_exception(error: Exception, messages: Messages, timeout: float) -> SourceError:
    """Map what `requests` or `urllib3` raised to a message with where, what and what to do."""
    causes = list(chain_of(error))
    for kinds, what, kind in _CAUSES:
        if any(isinstance(cause, kinds) for cause in causes):
            detail = messages.excerpt(_innermost(causes)) if "{detail}" in what else ""
            return kind(messages.text(what.format(timeout=timeout, detail=detail)))
    return SourceError(
        messages.text(f"cannot be queried ({messages.excerpt(_innermost(causes))}); check the URL")
    )


_CAUSES: tuple[tuple[tuple[type[BaseException], ...], str, type[SourceError]], ...] = (
    (
        (low.NameResolutionError,),
        "unknown host; check the name in the URL, and the DNS",
        SourceError,
    ),
    (
        (requests.exceptions.SSLError, low.SSLError),
        TLS_FAILS,
        SourceError,
    ),
    (
        (requests.exceptions.ProxyError, low.ProxyError),
        "the proxy fails ({detail}); check HTTP_PROXY and HTTPS_PROXY, or name the host in NO_PROXY",
        SourceError,
    ),
    (
        (ConnectionRefusedError,),
        "connection refused; start Prometheus there, or correct the URL",
        TransientError,
    ),
    (
        (low.NewConnectionError,),
        "cannot be reached ({detail}); check the address in the URL",
        TransientError,
    ),
    (
        (requests.Timeout, low.TimeoutError, TimeoutError),
        "no response within {timeout:g} s; raise prometheus.timeout, or ask a less busy server",
        TransientError,
    ),
    (
        (
            requests.exceptions.InvalidURL,
            requests.exceptions.MissingSchema,
            requests.exceptions.InvalidSchema,
            low.LocationParseError,
            UnicodeError,
        ),
        "the URL cannot be used ({detail}); write http://HOST:PORT",
        SourceError,
    ),
    (
        (requests.exceptions.InvalidHeader,),
        "a header cannot be sent ({detail}); check prometheus.headers and prometheus.auth",
        SourceError,
    ),
    (
        (requests.exceptions.ContentDecodingError, low.DecodeError),
        "the response's compression is damaged; look for a proxy that changes it",
        TransientError,
    ),
    (
        (requests.ConnectionError, low.ProtocolError, ConnectionError),
        "the connection broke ({detail}); check that Prometheus runs and speaks http on that port",
        TransientError,
    ),
)


def _innermost(causes: list[BaseException]) -> str:
    """Return the most telling text: the operating system's if there is one."""
    for cause in reversed(causes):
        text = reason_of(cause)
        if isinstance(cause, OSError) and text and not isinstance(cause, requests.RequestException):
            return text
    return str(causes[0])
