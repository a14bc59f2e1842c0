"""Steps as HTTP/1.1 requests; all fixed parts are encoded before the first one is sent."""

import json
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

from slocheck import __version__
from slocheck.scenario.compile.rendering import Segment, alternating, constant, segments_of, text_renderer
from slocheck.scenario.compile.value_slots import Encoding, ValueSlots
from slocheck.scenario.model import (
    Body,
    FormBody,
    JsonArray,
    JsonBody,
    JsonObject,
    JsonTemplate,
    Step,
    Template,
)

Render = Callable[[list[object]], bytes]

DEFAULT_HEADERS = {
    "User-Agent": f"slocheck/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
}
_PATH_SAFE = "%/?:@!$&'()*+,;=-._~"
_LENGTH_ALWAYS = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests state that they have no body (RFC 9110, 8.6)."""


def compile_request(
    step: Step, headers: Iterable[tuple[str, Template]], slots: ValueSlots, *, authority: str, base_path: str
) -> tuple[bytes | None, Render]:
    """Return the whole request, or None if anything in it varies, and the function that renders it."""
    body, content_type = _body(step.body, slots)
    fields = _headers(headers, step, content_type, slots)
    head: list[Segment] = [f"{step.method} {base_path}", *_target(step, slots), " HTTP/1.1\r\n"]
    head += [f"Host: {authority}\r\n"]
    for name, segments in fields:
        head += [f"{name}: ", *segments, "\r\n"]
    length = _fixed_length(step, body)
    if length is None:
        return None, _with_length(text_renderer([*head, "Content-Length: "]), text_renderer(body or []))
    whole = alternating([*head, length, "\r\n", *(body or [])])
    text = constant(whole)
    if text is None:
        return None, _encoded(text_renderer(whole))
    fixed = text.encode()
    return fixed, lambda _: fixed


def _fixed_length(step: Step, body: list[Segment] | None) -> str | None:
    """Return the line with the body's length, empty without a body; None if the length varies."""
    if body is None:
        return "Content-Length: 0\r\n" if step.method in _LENGTH_ALWAYS else ""
    text = constant(body)
    return None if text is None else f"Content-Length: {len(text.encode())}\r\n"


def _encoded(text: Callable[[list[object]], str]) -> Render:
    return lambda values: text(values).encode()


def _with_length(head: Callable[[list[object]], str], body: Callable[[list[object]], str]) -> Render:
    def render(values: list[object]) -> bytes:
        content = body(values).encode()
        return f"{head(values)}{len(content)}\r\n\r\n".encode() + content

    return render


def _target(step: Step, slots: ValueSlots) -> list[Segment]:
    """Return the path with its query."""
    segments = segments_of(step.path, slots, Encoding.PERCENT, lambda text: quote(text, safe=_PATH_SAFE))
    separator = "&" if "?" in step.path.written else "?"
    for name, template in step.query:
        value = segments_of(template, slots, Encoding.PERCENT, lambda text: quote(text, safe=""))
        segments += [f"{separator}{quote(name, safe='')}=", *value]
        separator = "&"
    return segments


def _headers(
    shared: Iterable[tuple[str, Template]], step: Step, content_type: str, slots: ValueSlots
) -> list[tuple[str, list[Segment]]]:
    """Return all headers except those that frame the message; of two with the same name the later counts."""
    fields: dict[str, tuple[str, list[Segment]]] = {}
    for name, text in DEFAULT_HEADERS.items():
        fields[name.lower()] = (name, [text])
    if content_type:
        fields["content-type"] = ("Content-Type", [content_type])
    own = {name.lower() for name, _ in step.headers}
    # a header that the step replaces must not ask for slots
    for name, template in (*(pair for pair in shared if pair[0].lower() not in own), *step.headers):
        fields[name.lower()] = (name, segments_of(template, slots, Encoding.HEADER))
    return list(fields.values())


def _body(body: Body | None, slots: ValueSlots) -> tuple[list[Segment] | None, str]:
    """Return the body's segments, None without a body, and its media type."""
    match body:
        case None:
            return None, ""
        case JsonBody():
            return json_segments(body.value, slots), "application/json"
        case FormBody():
            segments: list[Segment] = []
            for name, template in body.fields:
                value = segments_of(template, slots, Encoding.FORM, quote_plus)
                segments += ["&" if segments else "", f"{quote_plus(name)}=", *value]
            return segments, "application/x-www-form-urlencoded"
    return segments_of(body.text, slots, Encoding.TEXT), "text/plain; charset=utf-8"


def json_segments(value: JsonTemplate, slots: ValueSlots) -> list[Segment]:
    """Return the segments of a JSON value; a string that is one placeholder becomes the value itself."""
    match value:
        case JsonObject(members):
            segments: list[Segment] = ["{"]
            for name, child in members:
                segments += [
                    f"{',' if len(segments) > 1 else ''}{json.dumps(name)}:",
                    *json_segments(child, slots),
                ]
            return [*segments, "}"]
        case JsonArray(items):
            segments = ["["]
            for child in items:
                segments += ["," if len(segments) > 1 else "", *json_segments(child, slots)]
            return [*segments, "]"]
        case Template():
            return _json_text(value, slots)
    return [json.dumps(value)]


def _json_text(template: Template, slots: ValueSlots) -> list[Segment]:
    whole = template.whole
    if whole is not None and not slots.quoted(whole):
        return [slots.slot(whole, Encoding.JSON)]
    inner = segments_of(template, slots, Encoding.JSON_TEXT, lambda text: json.dumps(text)[1:-1])
    return ['"', *inner, '"']
