"""Steps as HTTP/1.1 requests: all that is fixed is bytes before the first one is sent."""

import json
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

from slocheck import __version__
from slocheck.scenario.compile.rendering import Piece, constant, joined, merged, pieces_of
from slocheck.scenario.compile.value_slots import Spelling, ValueSlots
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
"""Methods whose requests without a body say so (RFC 9110, 8.6)."""


def compile_request(
    step: Step, headers: Iterable[tuple[str, Template]], slots: ValueSlots, *, authority: str, base_path: str
) -> tuple[bytes | None, Render]:
    """Return the whole request where nothing varies, else None; and the function that renders it."""
    body, content_type = _body(step.body, slots)
    fields = _headers(headers, step, content_type, slots)
    head: list[Piece] = [f"{step.method} {base_path}", *_target(step, slots), " HTTP/1.1\r\n"]
    head += [f"Host: {authority}\r\n"]
    for name, pieces in fields:
        head += [f"{name}: ", *pieces, "\r\n"]
    length = _fixed_length(step, body)
    if length is None:
        return None, _with_length(joined([*head, "Content-Length: "]), joined(body or []))
    whole = merged([*head, length, "\r\n", *(body or [])])
    text = constant(whole)
    if text is None:
        return None, _encoded(joined(whole))
    fixed = text.encode()
    return fixed, lambda _: fixed


def _fixed_length(step: Step, body: list[Piece] | None) -> str | None:
    """Return the line with the body's length, empty where there is none; None where it varies."""
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


def _target(step: Step, slots: ValueSlots) -> list[Piece]:
    """Return the path with its query."""
    pieces = pieces_of(step.path, slots, Spelling.PERCENT, lambda text: quote(text, safe=_PATH_SAFE))
    separator = "&" if "?" in step.path.written else "?"
    for name, template in step.query:
        value = pieces_of(template, slots, Spelling.PERCENT, lambda text: quote(text, safe=""))
        pieces += [f"{separator}{quote(name, safe='')}=", *value]
        separator = "&"
    return pieces


def _headers(
    shared: Iterable[tuple[str, Template]], step: Step, content_type: str, slots: ValueSlots
) -> list[tuple[str, list[Piece]]]:
    """Return all headers but those that frame the message; the later of two with one name counts."""
    fields: dict[str, tuple[str, list[Piece]]] = {}
    for name, text in DEFAULT_HEADERS.items():
        fields[name.lower()] = (name, [text])
    if content_type:
        fields["content-type"] = ("Content-Type", [content_type])
    own = {name.lower() for name, _ in step.headers}
    # a header that the step replaces must not ask for slots
    for name, template in (*(pair for pair in shared if pair[0].lower() not in own), *step.headers):
        fields[name.lower()] = (name, pieces_of(template, slots, Spelling.HEADER))
    return list(fields.values())


def _body(body: Body | None, slots: ValueSlots) -> tuple[list[Piece] | None, str]:
    """Return the body's pieces, None where there is no body, and its media type."""
    match body:
        case None:
            return None, ""
        case JsonBody():
            return json_pieces(body.value, slots), "application/json"
        case FormBody():
            pieces: list[Piece] = []
            for name, template in body.fields:
                value = pieces_of(template, slots, Spelling.FORM, quote_plus)
                pieces += ["&" if pieces else "", f"{quote_plus(name)}=", *value]
            return pieces, "application/x-www-form-urlencoded"
    return pieces_of(body.text, slots, Spelling.TEXT), "text/plain; charset=utf-8"


def json_pieces(value: JsonTemplate, slots: ValueSlots) -> list[Piece]:
    """Return the pieces of a JSON value; a string that is one placeholder becomes the value itself."""
    match value:
        case JsonObject(members):
            pieces: list[Piece] = ["{"]
            for name, below in members:
                pieces += [f"{',' if len(pieces) > 1 else ''}{json.dumps(name)}:", *json_pieces(below, slots)]
            return [*pieces, "}"]
        case JsonArray(items):
            pieces = ["["]
            for below in items:
                pieces += ["," if len(pieces) > 1 else "", *json_pieces(below, slots)]
            return [*pieces, "]"]
        case Template():
            return _json_text(value, slots)
    return [json.dumps(value)]


def _json_text(template: Template, slots: ValueSlots) -> list[Piece]:
    whole = template.whole
    if whole is not None and not slots.quoted(whole):
        return [slots.slot(whole, Spelling.JSON)]
    inner = pieces_of(template, slots, Spelling.JSON_TEXT, lambda text: json.dumps(text)[1:-1])
    return ['"', *inner, '"']
