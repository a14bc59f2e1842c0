"""Steps and flows: what is sent, expected and captured."""

import re
from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import InvalidValue, Key, Section, Value, ValueType, object_schema
from slocheck.documents.units import DURATION_PATTERN, parse_duration, parse_number, shown
from slocheck.scenario.model import (
    DEFAULT_TIMEOUT_S,
    METHODS,
    Body,
    Capture,
    Expectation,
    Flow,
    FormBody,
    JsonBody,
    Literal,
    Step,
    Template,
    TextBody,
)
from slocheck.scenario.parse.expectations import CAPTURE, EXPECT, reads_body
from slocheck.scenario.parse.templates import JSON, LINES, TEMPLATE, log_of, read_template

Pairs = tuple[tuple[str, Template], ...]

TOKEN_PATTERN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"  # noqa: S105 - RFC 9110's word for it
CLIENT_OWNED = {
    *("host", "content-length", "connection", "transfer-encoding", "keep-alive", "proxy-connection"),
    *("upgrade", "expect", "te", "trailer"),
}
"""Headers that frame the message or the connection, which only the client may write."""

MOST_WEIGHT = 1_000_000
LONGEST_NAME = types.MAX_TEXT - len("OPTIONS ")
"""The longest name that slo.yaml can refer to."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_TOKEN = re.compile(TOKEN_PATTERN)


def _read_path(value: Value) -> Template | None:
    """Read a path that begins with a slash; raises InvalidValue."""
    template = read_template(value)
    written = template.written
    if _SCHEME.match(written) or written.startswith("//"):
        raise InvalidValue(
            f"{shown(written)} names a host; write the path alone, the host is that of target.url"
        )
    if not written.startswith("/"):
        raise InvalidValue(f"{shown(written)} does not begin with /; write a path such as /items?page=1")
    if any(isinstance(part, Literal) and "#" in part.text for part in template.parts):
        raise InvalidValue(f"{shown(written)} has a fragment, which is never sent; remove # and what follows")
    return template


PATH: ValueType[Template | None] = ValueType(
    _read_path, {"type": "string", "pattern": r"^/([^/#][^#]*)?$", "maxLength": 8000}
)


def _read_pairs(value: Value) -> Pairs:
    """Read a mapping of names to texts with placeholders."""
    pairs = [(key.text, child.take(TEMPLATE, None)) for key, child in value.entries()]
    return tuple((name, template) for name, template in pairs if template is not None)


PAIRS: ValueType[Pairs] = ValueType(_read_pairs, {"type": "object", "additionalProperties": TEMPLATE.schema})


def _read_headers(value: Value) -> Pairs:
    """Read headers; refuse those that the client sets."""
    seen: dict[str, str] = {}
    for key, _ in value.entries():
        what = ""
        if not _TOKEN.fullmatch(key.text):
            what = f"{shown(key.text)} is not a header name; write letters, digits and hyphens"
        elif key.text.lower() in CLIENT_OWNED:
            what = f"the header {key.text} is set by the client; remove it"
        elif key.text.lower() in seen:
            what = f"the header {key.text} is already written as {seen[key.text.lower()]}; keep one of them"
        seen[key.text.lower()] = key.text
        if what:
            value.log.add(key.position, value.where, what)
    return _read_pairs(value)


_OWNED = "|".join("".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in n) for n in sorted(CLIENT_OWNED))
HEADERS: Key[Pairs] = Key(
    "headers",
    ValueType(
        _read_headers,
        {
            "type": "object",
            "propertyNames": {"pattern": types.anchored(TOKEN_PATTERN), "not": {"pattern": f"^({_OWNED})$"}},
            "additionalProperties": TEMPLATE.schema,
        },
    ),
    (),
    "request headers; ${NAME} is an environment variable, ${file:/path} a file",
)


def _read_think(value: Value) -> tuple[float, float] | None:
    """Read ``500ms`` or ``1s..3s``; raises InvalidValue."""
    written = value.scalar().text
    low, dots, high = written.partition("..")
    check = types.duration_check("0s", "1h", whole_seconds=False)
    least = check(parse_duration(low.strip()))
    most = check(parse_duration(high.strip())) if dots else least
    if most < least:
        raise InvalidValue(
            f"{shown(written)} has the longer time first; write the shorter one first, such as 1s..3s"
        )
    return least, most


THINK: Key[tuple[float, float] | None] = Key(
    "think",
    ValueType(
        _read_think,
        {"type": "string", "pattern": rf"^({DURATION_PATTERN})( *\.\. *({DURATION_PATTERN}))?$"},
    ),
    None,
    "wait after a step: 500ms, or at random within 1s..3s",
)
TIMEOUT = Key("timeout", types.duration("1ms", "1h"), DEFAULT_TIMEOUT_S, "for a step's whole response")


def _read_name(value: Value) -> str:
    """Read an endpoint's name; raises InvalidValue."""
    written = types.text().read(value)
    method, _, name = written.partition(" ")
    if method not in METHODS or not name.strip():
        raise InvalidValue(
            f"{shown(written)} does not begin with the step's method; write one such as GET /items/{{id}}"
        )
    return f"{method} {name.strip()}"


