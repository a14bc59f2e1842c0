"""Expectations and captures: what passes, what fails, and that a cause has one text."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck.errors import SpecError
from slocheck.scenario.compile.compiled import CompiledStep, UnsendableError, status_failure
from tests.builders.scenarios import compiled, parsed, response_head

BODY = b'{"id": 7, "name": "red hat", "tags": ["a", {"b c": null}], "ok": true, "price": 1.0}'
HEAD = response_head("Content-Type: application/json; charset=utf-8", 'ETag:  W/"1" ', "x-a: 1", "X-A: 2")


def step_of(expect: str, feeder: str = "list: [7]") -> tuple[CompiledStep, list[object]]:
    """Compile a step with these expectations, and draw its values; `n` is a feeder."""
    ready = compiled(
        f"feeders: {{n: {{{feeder}}}}}\nflows: [{{steps: [{{get: '/{{n}}', expect: {expect}}}]}}]"
    )
    return ready.flows[0].steps[0], next(ready.iterations(seed=1, index=0, processes=1))[1]


def checked(expect: str, *, status: int = 200, head: bytes = HEAD, body: bytes = BODY) -> str | None:
    """Check a response."""
    step, values = step_of(expect)
    assert step.check is not None
    return step.check(status, head, body, values)


@pytest.mark.parametrize(
    "expect",
    [
        "{header: {Content-Type: application/json}}",
        "{header: {content-type: application/json; charset=utf-8}}",
        "{header: {ETag: 'W/\"1\"'}}",
        "{header: {X-A: 2, x-A: 1}}",
        "{header: {X-A: '1'}}",
        "{json: {$.id: 7}}",
        "{json: {$.id: '{n}'}}",
        "{json: {$.id: 7.0}}",
        "{json: {$.price: 1}}",
        "{json: {$.name: red hat, $.ok: true}}",
        "{json: {'$.tags[0]': a, '$.tags[-2]': a, '$.tags[1]': {b c: null}}}",
        "{json: {\"$.tags[1]['b c']\": null}}",
        "{json: {\"$['id']\": 7}}",
        "{json: {$.tags: [a, {b c: null}]}}",
        "{body: red}",
        "{body: '\"id\": {n}'}",
        "{size: '< 10 kB'}",
        "{size: '<= 84 B'}",
        "{size: '>= 84B'}",
        "{size: '> 83 B', status: 200}",
    ],
)
def test_right_responses_pass(expect: str) -> None:
    """Each kind of expectation, on its limit where it has one."""
    assert len(BODY) == 84
    assert checked(expect) is None


@pytest.mark.parametrize(
    ("expect", "text"),
    [
        ("{header: {X-B: 1}}", "header X-B is missing"),
        ("{header: {X-A: 3}}", "header X-A is not '3'"),
        ("{header: {Content-Type: text/html}}", "header Content-Type is not 'text/html'"),
        (
            "{header: {Content-Type: application/json; a=b}}",
            "header Content-Type is not 'application/json; a=b'",
        ),
        ("{header: {X-A: '{n}'}}", "header X-A is not '{n}'"),
        ("{json: {$.id: 8}}", "$.id is not 8"),
        ("{json: {$.id: '7'}}", "$.id is not '7'"),
        ("{json: {$.ok: 1}}", "$.ok is not 1"),
        ("{json: {$.name: '{n}'}}", "$.name is not '{n}'"),
        ("{json: {$.price: null}}", "$.price is not null"),
        ("{json: {$.tags: [a]}}", "$.tags is not the value expected"),
        ("{json: {$.tags: [a, {b c: false}]}}", "$.tags is not the value expected"),
        ("{json: {$.none: null}}", "body has no $.none"),
        ("{json: {'$.tags[2]': a}}", "body has no $.tags[2]"),
        ("{json: {'$.name[0]': r}}", "body has no $.name[0]"),
        ("{json: {$.tags.a: r}}", "body has no $.tags.a"),
        ("{json: {'$[0]': r}}", "body has no $[0]"),
        ("{body: blue}", "body does not contain 'blue'"),
        ("{body: 'hat {n}'}", "body does not contain 'hat {n}'"),
        ("{size: '< 84 B'}", "size is not < 84 B"),
        ("{size: '>= 1 kB'}", "size is not >= 1 kB"),
        ("{status: 201, body: red}", "status is 200, not 201"),
    ],
)
def test_wrong_responses_are_named(expect: str, text: str) -> None:
    """The text says what was expected, in the scenario's words, and no value of the response."""
    assert checked(expect) == text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"<html>",
        b"nan",
        b'{"id": NaN}',
        b'{"id": 7} x',
        b"\xff",
        b"[" * 100_000,
        b"\xef\xbb\xbf{}",
        b"1" * 5000,
    ],
)
def test_what_is_not_json_is_said_so(body: bytes) -> None:
    """Whatever a target sends, a check returns a text and never raises."""
    assert checked("{json: {$.id: 7}}", body=body) == "body is not JSON"


