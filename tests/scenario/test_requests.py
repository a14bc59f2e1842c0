"""Requests as bytes: whole, exactly encoded, and safe whatever the values are."""

import json
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, unquote

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck import __version__
from slocheck.documents.position import Position
from slocheck.scenario.compile.compiled import CompiledStep, UnsendableError, compile_scenario
from slocheck.scenario.model import JsonScalar, ListFeeder
from tests.builders.scenarios import compiled, parsed, response_head

USED = """\
feeders: {v: {list: [x]}}
flows:
  - steps:
      - post: /a/{v}/b?c={v}
        query: {q: "<{v}>"}
        headers: {X-Value: "<{v}>"}
        %s
"""
CAPTURED = """\
flows:
  - steps:
      - get: /
        capture: {v: {json: $.v}}
      - post: /a/{v}/b?c={v}
        query: {q: "<{v}>"}
        %s
"""
JSON_BODY = 'json: {whole: "{v}", inside: "<{v}>", list: [1, "{v}", null, true, "{{v}}"], "k{e}y": {n: -1.5}}'
FORM_BODY = 'form: {whole: "{v}", "k&y": "<{v}>"}'
TEXT_BODY = 'body: "<{v}>"'


@dataclass
class Read:
    """A request as an independent parser reads it."""

    url: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    complete: int = 0

    def on_url(self, url: bytes) -> None:
        """Take a segment of the target."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self.headers.append((name.decode(), value.decode()))

    def on_body(self, body: bytes) -> None:
        """Take a segment of the body."""
        self.body += body

    def on_message_complete(self) -> None:
        """Count the message."""
        self.complete += 1


def read(request: bytes) -> Read:
    """Parse what must be exactly one request."""
    seen = Read()
    parser = httptools.HttpRequestParser(seen)
    parser.feed_data(request)
    assert seen.complete == 1
    return seen


def rendered(text: str, value: JsonScalar) -> Read:
    """Render the first step of a scenario, its feeder `v` having one value."""
    scenario = replace(parsed(text), feeders={"v": ListFeeder("v", (value,), False, Position(1, 1))})
    ready = compile_scenario(scenario, authority="127.0.0.1:8000", base_path="")
    _, values = next(ready.iterations(seed=1, index=0, processes=1))
    return read(ready.flows[0].steps[0].render(values))


def after_capture(text: str, value: object) -> Read:
    """Render the second step of a scenario, the first one having captured a value."""
    ready = compiled(text)
    first, second = ready.flows[0].steps
    _, values = next(ready.iterations(seed=1, index=0, processes=1))
    assert first.check is not None
    assert first.check(200, response_head(), json.dumps({"v": value}).encode(), values) is None
    return read(second.render(values))


def text_of(value: object) -> str:
    """Return the text that a value has in a path."""
    return value if isinstance(value, str) else json.dumps(value)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = TEXTS | st.integers(-(10**12), 10**12) | st.booleans() | st.none() | st.floats(-1e9, 1e9)
JSON_VALUES = st.recursive(SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below))


def test_a_request_in_full() -> None:
    """Every byte of a request with nothing that varies; the base path comes first."""
    text = 'flows: [{steps: [{post: "/cart?a=ü b", json: {n: 1}}, {get: /}, {put: /}]}]'
    post, get, put = compiled(text, base_path="/api").flows[0].steps
    usual = f"Host: 127.0.0.1:8000\r\nUser-Agent: slocheck/{__version__}\r\nAccept: */*\r\n"
    usual += "Accept-Encoding: gzip, deflate\r\n"
    assert (
        post.fixed
        == (
            f"POST /api/cart?a=%C3%BC%20b HTTP/1.1\r\n{usual}"
            'Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{"n":1}'
        ).encode()
    )
    assert get.fixed == f"GET /api/ HTTP/1.1\r\n{usual}\r\n".encode()
    assert put.fixed == f"PUT /api/ HTTP/1.1\r\n{usual}Content-Length: 0\r\n\r\n".encode()
    assert [step.render([]) for step in (post, get, put)] == [post.fixed, get.fixed, put.fixed]


def test_a_request_that_varies_has_no_fixed_bytes() -> None:
    """The engine must render it for every iteration."""
    ready = compiled('feeders: {n: {range: {from: 7, to: 8}}}\nflows: [{steps: [{get: "/{n}"}]}]')
    draws = ready.iterations(seed=1, index=0, processes=1)
    (step,) = ready.flows[0].steps
    assert step.fixed is None
    assert [step.render(next(draws)[1]).split(b" ")[1] for _ in range(3)] == [b"/7", b"/8", b"/7"]


@pytest.mark.parametrize("count", range(6))
def test_any_number_of_placeholders(count: int) -> None:
    """The special cases and the general one give the same bytes; percent signs are not formats."""
    path = "/%d%%" + "".join(f"/{place}-{{v}}" for place in range(count))
    seen = rendered(f'feeders: {{v: {{list: [x]}}}}\nflows: [{{steps: [{{get: "{path}"}}]}}]', "x y")
    assert seen.url.decode() == path.replace("{v}", "x%20y")


@settings(deadline=None)
@given(value=SCALARS)
def test_paths_and_queries_keep_any_value(value: JsonScalar) -> None:
    """What is decoded on the other side is what was put in, and the path has as many segments as written."""
    seen = rendered(USED % "", value) if not needs_refusal(value) else after_capture(CAPTURED % "", value)
    path, _, query = seen.url.decode("ascii").partition("?")
    first, a, segment, b = path.split("/")
    assert (first, a, unquote(segment, errors="strict"), b) == ("", "a", text_of(value), "b")
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    assert pairs == [("c", text_of(value)), ("q", f"<{text_of(value)}>")]


def needs_refusal(value: object) -> bool:
    """Tell whether a header cannot hold a value."""
    return any(character != "\t" and (character < " " or character == "\x7f") for character in text_of(value))


@settings(deadline=None)
@given(value=JSON_VALUES)
def test_json_bodies_parse_back(value: object) -> None:
    """A whole placeholder keeps its type, one inside a string is text and stays inside."""
    expected = {
        "whole": value,
        "inside": f"<{as_captured(value)}>",
        "list": [1, value, None, True, "{v}"],
        "k{e}y": {"n": -1.5},
    }
    seen = after_capture(CAPTURED % JSON_BODY, value)
    assert json.loads(seen.body) == expected
    assert dict(seen.headers)["Content-Length"] == str(len(seen.body))


def as_captured(value: object) -> str:
    """Return the text of a captured value: compact JSON for anything but text."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


