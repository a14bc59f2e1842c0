"""A HAR file (HTTP Archive 1.2), as browsers save it, as a flow of its requests."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from slocheck.documents.words import quantity
from slocheck.errors import UsageError
from slocheck.importers.model import (
    METHODS,
    SAFE_METHODS,
    Imported,
    ImportedStep,
    as_written,
    encoded,
    split_address,
    usable_base,
)
from slocheck.importers.secrecy import body_has_secret, sorted_headers, without_secrets
from slocheck.importers.text import can_be_written

MAX_STEPS = 50
_SUCCESS = 2
_WRONG = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""The errors that a document in another form than HAR's leads to."""


@dataclass(frozen=True, slots=True)
class _Entry:
    method: str
    url: str
    origin: str
    headers: list[tuple[str, str]]
    body: str
    parts: bool
    status: int


class _HarSteps:
    """The steps found so far, and what was left out."""

    def __init__(self, origin: str, *, all_methods: bool) -> None:
        self.origin, self.methods = origin, METHODS if all_methods else SAFE_METHODS
        self.steps: dict[tuple[str, str], ImportedStep] = {}
        self.left = Counter[str]()
        self.credentials = False
        self.headers: set[str] = set()

    def take(self, entry: _Entry) -> None:
        """Add a step for an entry, or count why there is none."""
        why = self._why_not(entry)
        if why:
            self.left[why] += 1
            return
        try:
            parts, cleaned = without_secrets(encoded(entry.url))
            hidden, headers = body_has_secret(entry.body), sorted_headers(entry.headers)
            _, path = split_address(urlunsplit(parts), "--har")
            body = "" if hidden else as_written(entry.body)
            step = ImportedStep(entry.method, path, status=entry.status, headers=headers.kept, body=body)
            known = (entry.method, path) in self.steps
            usable = known or len(self.steps) > MAX_STEPS or can_be_written(step)
        except (UsageError, ValueError):
            usable = False
        if not usable:
            self.left["that a scenario cannot hold, or with a credential in the path"] += 1
            return
        self.steps.setdefault((entry.method, path), step)
        self.credentials = self.credentials or cleaned or hidden or headers.credentials
        self.headers |= headers.others
        if entry.parts and not known:
            self.left["whose body, a multipart form or a file, was not copied"] += 1

    def _why_not(self, entry: _Entry) -> str:
        if entry.origin != self.origin:
            return "to other hosts"
        if entry.method not in METHODS:
            return "with a method that a scenario cannot send"
        if entry.method not in self.methods:
            return f"with {entry.method}"
        return f"with a response {entry.status}" if entry.status // 100 != _SUCCESS else ""

    def left_out(self) -> tuple[str, ...]:
        """Return sentences about what was left out."""
        texts = [_told(self.left)] if self.left else []
        if self.headers:
            texts.append(f"headers: {', '.join(sorted(self.headers))}")
        if self.credentials:
            texts.append("headers and fields that may be credentials; add what the requests need")
        return tuple(texts)


def from_har(document: Any, *, what: str, all_methods: bool) -> Imported:
    """Return the requests to the most frequent host, each address once, in order.

    Raises:
        UsageError: It is not a HAR file, or nothing in it can be sent.
    """
    log = document.get("log") if isinstance(document, dict) else None
    listed = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(listed, list):
        raise UsageError(f"{what}: is not a HAR file; save one from the network panel of a browser")
    entries = [_entry(entry) for entry in listed]
    origins = Counter(entry.origin for entry in entries if entry and entry.origin)
    if not origins:
        raise UsageError(f"{what}: has no request over HTTP")
    flow = _HarSteps(origins.most_common(1)[0][0], all_methods=all_methods)
    for entry in entries:
        if entry is None:
            flow.left["that cannot be read"] += 1
        else:
            flow.take(entry)
    if not flow.steps:
        hint = "" if all_methods else "; see --all-methods"
        raise UsageError(f"{what}: has no request that can be sent: {_told(flow.left)}{hint}")
    if len(flow.steps) > MAX_STEPS:
        flow.left[f"beyond the first {MAX_STEPS}"] += len(flow.steps) - MAX_STEPS
    return Imported(flow.origin, tuple(flow.steps.values())[:MAX_STEPS], left_out=flow.left_out())


def _entry(entry: Any) -> _Entry | None:
    """Return what an entry says; None: it is not one."""
    try:
        request = entry["request"]
        headers = [(str(item["name"]), str(item["value"])) for item in request.get("headers") or ()]
        posted = request.get("postData") or {}
        body, fields = str(posted.get("text") or ""), posted.get("params") or ()
        if not body and fields and "multipart" not in str(posted.get("mimeType")):
            body = urlencode([(str(item["name"]), str(item.get("value") or "")) for item in fields])
        url = str(request["url"])
        return _Entry(
            method=str(request["method"]).upper(),
            url=url,
            origin=_origin(url),
            headers=headers,
            body=body,
            parts=bool(fields) and not body,
            status=int(entry["response"]["status"]),
        )
    except _WRONG:
        return None


def _origin(url: str) -> str:
    """Return the scheme and host of an address over HTTP, else nothing; raises ValueError."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    base = f"{parts.scheme}://{host}"
    return base if usable_base(base) else ""


def _told(left: Counter[str]) -> str:
    return "; ".join(f"{quantity(count, 'request')} {why}" for why, count in left.most_common())
