"""A line of curl as one step."""

import shlex
from urllib.parse import urlunsplit

from slocheck.errors import UsageError
from slocheck.importers.model import METHODS, SAFE_METHODS, Imported, Step, as_written, split_address
from slocheck.importers.secrecy import body_has_secret, kept_headers, without_secrets

_CREDENTIALS = frozenset(
    (*("-u", "--user", "-b", "--cookie", "--oauth2-bearer"), *("-E", "--cert", "--key", "--aws-sigv4"))
)
_IGNORED = frozenset(
    (
        *("-o", "-A", "-e", "-m", "-c", "-x", "-w", "-F", "--form", "--output", "--user-agent", "--referer"),
        *("--max-time", "--cookie-jar", "--proxy", "--write-out", "--cacert", "--retry"),
        *("--connect-timeout", "--resolve", "--interface"),
    )
)
_DATA = frozenset(
    (*("-d", "--data", "--data-raw", "--data-ascii"), *("--data-binary", "--data-urlencode", "--json"))
)
_TAKE_VALUES = frozenset((*_CREDENTIALS, *_IGNORED, *_DATA, "-X", "--request", "-H", "--header", "--url"))
CREDENTIALS = "headers, cookies, fields and users that may be credentials; add what the request needs"


class _Line:
    """What a line of curl says, option by option."""

    def __init__(self) -> None:
        self.method = self.url = ""
        self.headers: list[tuple[str, str]] = []
        self.data: list[str] = []
        self.as_query = self.dropped = False

    def read(self, words: list[str]) -> None:
        """Take in the words behind ``curl``."""
        rest = iter(words)
        for word in rest:
            option, value = _split(word)
            self._option(option, next(rest, "") if option in _TAKE_VALUES and not value else value)

    def _option(self, option: str, value: str) -> None:
        if option in ("-X", "--request"):
            self.method = value.upper()
        elif option in ("-H", "--header"):
            name, _, text = value.partition(":")
            self.headers.append((name.strip(), text.strip()))
        elif option in _DATA:
            self.data.append(value)
            if option == "--json":
                self.headers.append(("Content-Type", "application/json"))
        elif option in ("-G", "--get"):
            self.as_query = True
        elif option in ("-I", "--head"):
            self.method = "HEAD"
        elif option in _CREDENTIALS:
            self.dropped = True
        elif option == "--url" or not option.startswith("-"):
            self.url = self.url or value or option


def _split(word: str) -> tuple[str, str]:
    """Split ``--request=POST`` and ``-XPOST``; the value is empty where it stands apart."""
    if word.startswith("--"):
        option, _, value = word.partition("=")
        return option, value
    short = word[:2]
    return (short, word[2:]) if short in _TAKE_VALUES else (word, "")


def from_curl(text: str, *, all_methods: bool) -> Imported:
    """Return the step that a line of curl sends; credentials in it are left out.

    Raises:
        UsageError: It is not such a line, or sends a method that was not asked for.
    """
    line = _parsed(text)
    url = line.url if "://" in line.url else f"http://{line.url}"
    query = "&".join(line.data) if line.as_query else ""
    if query:
        url += ("&" if "?" in url else "?") + query
    parts, cleaned = without_secrets(url)
    method = line.method or ("POST" if line.data and not line.as_query else "GET")
    if method not in METHODS:
        raise UsageError(f"--curl: {method!r} is not a method that a scenario can send")
    if method not in SAFE_METHODS and not all_methods:
        raise UsageError(f"--curl: the line sends {method}, which may change data; add --all-methods")
    target, path = split_address(urlunsplit(parts), "--curl")
    body = "" if line.as_query else "&".join(line.data)
    hidden = body_has_secret(body)
    headers = kept_headers(line.headers)
    left_out = []
    if cleaned or hidden or line.dropped or len(headers) < len(line.headers):
        left_out.append(CREDENTIALS)
    step = Step(
        method, path, headers=headers, body="" if hidden or body.startswith("@") else as_written(body)
    )
    return Imported(target, (step,), left_out=tuple(left_out))


def _parsed(text: str) -> _Line:
    try:
        words = shlex.split(text.replace("\\\n", " "))
    except ValueError as error:
        raise UsageError(f"--curl: cannot be read: {error}; put the whole line in quotes") from error
    if not words or words[0] != "curl":
        raise UsageError("--curl: does not begin with curl; write --curl 'curl http://127.0.0.1:8000/items'")
    line = _Line()
    line.read(words[1:])
    if not line.url:
        raise UsageError("--curl: names no address")
    return line
