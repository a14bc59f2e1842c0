"""A response as a Locust file sees it, with the methods that FastHttpUser documents."""

import json
from typing import Any, Self

from locust.exception import CatchResponseError, LocustError, ResponseError
from requests.structures import CaseInsensitiveDict

from slocheck.load.http.errors import TransportError
from slocheck.load.http.http1.heads import Head

_FIRST_ERROR_STATUS = 400


class LeanResponse:
    """One response, or its stand-in if none came.

    Attributes:
        status_code: 0 if no response came.
        url: Of the request.
        content: The decoded body; empty if no response came.
        error: Why no response came; None if one did.
    """

    __slots__ = ("__weakref__", "_head", "content", "error", "status_code", "url")

    def __init__(self, url: str, head: Head | None, body: bytes, error: TransportError | None) -> None:
        self.status_code = head.status if head is not None else 0
        self.url = url
        self.error = error
        self._head = head
        self.content = body

    @property
    def ok(self) -> bool:
        """Whether a response came with a status below 400."""
        return 0 < self.status_code < _FIRST_ERROR_STATUS

    @property
    def headers(self) -> "CaseInsensitiveDict[str]":
        """The header fields; those of the same name are joined by a comma."""
        found: CaseInsensitiveDict[str] = CaseInsensitiveDict()
        for name, value in self._head.fields() if self._head is not None else ():
            found[name] = f"{found[name]}, {value}" if name in found else value
        return found

    @property
    def text(self) -> str:
        """The body as text, decoded with the charset of its Content-Type; undecodable bytes are replaced."""
        kind = self.headers.get("Content-Type", "")
        charset = kind.lower().partition("charset=")[2].split(";")[0].strip(' "') or "utf-8"
        try:
            return self.content.decode(charset, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body parsed as JSON; raises ValueError if it is not JSON."""
        return json.loads(self.content)

    def raise_for_status(self) -> None:
        """Raise if no response came, or one with a status of 400 or above."""
        if self.error is not None:
            raise self.error
        if not self.ok:
            raise ResponseError(f"HTTP {self.status_code}")


class CaughtResponse(LeanResponse):
    """A response that the scenario judges: what `catch_response=True` returns.

    Use it in a ``with`` block. An exception in the block is a failed expectation.
    """

    __slots__ = ("_settle", "_verdict", "entered")

    def __init__(self, *parts: Any) -> None:
        *response, self._settle = parts
        super().__init__(*response)
        self._verdict: Exception | bool | None = None
        self.entered = False

    def __enter__(self) -> Self:
        self.entered = True
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        settle, self._settle = self._settle, None
        if settle is None:
            return False
        if self._verdict is not None:
            settle(self._verdict)
            return error is None
        settle(error)
        return error is None or isinstance(error, ResponseError)

    def __del__(self) -> None:
        settle = getattr(self, "_settle", None)
        if settle is not None:
            settle(None)  # not used in a with block: counted as it is

    def success(self) -> None:
        """Say that the response is as expected."""
        self._judge(verdict=True)

    def failure(self, reason: Exception | str) -> None:
        """Say that the response is not as expected."""
        self._judge(verdict=reason if isinstance(reason, Exception) else CatchResponseError(reason))

    def _judge(self, *, verdict: Exception | bool) -> None:
        if not self.entered:
            raise LocustError(
                "success() and failure() work inside of: with client.get(URL, catch_response=True) as found"
            )
        self._verdict = verdict
