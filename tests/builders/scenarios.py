"""A good scenario, ways to read one, and a target's responses: shared by the tests of scenarios."""

import errno
from collections.abc import Mapping

import pytest

from slocheck.errors import SpecError
from slocheck.scenario.compile.compiled import CompiledScenario, compile_scenario
from slocheck.scenario.loader import parse_scenario
from slocheck.scenario.model import Scenario
from tests.support.broken_texts import BrokenText

GOOD = """\
feeders:
  product: {zipf: {from: 1, to: 1000, exponent: 1.0}}
  page: {range: {from: 1, to: 50}, order: random}
  term: {list: [shoes, "red hat"], order: random}
  account: {csv: accounts.csv, order: sequential}
  token: {uuid: 4}
  qty: {random: {from: 1, to: 5}}
headers: {Authorization: "Bearer ${API_TOKEN}"}
cookies: true
think: 1s..3s
timeout: 20s
flows:
  - name: browse
    weight: 3
    steps:
      - get: /products?page={page}
      - get: /products/{product}
        name: GET /products/{id}
        expect: {status: 200, header: {Content-Type: application/json}, json: {$.id: "{product}"}}
        capture: {sku: {json: "$.sku"}, tag: {header: ETag}}
      - post: /cart
        query: {debug: "1"}
        headers: {If-Match: "{tag}"}
        json: {sku: "{sku}", quantity: "{qty}"}
        think: 500ms
        timeout: 5s
  - steps:
      - get: /search?q={term}
        expect: {status: [200, 404], body: results, size: "< 10 kB"}
      - post: /login
        form: {user: "{account.email}", once: "{token}"}
"""
FILES = {
    "accounts.csv": b'email,name\r\na@example.org,Ann\r\nb@example.org,"B, junior"\r\n',
    "empty.csv": b"",
    "head.csv": b"email,name\n",
    "ragged.csv": b"email,name\nonly one\n",
    "twice.csv": b"email,email\na,b\n",
    "nameless.csv": b"email,\na,b\n",
    "latin.csv": b"email\n\xe9\n",
    "quote.csv": b'email\n"a"b\n',
    "token": b"s3cr3t-of-file\n",
    "lines": b"one\ntwo\n",
    "blank": b"\n",
}
ENVIRONMENT = {"API_TOKEN": "s3cr3t-of-env", "BROKEN": "a\r\nX: y", "EMPTY": ""}


class Broken(BrokenText):
    """One change to the good scenario."""

    good = GOOD


def read_file(name: str, most: int) -> bytes:
    """Read one of `FILES`."""
    if name not in FILES:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")
    return FILES[name][: most + 1]


def parsed(text: str, environment: Mapping[str, str] = ENVIRONMENT) -> Scenario:
    """Read a scenario from a text."""
    return parse_scenario(text.encode(), "browse.yaml", environment=environment, read=read_file)


def messages_of(text: str) -> list[str]:
    """Return what is wrong with a scenario, without its path."""
    with pytest.raises(SpecError) as caught:
        parsed(text)
    return [str(problem).removeprefix("browse.yaml:") for problem in caught.value.problems]


def compiled(text: str, base_path: str = "") -> CompiledScenario:
    """Compile a scenario from a text."""
    return compile_scenario(parsed(text), authority="127.0.0.1:8000", base_path=base_path)


def response_head(*headers: str, status: str = "200 OK") -> bytes:
    """Return a response's header block."""
    return "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *headers, "")).encode()
