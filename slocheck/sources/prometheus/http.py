"""All requests to Prometheus: their form, deadlines, retries and errors.

`prometheus-api-client` provides the connection and the optional endpoints. Queries use its session
but are sent here, because the library drops warnings, sends GET, retries by itself and has no deadline.
"""

import json
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from slocheck.errors import SourceError
from slocheck.sources.credentials import Credentials, read_credentials
from slocheck.sources.prometheus.errors import Messages, TransientError
from slocheck.spec.blocks.metric_source.prometheus import PrometheusSource
from slocheck.tls import tls_context

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT = 10.0
MAX_RESPONSE = 512 * 1024 * 1024
READ_SIZE = 256 * 1024
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 4.0
MAX_POINTS = 11_000
DEFAULT_PARAMS: Mapping[str, str] = {
    "partial_response": "false",  # Thanos: an error instead of half of the stores
    "dedup": "true",
    "max_source_resolution": "0s",  # Thanos: raw samples, no downsampling
    "latency_offset": "0s",  # VictoriaMetrics hides the last 30 s otherwise
    "nocache": "1",
}
"""Harmless: Prometheus ignores form fields that it does not know."""


@dataclass(frozen=True, slots=True)
class QueryResponse:
    """The response to one query.

    Attributes:
        kind: ``vector``, ``matrix``, ``scalar`` or ``string``.
        result: As decoded from JSON, not yet checked.
        warnings: The server's warnings.
        partial: The server could not reach all of its data.
        midpoint: Our wall clock halfway between sending and receiving, epoch seconds.
        round_trip: Seconds from sending to receiving.
    """

    kind: str
    result: object
    warnings: tuple[str, ...]
    partial: bool
    midpoint: float
    round_trip: float