@settings(deadline=None)
@given(value=SCALARS)
def test_fed_and_captured_values_are_written_alike(value: JsonScalar) -> None:
    """It does not matter where a value comes from."""
    fed = USED.replace('headers: {X-Value: "<{v}>"}\n        ', "")
    for body in (JSON_BODY, FORM_BODY, TEXT_BODY):
        one, other = rendered(fed % body, value), after_capture(CAPTURED % body, value)
        assert (one.url, one.headers, one.body) == (other.url, other.headers, other.body)


@settings(deadline=None)
@given(value=SCALARS)
def test_forms_parse_back(value: JsonScalar) -> None:
    """Forms encode spaces as plus signs and everything that has a meaning by percent."""
    seen = after_capture(CAPTURED % FORM_BODY, value)
    assert dict(seen.headers)["Content-Type"] == "application/x-www-form-urlencoded"
    pairs = parse_qsl(seen.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    assert pairs == [("whole", text_of(value)), ("k&y", f"<{text_of(value)}>")]


@settings(deadline=None)
@given(value=SCALARS)
def test_text_bodies_are_utf8(value: JsonScalar) -> None:
    """A body of text is sent as it is, its length counted in bytes."""
    seen = after_capture(CAPTURED % TEXT_BODY, value)
    assert seen.body == f"<{text_of(value)}>".encode()
    assert dict(seen.headers)["Content-Type"] == "text/plain; charset=utf-8"


@settings(deadline=None)
@given(before=TEXTS, after=TEXTS, evil=st.sampled_from(["\r\nX-Evil: 1", "\n", "\r", "\0", "\x1b[31m"]))
def test_headers_cannot_be_injected(before: str, after: str, evil: str) -> None:
    """A value with a line break or NUL is not sent at all, and the message does not repeat it."""
    with pytest.raises(UnsendableError) as caught:
        rendered(USED % "", before + evil + after)
    assert str(caught.value) == (
        "not sent: {v} holds a line break or control character, which a header cannot hold"
    )


@settings(deadline=None)
@given(value=SCALARS)
def test_good_values_reach_headers(value: JsonScalar) -> None:
    """There is one header more, with the value in UTF-8; otherwise no request is sent."""
    if needs_refusal(value):
        return
    seen = rendered(USED % "", value)
    assert [text for name, text in seen.headers if name == "X-Value"] == [f"<{text_of(value)}>"]
    assert [name for name, _ in seen.headers] == [
        *("Host", "User-Agent", "Accept", "Accept-Encoding", "X-Value", "Content-Length"),
    ]


@pytest.mark.parametrize("body", [FORM_BODY, TEXT_BODY, ""])
def test_half_a_surrogate_pair_is_not_sent(body: str) -> None:
    """JSON can hold what no encoding can; only JSON can pass it on."""
    with pytest.raises(
        UnsendableError, match=r"not sent: \{v\} holds half a surrogate pair, which is not valid text"
    ):
        after_capture(CAPTURED % body, "\ud800")
    only_json = CAPTURED.replace("/a/{v}/b?c={v}", "/").replace('query: {q: "<{v}>"}\n        ', "")
    assert json.loads(after_capture(only_json % JSON_BODY, "\ud800").body)["whole"] == "\ud800"


def headers_of(step: CompiledStep) -> dict[str, str]:
    """Return the headers of a request without values."""
    return dict(read(step.render([])).headers)


def test_own_headers_replace_the_usual_ones() -> None:
    """A step's header counts before the scenario's, and that before the client's own."""
    text = """\
headers: {user-agent: mine, X-A: scenario, X-B: "${API_TOKEN}"}
flows: [{steps: [{post: /, json: {}, headers: {x-a: step, Content-Type: application/ld+json}}, {get: /}]}]
"""
    post, get = compiled(text).flows[0].steps
    assert headers_of(post) == {
        "Host": "127.0.0.1:8000",
        "user-agent": "mine",
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate",
        "Content-Type": "application/ld+json",
        "x-a": "step",
        "X-B": "s3cr3t-of-env",
        "Content-Length": "2",
    }
    assert headers_of(get)["X-A"] == "scenario"


def test_variables_may_stand_anywhere_and_double_braces_are_braces() -> None:
    """Also in paths, queries and bodies; ``${{`` is not a variable."""
    text = "flows: [{steps: [{post: '/${API_TOKEN}/{{a}}', query: {q: '${{x}}'}, body: '$ ${API_TOKEN}'}]}]"
    seen = read(compiled(text).flows[0].steps[0].render([]))
    assert seen.url == b"/s3cr3t-of-env/%7Ba%7D?q=%24%7Bx%7D"
    assert seen.body == b"$ s3cr3t-of-env"


def test_csv_values_stay_text_and_numbers_numbers() -> None:
    """In JSON a CSV's value is a string, a list's number is a number, and a UUID is quoted."""
    text = """\
feeders: {row: {csv: accounts.csv}, n: {list: [5]}, r: {range: {from: 3, to: 3}}, id: {uuid: 4}}
flows:
  - steps:
      - post: /
        json: {a: "{row.name}", b: "{n}", c: "{r}", d: "{id}", e: "{r}/{row.email}"}
"""
    ready = compiled(text)
    draws = ready.iterations(seed=1, index=0, processes=1)
    bodies = [json.loads(read(ready.flows[0].steps[0].render(next(draws)[1])).body) for _ in range(2)]
    ids = [body.pop("d") for body in bodies]
    assert all(isinstance(identity, str) and len(identity) == 36 for identity in ids)
    assert bodies == [
        {"a": "Ann", "b": 5, "c": 3, "e": "3/a@example.org"},
        {"a": "B, junior", "b": 5, "c": 3, "e": "3/b@example.org"},
    ]


def test_step_settings_arrive() -> None:
    """Timeout, think time, method and name are the scenario's."""
    text = 'think: 1s..2s\nflows: [{steps: [{get: "/a?b", timeout: 2s}, {head: /, think: 0s}]}]'
    get, head = compiled(text).flows[0].steps
    assert (get.method, get.name, get.timeout_s, get.think) == ("GET", "/a", 2.0, (1.0, 2.0))
    assert (head.method, head.name, head.timeout_s, head.think) == ("HEAD", "/", 30.0, None)
