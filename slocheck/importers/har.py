"""A HAR file (HTTP Archive 1.2), as browsers save it, as a flow of its requests."""

from collections import Counter
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from slocheck.documents.words import quantity
from slocheck.errors import UsageError
from slocheck.importers.model import METHODS, SAFE_METHODS, Imported, Step, as_written, split_address
from slocheck.importers.secrecy import body_has_secret, kept_headers, without_secrets

MAX_STEPS = 50
_SUCCESS = 2


def from_har(document: Any, *, what: str, all_methods: bool) -> Imported:
    """Return the requests to the host that was asked most often, each address once, in their order.

    Raises:
        UsageError: It is not a HAR file, or nothing in it can be sent.
    """
    try:
        entries = [_entry(entry) for entry in document["log"]["entries"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{what}: is not a HAR file; save one from the network panel of a browser"
        ) from error
    origins = Counter(_origin(url) for _, url, *_ in entries if url.startswith(("http://", "https://")))
    if not origins:
        raise UsageError(f"{what}: has no request over HTTP")
    origin = origins.most_common(1)[0][0]
    steps: dict[tuple[str, str], Step] = {}
    left, credentials = Counter[str](), False
    for method, url, headers, body, status in entries:
        if _origin(url) != origin:
            left["to other hosts"] += 1
        elif method not in METHODS or (method not in SAFE_METHODS and not all_methods):
            left[f"with {method}"] += 1
        elif status // 100 != _SUCCESS:
            left[f"with a response {status}"] += 1
        else:
            parts, cleaned = without_secrets(url)
            _, path = split_address(urlunsplit(parts), what)
            hidden, kept = body_has_secret(body), kept_headers(headers)
            credentials = credentials or cleaned or hidden or len(kept) < len(headers)
            step = Step(method, path, status=status, headers=kept, body="" if hidden else as_written(body))
            steps.setdefault((method, path), step)
    if not steps:
        raise UsageError(f"{what}: has no request that can be sent: {_told(left)}; see --all-methods")
    if len(steps) > MAX_STEPS:
        left[f"beyond the first {MAX_STEPS}"] += len(steps) - MAX_STEPS
    left_out = [_told(left)] if left else []
    if credentials:
        left_out.append("headers and fields that may be credentials; add what the requests need")
    return Imported(origin, tuple(steps.values())[:MAX_STEPS], left_out=tuple(left_out))


def _entry(entry: Any) -> tuple[str, str, list[tuple[str, str]], str, int]:
    """Return method, address, headers, body and the response's status."""
    request = entry["request"]
    headers = [(str(item["name"]), str(item["value"])) for item in request.get("headers", [])]
    body = str((request.get("postData") or {}).get("text") or "")
    return (
        str(request["method"]).upper(),
        str(request["url"]),
        headers,
        body,
        int(entry["response"]["status"]),
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _told(left: Counter[str]) -> str:
    return "; ".join(f"{quantity(count, 'request')} {why}" for why, count in left.most_common())