@pytest.mark.parametrize("body", [b' {"id": 7}', b'\r\n{"id": 7}\n\t ', b'{"id": 7, "id": 7}'])
def test_blanks_around_json_are_fine(body: bytes) -> None:
    """As RFC 8259 has it."""
    assert checked("{json: {$.id: 7}}", body=body) is None


@settings(deadline=None)
@given(head=st.binary(max_size=60), body=st.binary(max_size=60))
def test_no_response_raises(head: bytes, body: bytes) -> None:
    """Headers and bodies are foreign bytes."""
    expect = "{json: {'$.a[0]': '{n}'}, header: {X-A: '{n}'}, body: '{n}', size: '< 1 kB'}"
    assert checked(expect, head=b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n", body=body)


@settings(deadline=None)
@given(
    document=st.recursive(
        st.none() | st.integers() | st.text(), lambda b: st.lists(b) | st.dictionaries(st.text(), b)
    )
)
def test_any_json_equals_itself(document: object) -> None:
    """A whole body compared with its own value, captured in the step before."""
    ready = compiled(
        "flows: [{steps: [{get: /, capture: {v: {json: $}}}, {get: /, expect: {json: {$: '{v}'}}}]}]"
    )
    _, values = next(ready.iterations(seed=1, index=0, processes=1))
    first, second = (step.check for step in ready.flows[0].steps)
    assert first is not None
    assert second is not None
    body = json.dumps(document).encode()
    assert first(200, response_head(), body, values) is None
    assert second(200, response_head(), body, values) is None
    assert second(200, response_head(), json.dumps([document]).encode(), values) == "$ is not '{v}'"


@pytest.mark.parametrize(
    ("expect", "body", "check"),
    [
        ("{status: 200}", False, False),
        ("{status: 200, header: {A: b}}", False, True),
        ("{json: {$: 1}}", True, True),
        ("{body: x}", True, True),
        ("{size: '> 0 B'}", True, True),
    ],
)
def test_bodies_are_kept_only_where_they_are_looked_at(expect: str, body: bool, check: bool) -> None:
    """The engine drops what no expectation needs, and calls nothing if only the status counts."""
    step, _ = step_of(expect)
    assert (step.needs_body, step.check is not None, step.captures) == (body, check, False)


def test_statuses_are_named_in_classes() -> None:
    """A hundred codes would make the message useless."""
    assert status_failure(404, frozenset({200})) == "status is 404, not 200"
    assert (
        status_failure(404, frozenset({*range(200, 300), 409, 301})) == "status is 404, not 301 or 409 or 2xx"
    )
    step, _ = step_of("{status: [2xx]}")
    assert step.statuses == frozenset(range(200, 300))
    assert step_of("{body: x}")[0].statuses is None


DEEP = """\
flows:
  - steps:
      - {get: /, capture: {v: {json: $}}}
      - {post: /, json: "{v}", expect: {json: {$: "{v}"}}}
"""


@pytest.mark.parametrize("depth", range(800, 1000, 20))
def test_deep_documents_raise_nothing(depth: int) -> None:
    """At whatever depth the interpreter gives up, there is a text or a request."""
    ready = compiled(DEEP)
    first, second = ready.flows[0].steps
    _, values = next(ready.iterations(seed=1, index=0, processes=1))
    body = b"[" * depth + b"]" * depth
    assert first.check is not None
    assert second.check is not None
    texts = (None, "body is not JSON", "nothing to capture as v: $ is nested too deep")
    captured = first.check(200, response_head(), body, values)
    assert captured in texts
    if captured is None:
        assert second.render(values).endswith(body)
        texts = (None, "body is not JSON", "$ is nested too deep to be compared")
        assert second.check(200, response_head(), body, values) in texts


def test_numbers_beyond_json_are_not_sent() -> None:
    """Python reads 1e999 as infinity, for which JSON has no encoding."""
    ready = compiled(DEEP)
    first, second = ready.flows[0].steps
    _, values = next(ready.iterations(seed=1, index=0, processes=1))
    assert first.check is not None
    assert first.check(200, response_head(), b"[1e999]", values) is None
    with pytest.raises(UnsendableError, match="that JSON cannot represent"):
        second.render(values)


CAPTURES = """\
flows:
  - steps:
      - get: /
        capture: {sku: {json: "$.items[0].sku"}, tag: {header: ETag}}
      - post: /cart
        headers: {If-Match: "{tag}"}
        json: {sku: "{sku}"}
"""


@pytest.mark.parametrize(
    ("head", "body", "text"),
    [
        (response_head("ETag: x"), b'{"items": []}', "nothing to capture as sku: body has no $.items[0].sku"),
        (response_head("ETag: x"), b"", "body is not JSON"),
        (response_head(), b'{"items": [{"sku": 1}]}', "nothing to capture as tag: header ETag is missing"),
        (
            response_head("X-ETag: x"),
            b'{"items": [{"sku": 1}]}',
            "nothing to capture as tag: header ETag is missing",
        ),
    ],
)
def test_missing_captures_are_failed_expectations(head: bytes, body: bytes, text: str) -> None:
    """The flow ends there, because later steps need the values."""
    ready = compiled(CAPTURES)
    first = ready.flows[0].steps[0]
    _, values = next(ready.iterations(seed=1, index=0, processes=1))
    assert first.check is not None
    assert first.check(200, head, body, values) == text
    assert (first.captures, first.needs_body) == (True, True)


@pytest.mark.parametrize(
    "head",
    [
        response_head('ETag: W/"1"'),
        response_head('etag:W/"1" \t'),
        response_head("X-ETag: no", 'eTAG:\tW/"1"', "ETag-X: no"),
        response_head('ETag: W/"1"').replace(b"\r\n", b"\n"),
    ],
)
def test_headers_are_captured_in_any_spelling(head: bytes) -> None:
    """Names have no case, blanks around the value do not count."""
    ready = compiled(CAPTURES)
    first, second = ready.flows[0].steps
    _, values = next(ready.iterations(seed=1, index=0, processes=1))
    assert first.check is not None
    assert first.check(200, head, b'{"items": [{"sku": "a"}]}', values) is None
    request = second.render(values)
    assert b'\r\nIf-Match: W/"1"\r\n' in request
    assert request.endswith(b'\r\n\r\n{"sku":"a"}')


def test_captures_do_not_leak_between_flows_and_iterations() -> None:
    """Each iteration starts with its own list."""
    ready = compiled(CAPTURES)
    draws = ready.iterations(seed=1, index=0, processes=1)
    (_, one), (_, other) = next(draws), next(draws)
    check = ready.flows[0].steps[0].check
    assert check is not None
    check(200, response_head("ETag: x"), b'{"items": [{"sku": 1}]}', one)
    assert one != other
    assert set(other) == {None}


@pytest.mark.parametrize(
    "path", ["", "id", "$.", "$[", "$[01]", "$[-0]", "$['a]", "$.a b", "$..a", "$[*]", "$ "]
)
def test_other_json_paths_are_refused(path: str) -> None:
    """What would need a search is not in the language."""
    with pytest.raises(SpecError, match=r"is not a JSON path"):
        parsed(f"flows: [{{steps: [{{get: /, capture: {{a: {{json: {json.dumps(path)}}}}}}}]}}]")
