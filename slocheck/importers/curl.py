"""A curl command as one step."""

import re
from urllib.parse import quote_plus, urlunsplit

from slocheck.errors import UsageError
from slocheck.importers.curl_options import CHANGES, CREDENTIALS, DATA, options_of
from slocheck.importers.model import (
    METHODS,
    SAFE_METHODS,
    Imported,
    ImportedStep,
    as_written,
    encoded,
    split_address,
)
from slocheck.importers.secrecy import (
    Headers,
    body_has_secret,
    path_has_secret,
    sorted_headers,
    without_secrets,
)
from slocheck.importers.shell import ShellLine, split_line
from slocheck.importers.text import can_be_written

_GLOB = re.compile(r"(?<!\\)\{|(?<!\\)\[[0-9A-Za-z]+-")
"""What curl treats as a pattern of several addresses."""
_ESCAPED = re.compile(r"\\([\[\]{}])")
_CREDENTIALS = "headers, cookies, fields and users that may be credentials; add what the request needs"
_ADDRESS = (
    "--curl: the address cannot be used; write one such as http://127.0.0.1:8000/items, in single quotes"
)


class _Request:
    """What a curl command says, option by option."""

    def __init__(self, line: ShellLine) -> None:
        self.method = self.implied = ""
        self.urls: list[str] = []
        self.headers: list[tuple[str, str]] = []
        self.data = ""
        self.query: list[str] = []
        self.has_data = self.as_query = self.literal = self.credentials = False
        self.left_out: dict[str, None] = {}
        for option, value in options_of(line.words[1:]):
            used = option in DATA or option in ("url", "request")
            if used and any(word.endswith(value) for word in line.variables if value):
                raise UsageError("--curl: has a shell variable; write its value, or use single quotes")
            self._option(option, value)

    def _option(self, option: str, value: str) -> None:
        if option in DATA:
            self._add_data(option, value)
        elif option == "header":
            self._add_header(value)
        elif option in ("referer", "user-agent"):
            self.headers.append((option, value))
        elif option in ("form", "form-string", "upload-file"):
            self.implied = "PUT" if option == "upload-file" else "POST"
            self.left_out[f"the body, a multipart form or a file (--{option})"] = None
        elif option in ("get", "head", "globoff"):
            self.literal = self.literal or option == "globoff"
            self.as_query = self.as_query or option == "get"
            self.method = self.method or ("HEAD" if option == "head" else "")
        elif option == "url":
            self.urls.append(value)
        elif option == "request":
            self.method = value.upper()
        else:
            self._leave_out(option)

    def _leave_out(self, option: str) -> None:
        if option in ("next", "config"):
            raise UsageError(f"--curl: --{option} adds further requests; give a line with one request")
        if option in CREDENTIALS:
            self.credentials = True
        elif option in CHANGES:
            self.left_out[f"--{option}, which changes what is sent or where"] = None

    def _add_header(self, value: str) -> None:
        name, colon, text = value.partition(":")
        if value.startswith("@"):
            self.left_out["headers that are in a file"] = None
        elif colon and text.strip():
            self.headers.append((name.strip(), text.strip()))

    def _add_data(self, option: str, value: str) -> None:
        text = _data(option, value)
        if text is None:
            self.left_out["the body, or a part of the request, that is in a file"] = None
        if option == "url-query":
            self.query += [text] if text else []
            return
        joined = "" if option == "json" or not self.data else "&"
        self.data, self.has_data = self.data + joined + (text or ""), True
        if option == "json":
            self.headers += [("Accept", "application/json"), ("Content-Type", "application/json")]

    @property
    def sent_method(self) -> str:
        """The method that curl sends."""
        return self.method or self.implied or ("POST" if self.has_data and not self.as_query else "GET")


def _data(option: str, value: str) -> str | None:
    """Return what is sent for the value of an option for data; None: what a file holds."""
    if option == "url-query" and value.startswith("+"):
        return value[1:]
    if option in ("data-urlencode", "url-query"):
        name, equals, text = value.partition("=")
        if equals:
            return f"{name}{'=' if name else ''}{quote_plus(text)}"
        return None if "@" in value else quote_plus(value)
    return None if value.startswith("@") and option != "data-raw" else value


def from_curl(text: str, *, all_methods: bool) -> Imported:
    """Return the step that a curl command sends; credentials in it are left out.

    No message shows a word of the line: it may be a credential.

    Raises:
        UsageError: It is not such a line, or sends a method that was not asked for.
    """
    line = _parsed(text)
    request = _Request(line)
    method = request.sent_method
    if method not in METHODS:
        raise UsageError(
            f"--curl: its method is not one that a scenario can send: {', '.join(sorted(METHODS))}"
        )
    if method not in SAFE_METHODS and not all_methods:
        raise UsageError(f"--curl: the line sends {method}, which may change data; add --all-methods")
    target, path, credentials = _address(request)
    body = "" if request.as_query else request.data
    hidden = bool(body) and body_has_secret(body)
    headers = _headers(request, body)
    left_out = list(request.left_out)
    if line.more:
        left_out.append("what follows the command in the line")
    if headers.others:
        left_out.append(f"headers: {', '.join(sorted(headers.others))}")
    if credentials or hidden or request.credentials or headers.credentials:
        left_out.append(_CREDENTIALS)
    step = ImportedStep(method, path, headers=headers.kept, body="" if hidden else as_written(body))
    if not can_be_written(step):
        raise UsageError("--curl: is a request that a scenario cannot hold: too long, or not plain text")
    return Imported(target, (step,), left_out=tuple(left_out))


def _headers(request: _Request, body: str) -> Headers:
    """Return the headers that are sent; curl sends data as a form if the line does not say what it is."""
    named = {name.lower() for name, _ in request.headers}
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    return sorted_headers(request.headers + (form if body and "content-type" not in named else []))


def _address(request: _Request) -> tuple[str, str, bool]:
    """Return the target, the path, and whether the address held credentials."""
    if not request.urls:
        raise UsageError("--curl: names no address")
    if len(request.urls) > 1:
        raise UsageError("--curl: names several addresses; give a line with one, and quote each value in it")
    url = request.urls[0] if "://" in request.urls[0] else f"http://{request.urls[0]}"
    url = url.partition("#")[0]
    if not request.literal:
        if _GLOB.search(url):
            raise UsageError("--curl: the address stands for several ({...} or [1-9]); write one, or add -g")
        url = _ESCAPED.sub(r"\1", url)
    query = "&".join([*request.query, *([request.data] if request.as_query and request.data else [])])
    if query:
        url += ("&" if "?" in url else "?") + query
    try:
        parts, cleaned = without_secrets(encoded(url))
    except ValueError as error:
        raise UsageError(_ADDRESS) from error
    if path_has_secret(parts.path):
        raise UsageError("--curl: the path holds what may be a credential; give an address without it")
    try:
        return *split_address(urlunsplit(parts), "--curl"), cleaned
    except UsageError as error:
        raise UsageError(_ADDRESS) from error


def _parsed(text: str) -> ShellLine:
    try:
        line = split_line(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            "--curl: cannot be read: a quote is not closed; put the whole line in quotes"
        ) from error
    if not line.words or line.words[0] != "curl":
        raise UsageError("--curl: does not begin with curl; write --curl 'curl http://127.0.0.1:8000/items'")
    return line
