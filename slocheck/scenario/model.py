"""A scenario as written: typed, inert, frozen; times in seconds, sizes in bytes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from slocheck.documents.position import Position
from slocheck.documents.units import ComparisonOperator

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
DEFAULT_TIMEOUT_S = 30.0

JsonScalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Literal:
    """Fixed text; text from the environment or a file is never shown."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder: a feeder or a capture, with the column if the feeder is a CSV file."""

    name: str
    column: str | None = None

    def __str__(self) -> str:
        return f"{{{self.name}.{self.column}}}" if self.column else f"{{{self.name}}}"


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders.

    Attributes:
        parts: In order; doubled braces are already single.
        written: As in the scenario; safe to show, because it holds variables by name.
        position: Its position in the file.
        where: Its dotted name, for messages.
    """

    parts: tuple[Literal | Placeholder, ...]
    written: str
    position: Position
    where: str

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """The placeholders, in order."""
        return tuple(part for part in self.parts if isinstance(part, Placeholder))

    @property
    def whole(self) -> Placeholder | None:
        """The placeholder, if the text is nothing else; otherwise None."""
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, Placeholder) else None


@dataclass(frozen=True, slots=True)
class JsonObject:
    """A JSON object with templates inside; keys are fixed."""

    members: tuple[tuple[str, "JsonTemplate"], ...]


@dataclass(frozen=True, slots=True)
class JsonArray:
    """A JSON array with templates inside."""

    items: tuple["JsonTemplate", ...]


JsonTemplate: TypeAlias = Template | JsonObject | JsonArray | int | float | bool | None
"""A JSON value; every string is a template."""


@dataclass(frozen=True, slots=True)
class RangeFeeder:
    """Whole numbers from `first` to `last`, both included."""

    name: str
    first: int
    last: int
    random: bool
    position: Position


@dataclass(frozen=True, slots=True)
class ZipfFeeder:
    """Whole numbers, drawn in proportion to ``r ** -exponent`` for rank r; `first` has rank 1."""

    name: str
    first: int
    last: int
    exponent: float
    position: Position


@dataclass(frozen=True, slots=True)
class ListFeeder:
    """Texts, numbers and booleans, at least one."""

    name: str
    items: tuple[JsonScalar, ...]
    random: bool
    position: Position


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file: at least one row, and a text for each column in it.

    Attributes:
        file: Its name as written.
        columns: The names in its header line, in order, with their places in a row.
        cells: The texts of the first row, then those of the second, and so on.
    """

    file: str
    columns: Mapping[str, int]
    cells: tuple[str, ...] = field(repr=False)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.cells) // len(self.columns)

    def column(self, name: str) -> tuple[str, ...]:
        """Return the texts of a column, row by row."""
        return self.cells[self.columns[name] :: len(self.columns)]


@dataclass(frozen=True, slots=True)
class CsvFeeder:
    """Rows of a CSV file; feeders of one file share its table."""

    name: str
    table: CsvTable
    random: bool
    position: Position


@dataclass(frozen=True, slots=True)
class UuidFeeder:
    """Random UUIDs of version 4."""

    name: str
    position: Position


Feeder: TypeAlias = RangeFeeder | ZipfFeeder | ListFeeder | CsvFeeder | UuidFeeder


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A place in a JSON document: member names and array indexes (negative: from the end)."""

    steps: tuple[str | int, ...]
    written: str


@dataclass(frozen=True, slots=True)
class SizeLimit:
    """A limit on the decoded body's size.

    Attributes:
        comparison: What the size must be relative to `size`.
        size: In bytes.
        written: As in the scenario.
    """

    comparison: ComparisonOperator
    size: int
    written: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a correct response is.

    Attributes:
        statuses: Expected status codes; None: any.
        headers: Header name to its value.
        json: Place in the body to the value there.
        body: A text that the body contains.
        size: Limit on the decoded body's size.
    """

    statuses: frozenset[int] | None = None
    headers: tuple[tuple[str, Template], ...] = ()
    json: tuple[tuple[JsonPath, JsonTemplate], ...] = ()
    body: Template | None = None
    size: SizeLimit | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """A value to capture from the response.

    Attributes:
        name: Name of the placeholder.
        source: A place in the response's JSON, or the name of a header.
        position: Position of the name.
        where: The dotted name of the step's captures, for messages.
    """

    name: str
    source: JsonPath | str
    position: Position
    where: str


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A request body in JSON."""

    value: JsonTemplate


@dataclass(frozen=True, slots=True)
class FormBody:
    """A request body as HTML forms send it."""

    fields: tuple[tuple[str, Template], ...]


@dataclass(frozen=True, slots=True)
class TextBody:
    """A request body of plain text."""

    text: Template


Body: TypeAlias = JsonBody | FormBody | TextBody


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a flow.

    Attributes:
        method: In capitals.
        path: With its query, if the path is written with one.
        name: The endpoint's name, without the method.
        query: Further query parameters.
        headers: The step's own; they replace the scenario's of the same name.
        body: None: no body.
        expect: What a correct response looks like.
        captures: What later steps need from the response.
        think: Shortest and longest wait afterwards, seconds; None: go on at once.
        timeout_s: Seconds from the send to the last byte of the response.
        position: Position of the step.
    """

    method: str
    path: Template
    name: str
    query: tuple[tuple[str, Template], ...]
    headers: tuple[tuple[str, Template], ...]
    body: Body | None
    expect: Expectation
    captures: tuple[Capture, ...]
    think: tuple[float, float] | None
    timeout_s: float
    position: Position


@dataclass(frozen=True, slots=True)
class Flow:
    """Steps that a virtual user takes in order."""

    name: str
    weight: float
    steps: tuple[Step, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole scenario file.

    Attributes:
        path: As the user named it, for messages.
        text: The file's text, with variables by name; safe to keep.
        feeders: By name.
        headers: Headers of every request.
        cookies: Whether each virtual user keeps cookies.
        flows: At least one.
        sha256: Hash of the file's bytes and those of the CSV files that it names, each once, in order.
        secrets: Values that came from the environment or from files, to be masked in all output.
    """

    path: str
    text: str = field(repr=False)
    feeders: Mapping[str, Feeder]
    headers: tuple[tuple[str, Template], ...]
    cookies: bool
    flows: tuple[Flow, ...]
    sha256: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)


def templates_in(value: JsonTemplate) -> Iterator[Template]:
    """Yield all templates of a JSON value."""
    match value:
        case Template():
            yield value
        case JsonObject(members):
            for _, child in members:
                yield from templates_in(child)
        case JsonArray(items):
            for child in items:
                yield from templates_in(child)


def templates_of(step: Step) -> Iterator[Template]:
    """Yield all templates of a step: first of its request, then of its expectations."""
    yield step.path
    yield from (template for _, template in step.query)
    yield from (template for _, template in step.headers)
    match step.body:
        case JsonBody(value):
            yield from templates_in(value)
        case FormBody(fields):
            yield from (template for _, template in fields)
        case TextBody(text):
            yield text
    yield from (template for _, template in step.expect.headers)
    for _, expected in step.expect.json:
        yield from templates_in(expected)
    if step.expect.body is not None:
        yield step.expect.body