METHOD_KEYS: tuple[Key[Template | None], ...] = tuple(
    Key(method.lower(), PATH, None, f"the path of a {method} request, with placeholders")
    for method in METHODS
)
NAME = Key(
    "name",
    ValueType(
        _read_name, {"type": "string", "pattern": rf"^({'|'.join(METHODS)}) .*\S.*$", "maxLength": 500}
    ),
    "",
    "the endpoint's name, such as GET /items/{id}; absent: method and path as written",
)
QUERY: Key[Pairs] = Key("query", PAIRS, (), "query parameters")
JSON_BODY: Key[Any] = Key("json", JSON, None, "body in JSON")
FORM_BODY: Key[Pairs] = Key("form", PAIRS, (), "body as HTML forms send it")
TEXT_BODY: Key[Template | None] = Key("body", LINES, None, "body of plain text")
BODY_KEYS: tuple[Key[Any], ...] = (JSON_BODY, FORM_BODY, TEXT_BODY)
STEP_KEYS: tuple[Key[Any], ...] = (
    *METHOD_KEYS,
    NAME,
    QUERY,
    HEADERS,
    *BODY_KEYS,
    EXPECT,
    CAPTURE,
    THINK,
    TIMEOUT,
)


def _body(section: Section) -> Body | None:
    """Read the body; raises InvalidValue if there are two."""
    found = [key for key in BODY_KEYS if section.has(key)]
    if len(found) > 1:
        names = " and ".join(key.name for key in found)
        raise InvalidValue(f"has {names}; write one body")
    if not found:
        return None
    if found[0] is JSON_BODY:
        return JsonBody(section.get(JSON_BODY))
    if found[0] is FORM_BODY:
        return FormBody(section.get(FORM_BODY))
    text = section.get(TEXT_BODY)
    return TextBody(text) if text is not None else None