class PrometheusHttp:
    """A connection to one Prometheus; opened by the first request.

    Attributes:
        messages: Builds errors that name this server.
        patience: Seconds in which a transient failure is retried; 0: never.
        distributed: A response has shown that this is not a plain Prometheus.
    """

    def __init__(self, source: PrometheusSource) -> None:
        self._source = source
        self._url = source.url.rstrip("/")
        self._client: Any = None
        self._session: requests.Session | None = None
        self.messages = Messages(source.url)
        self.patience = 0.0
        self.distributed = False

    def query(self, text: str, at: float | None = None) -> QueryResponse:
        """Query the value of `text` at `at` (epoch seconds on the server's clock; None: now)."""
        fields = {"query": text}
        if at is not None:
            fields["time"] = f"{at:.3f}"
        return self._ask("query", fields)

    def query_range(self, text: str, *, start: float, end: float, step: float) -> QueryResponse:
        """Query `text` from `start` to `end` (epoch seconds), every `step` seconds."""
        fields = {"query": text, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        return self._ask("query_range", fields)

    def targets(self) -> object:
        """Return the ``data`` of the targets endpoint; None if the backend has no such endpoint."""
        return self._optional("get_targets", state="active")

    def metric_types(self) -> dict[str, str]:
        """Return the declared type of each metric by name; empty if the backend does not tell."""
        data = self._optional("get_metric_metadata", metric="")
        found = data if isinstance(data, list) else []
        return {str(one.get("metric_name")): str(one.get("type")) for one in found if isinstance(one, dict)}

    def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            self._session.close()
            self._session = self._client = None

    def _optional(self, method: str, **arguments: str) -> object:
        """Call the client library for a response that is useful but not needed."""
        from prometheus_api_client.exceptions import (  # noqa: PLC0415 - heavy, loaded when used
            PrometheusApiClientException,
        )

        from slocheck.sources.prometheus.exceptions import NETWORK_ERRORS  # noqa: PLC0415 - as above

        self._open()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an unverified certificate is the user's own choice
                return getattr(self._client, method)(**arguments)
        except (PrometheusApiClientException, *NETWORK_ERRORS, ValueError, LookupError, TypeError):
            return None

    def _ask(self, endpoint: str, fields: Mapping[str, str]) -> QueryResponse:
        """Send one query, and retry transient failures while patience lasts."""
        deadline = time.monotonic() + self.patience
        pause = FIRST_PAUSE
        while True:
            try:
                return self._ask_once(endpoint, fields)
            except TransientError:
                if time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _ask_once(self, endpoint: str, fields: Mapping[str, str]) -> QueryResponse:
        from slocheck.sources.prometheus.exceptions import NETWORK_ERRORS, of_exception  # noqa: PLC0415 - as above

        session = self._open()
        form = {**DEFAULT_PARAMS, **self._source.params, **fields}
        sent, begun = time.time(), time.monotonic()
        try:
            response, body = self._exchange(session, f"{self._url}/api/v1/{endpoint}", form)
        except NETWORK_ERRORS as error:
            raise of_exception(error, self.messages, self._source.timeout) from None
        took = time.monotonic() - begun
        if response.status_code != HTTPStatus.OK:
            raise self.messages.of_status(
                response.status_code, body, str(response.headers.get("Location", ""))
            )
        document = self._document(body, str(response.headers.get("Content-Type", "")))
        return self._response(document, sent + took / 2, took)

    def _exchange(
        self, session: "requests.Session", url: str, form: Mapping[str, str]
    ) -> tuple["requests.Response", bytes]:
        """Send the form and read the whole response within the source's timeout."""
        timeout = self._source.timeout
        deadline = time.monotonic() + timeout
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unverified certificate is the user's own choice
            response = session.post(
                url,
                data=dict(form),
                stream=True,
                allow_redirects=False,
                timeout=(min(CONNECT_TIMEOUT, timeout), timeout),
                verify=session.verify,
            )
        with response:
            return response, self._body(response, deadline)

    def _body(self, response: "requests.Response", deadline: float) -> bytes:
        chunks, size = [], 0
        while chunk := response.raw.read1(READ_SIZE, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_RESPONSE:
                raise SourceError(
                    self.messages.text(
                        f"response larger than {MAX_RESPONSE >> 20} MiB; pin the selector to fewer series"
                    )
                )
            if time.monotonic() > deadline:
                raise TimeoutError
        return b"".join(chunks)

    def _document(self, body: bytes, content_type: str) -> dict[str, Any]:
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise self.messages.not_json(body, content_type) from None
        if not isinstance(document, dict):
            raise self.messages.unexpected_form("not an object")
        return document

    def _response(self, document: dict[str, Any], midpoint: float, took: float) -> QueryResponse:
        if document.get("status") == "error":
            raise self.messages.of_api_error(
                str(document.get("errorType", "")), str(document.get("error", ""))
            )
        data = document.get("data")
        if document.get("status") != "success" or not isinstance(data, dict):
            raise self.messages.unexpected_form("no status and data")
        kind = data.get("resultType")
        if kind not in ("vector", "matrix", "scalar", "string"):
            raise self.messages.unexpected_form("no resultType")
        self.distributed |= "isPartial" in document
        said = document.get("warnings") or []
        if not isinstance(said, list):
            raise self.messages.unexpected_form("warnings that are not a list")
        return QueryResponse(
            kind=kind,
            result=data.get("result"),
            warnings=tuple(self.messages.excerpt(str(warning)) for warning in said),
            partial=bool(document.get("isPartial")),
            midpoint=midpoint,
            round_trip=took,
        )

    def check(self) -> Credentials:
        """Read the credentials and the files of certificates; raises UsageError."""
        tls_context(self._source.tls, where="prometheus.tls")
        return read_credentials(self._source.auth, where="prometheus.auth")

    def _open(self) -> "requests.Session":
        """Return the session, opened on first use: reads the credentials."""
        if self._session is None:
            credentials = self.check()
            self.messages = Messages(self._source.url, credentials.secrets)
            self._session = self._new_session(credentials)
        return self._session

    def _new_session(self, credentials: Credentials) -> "requests.Session":
        from prometheus_api_client import PrometheusConnect  # noqa: PLC0415 - heavy, loaded when used

        from slocheck.sources.prometheus.session import DirectSession, SourceAuth  # noqa: PLC0415 - as above

        tls = self._source.tls
        session = DirectSession()
        session.verify = False if tls.insecure else (tls.ca or True)
        session.cert = (tls.cert, tls.key) if tls.cert and tls.key else tls.cert
        session.headers.update({"Accept": "application/json", **self._source.headers})
        session.auth = SourceAuth(credentials)
        self._client = PrometheusConnect(
            url=self._url,
            session=session,
            auth=session.auth,
            retry=0,  # `_ask` does the retries, where they are limited and seen
            timeout=self._source.timeout,
        )
        return session