def _read_step(value: Value) -> Step | None:
    """Read one step; None if its path is wrong. Raises InvalidValue."""
    section = Section(value, STEP_KEYS)
    found = [key for key in METHOD_KEYS if section.has(key)]
    if len(found) != 1:
        count = "no method" if not found else "more than one method"
        raise InvalidValue(f"has {count}; write exactly one of {', '.join(key.name for key in METHOD_KEYS)}")
    path, method = section.get(found[0]), found[0].name.upper()
    expect: Expectation = section.get(EXPECT)
    captures: tuple[Capture, ...] = section.get(CAPTURE)
    query, headers, body = section.get(QUERY), section.get(HEADERS), _body(section)
    log, written = log_of(value), section.get(NAME)
    child = section.value_of(NAME)
    if written and child and not written.startswith(f"{method} "):
        rest = written.partition(" ")[2]
        child.refuse(f"{shown(written)} is named after a different method; write {method} {rest}")
    if method == "HEAD" and reads_body(expect, captures):
        raise InvalidValue("expects a body, and a response to HEAD has none; write get")
    if path is None:
        return None
    if not written and len(default_name(path)) > LONGEST_NAME:
        raise InvalidValue(f"has a path too long for an endpoint's name; write name: {method} /items/{{id}}")
    return Step(
        method=method,
        path=path,
        name=written.partition(" ")[2] or default_name(path),
        query=query,
        headers=headers,
        body=body,
        expect=expect,
        captures=captures,
        think=section.get(THINK) if section.has(THINK) else log.think,
        timeout_s=section.get(TIMEOUT) if section.has(TIMEOUT) else log.timeout_s,
        position=value.position,
    )


def default_name(path: Template) -> str:
    """Return a path as written, without its query and with doubled braces made single."""
    return path.written.partition("?")[0].replace("{{", "{").replace("}}", "}")


def _steps_schema() -> dict[str, Any]:
    step = object_schema(STEP_KEYS)
    step["oneOf"] = [{"required": [key.name]} for key in METHOD_KEYS]
    step["not"] = {
        "anyOf": [
            {"required": [one.name, other.name]}
            for one in BODY_KEYS
            for other in BODY_KEYS
            if one.name < other.name
        ]
    }
    return {"type": "array", "minItems": 1, "items": step}


def _read_steps(value: Value) -> tuple[Step, ...]:
    items = value.items()
    if not items:
        raise InvalidValue("is an empty list; write at least one step, such as - get: /")
    steps = [item.take(ValueType(_read_step, {}), None) for item in items]
    return tuple(step for step in steps if step is not None)


def _read_weight(value: Value) -> float:
    written = parse_number(value.scalar().text)
    if not 0 < written <= MOST_WEIGHT:
        raise InvalidValue(
            f"{shown(value.scalar().text)} is not a weight; write a number above 0, at most {MOST_WEIGHT}"
        )
    return float(written)


FLOW_NAME = Key("name", types.text(), "", "what the flow is called in messages")
WEIGHT = Key(
    "weight",
    ValueType(_read_weight, {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_WEIGHT}),
    1.0,
    "how often it is taken, relative to the other flows",
)
STEPS: Key[tuple[Step, ...]] = Key(
    "steps", ValueType(_read_steps, _steps_schema()), (), "requests, one after the other", required=True
)
FLOW_KEYS: tuple[Key[Any], ...] = (FLOW_NAME, WEIGHT, STEPS)


def _read_flows(value: Value) -> tuple[Flow, ...]:
    """Read all flows; a flow without a name is named by its place in the list."""
    items = value.items()
    if not items:
        raise InvalidValue("is an empty list; write at least one flow with its steps")
    flows: dict[str, Flow] = {}
    for number, item in enumerate(items, start=1):
        flow = item.take(ValueType(_read_flow, {}), None)
        if flow is None:
            continue
        name = flow.name or f"flow {number}"
        if name in flows:
            item.refuse(
                f"is called {shown(name)}, as the one on line {flows[name].position.line}; rename one"
            )
        flows[name] = Flow(name, flow.weight, flow.steps, flow.position)
    return tuple(flows.values())


def _read_flow(value: Value) -> Flow:
    section = Section(value, FLOW_KEYS)
    return Flow(section.get(FLOW_NAME), section.get(WEIGHT), section.get(STEPS), value.position)


FLOWS: Key[tuple[Flow, ...]] = Key(
    "flows",
    ValueType(_read_flows, {"type": "array", "minItems": 1, "items": object_schema(FLOW_KEYS)}),
    (),
    "what virtual users do",
    required=True,
)
