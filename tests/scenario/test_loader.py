"""The scenario loader: a good scenario in full, and each problem with its place and what to write."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck.documents.position import Position
from slocheck.documents.units import ComparisonOperator
from slocheck.errors import SpecError, UsageError
from slocheck.scenario.compile.compiled import compile_scenario
from slocheck.scenario.loader import load_scenario, parse_scenario
from slocheck.scenario.model import (
    Capture,
    CsvFeeder,
    CsvTable,
    Expectation,
    FormBody,
    JsonBody,
    JsonPath,
    ListFeeder,
    RangeFeeder,
    SizeLimit,
    UuidFeeder,
    ZipfFeeder,
)
from tests.builders.scenarios import ENVIRONMENT, FILES, GOOD, Broken, messages_of, parsed, read_file
from tests.scenario.broken import BROKEN

SMALL = "flows: [{steps: [{get: /}]}]\n"


def test_feeders_become_typed_values() -> None:
    """Each kind of feeder arrives with its bounds, values and place."""
    feeders = parsed(GOOD).feeders
    assert feeders["product"] == ZipfFeeder("product", 1, 1000, 1.0, Position(2, 19))
    assert feeders["page"] == RangeFeeder("page", 1, 50, True, Position(3, 17))
    assert feeders["term"] == ListFeeder("term", ("shoes", "red hat"), True, Position(4, 16))
    cells = ("a@example.org", "Ann", "b@example.org", "B, junior")
    table = CsvTable("accounts.csv", {"email": 0, "name": 1}, cells)
    assert feeders["account"] == CsvFeeder("account", table, False, Position(5, 18))
    assert (table.rows, table.column("name")) == (2, ("Ann", "B, junior"))
    assert feeders["token"] == UuidFeeder("token", Position(6, 17))
    assert feeders["qty"] == RangeFeeder("qty", 1, 5, True, Position(7, 17))


def test_a_scenario_is_hashed_with_its_data() -> None:
    """The hash is that of the file and its CSV files put together: other rows are another scenario."""
    whole = hashlib.sha256(GOOD.encode() + FILES["accounts.csv"])
    assert parsed(GOOD).sha256 == whole.hexdigest()
    assert parsed(SMALL).sha256 == hashlib.sha256(SMALL.encode()).hexdigest()


def test_steps_take_what_they_do_not_say_from_the_scenario() -> None:
    """Think time and timeout are the step's, or else the scenario's."""
    scenario = parsed(GOOD)
    first, second, third = scenario.flows[0].steps
    assert (first.think, first.timeout_s) == ((1.0, 3.0), 20.0)
    assert (third.think, third.timeout_s) == ((0.5, 0.5), 5.0)
    assert parsed(SMALL).flows[0].steps[0].timeout_s == 30.0
    assert parsed(SMALL).flows[0].steps[0].think is None
    assert scenario.cookies
    assert not parsed(SMALL).cookies
    assert second.position == Position(17, 9)


def test_endpoints_are_named_by_path_or_by_name() -> None:
    """The query is left out, braces are single, and a written name counts."""
    names = [(step.method, step.name) for flow in parsed(GOOD).flows for step in flow.steps]
    assert names == [
        ("GET", "/products"),
        ("GET", "/products/{id}"),
        ("POST", "/cart"),
        ("GET", "/search"),
        ("POST", "/login"),
    ]
    assert parsed(SMALL.replace("/}", '"/a{{b}}?c"}')).flows[0].steps[0].name == "/a{b}"


def test_expectations_and_captures_are_typed() -> None:
    """Statuses are sets, sizes bytes, paths their steps."""
    scenario = parsed(GOOD)
    expect = scenario.flows[0].steps[1].expect
    assert expect.statuses == frozenset({200})
    assert [path for path, _ in expect.json] == [JsonPath(("id",), "$.id")]
    assert scenario.flows[0].steps[1].captures == (
        Capture("sku", JsonPath(("sku",), "$.sku"), Position(20, 19), "flows[0].steps[1].capture"),
        Capture("tag", "ETag", Position(20, 41), "flows[0].steps[1].capture"),
    )
    search = scenario.flows[1].steps[0].expect
    assert search.statuses == frozenset({200, 404})
    assert search.size == SizeLimit(ComparisonOperator.LT, 10_000, "< 10 kB")
    assert scenario.flows[0].steps[0].expect == Expectation()
    classes = (
        parsed(SMALL.replace("/}", "/, expect: {status: [2xx, 404]}}")).flows[0].steps[0].expect.statuses
    )
    assert classes == frozenset({*range(200, 300), 404})


def test_bodies_are_typed() -> None:
    """JSON and forms keep their placeholders; a body may have several lines."""
    scenario = parsed(GOOD)
    assert isinstance(scenario.flows[0].steps[2].body, JsonBody)
    assert isinstance(scenario.flows[1].steps[1].body, FormBody)
    assert scenario.flows[0].steps[0].body is None


def test_flows_have_names_and_weights() -> None:
    """Without them a flow is named after its position and has weight 1."""
    assert [(flow.name, flow.weight) for flow in parsed(GOOD).flows] == [("browse", 3.0), ("flow 2", 1.0)]


def test_secrets_are_known_and_never_shown() -> None:
    """What came from the environment or a file is kept for masking, and shown in no representation."""
    scenario = parsed(GOOD.replace("debug: ", 'key: "${file:token}", debug: '))
    assert scenario.secrets == ("s3cr3t-of-env", "s3cr3t-of-file")
    assert "s3cr3t" not in repr(scenario)
    assert "s3cr3t" not in scenario.text


@pytest.mark.parametrize("broken", [pytest.param(broken, id=name) for name, broken in BROKEN.items()])
def test_each_problem_is_reported_once_with_its_position(broken: Broken) -> None:
    """Line and column, the dotted name, what was found, what to write; one message a problem."""
    assert messages_of(broken.text) == [broken.message]


def test_all_faults_are_told_at_once() -> None:
    """A problem does not hide the ones after it."""
    text = GOOD.replace("weight: 3", "weight: 0").replace("{term}", "{trm}").replace("uuid: 4", "uuid: 5")
    assert [message.split(" ")[0] for message in messages_of(text)] == ["6:17", "14:13", "28:14"]


def test_too_many_endpoints_name_the_cure() -> None:
    """500 names are taken, the 501st is refused with what to write."""
    steps = [f"      - get: /items/{number}\n" for number in range(501)]
    text = "flows:\n  - steps:\n" + "".join(steps)
    (message,) = messages_of(text)
    assert message == (
        "503:9 flows: is endpoint name number 501, but at most 500 are allowed; "
        "give similar steps one name, such as name: GET /items/{id}"
    )
    assert len(parsed("".join(text.splitlines(keepends=True)[:-1])).flows[0].steps) == 500
    named = text.replace("\n      -", "\n        name: GET /items/{id}\n      -").replace(
        "steps:\n        name: GET /items/{id}\n", "steps:\n"
    )
    assert len(parsed(named).flows[0].steps) == 501


def test_a_long_path_needs_a_name() -> None:
    """It could be neither written in slo.yaml nor shown in a report."""
    text = f"flows:\n  - steps:\n      - get: /{'a' * 492}\n"
    assert messages_of(text) == [
        "3:9 flows[0].steps[0]: has a path too long for an endpoint's name; write name: GET /items/{id}"
    ]
    assert parsed(text + "        name: GET /items/{id}\n").flows[0].steps[0].name == "/items/{id}"
    assert len(parsed(text.replace("aa", "a", 1)).flows[0].steps[0].name) == 492


def test_a_placeholder_without_any_feeder_says_where_to_declare_one() -> None:
    """There is nothing to choose from."""
    (message,) = messages_of("flows:\n  - steps:\n      - get: /{id}\n")
    assert message == (
        "3:14 flows[0].steps[0].get: unknown placeholder 'id'; "
        "declare it under feeders, or write {{ and }} for braces"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flows: []\n", "1:8 flows: is an empty list; write at least one flow with its steps"),
        ("cookies: true\n", "1:1 has no key 'flows'; write flows: ... (what virtual users do)"),
    ],
)
def test_a_scenario_needs_flows(text: str, message: str) -> None:
    """Nothing would be sent."""
    assert messages_of(text) == [message]


def test_an_empty_file_says_what_belongs_in_it() -> None:
    """The hint is about scenarios, not about specs."""
    assert messages_of("# nothing\n") == ["1:1 is empty; write a scenario: flows with steps"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("flows: !!python/object:os.system x\n", id="tag"),
        pytest.param("flows: &a [*a]\n", id="alias"),
        pytest.param("flows: " + "[" * 500, id="depth"),
        pytest.param("- flows\n", id="list"),
        pytest.param("feeders: 5\nheaders: 6\nflows: {steps: 7}\n", id="scalars"),
        pytest.param('flows: [{steps: [{get: "/\\ud800"}]}]\n', id="surrogate"),
    ],
)
def test_hostile_documents_are_refused(text: str) -> None:
    """Nothing but SpecError ever comes out."""
    assert messages_of(text)


@settings(deadline=None)
@given(
    place=st.integers(0, len(GOOD) - 1),
    cut=st.integers(0, 12),
    put=st.text(max_size=3)
    | st.sampled_from([*"{}[]:,'#&*!|>-? \n", "{{", "${", "null", "{page}", "\\ud800"]),
)
def test_no_document_raises_anything_else(place: int, cut: int, put: str) -> None:
    """Whatever is typed gives requests, or problems with places and without secrets."""
    text = GOOD[:place] + put + GOOD[place + cut :]
    shown = "a problem"
    try:
        scenario = parse_scenario(
            text.encode("utf-8", "replace"), "browse.yaml", environment=ENVIRONMENT, read=read_file
        )
        compile_scenario(scenario, authority="127.0.0.1", base_path="")
    except SpecError as error:
        shown = str(error)
    assert shown
    assert "s3cr3t" not in shown


def test_files_are_read_relative_to_the_scenario(tmp_path: Path) -> None:
    """A CSV is relative to its scenario, wherever the command is typed."""
    (tmp_path / "browse.yaml").write_text(GOOD)
    (tmp_path / "accounts.csv").write_bytes(FILES["accounts.csv"])
    scenario = load_scenario(tmp_path / "browse.yaml", ENVIRONMENT)
    assert scenario.path == str(tmp_path / "browse.yaml")
    assert isinstance(scenario.feeders["account"], CsvFeeder)


def test_an_unreadable_scenario_is_a_usage_error(tmp_path: Path) -> None:
    """Missing files and folders are named, with what to do."""
    with pytest.raises(UsageError, match=r"none\.yaml: no such file; name a scenario"):
        load_scenario(tmp_path / "none.yaml", {})
    with pytest.raises(UsageError, match="cannot be read: it is not a file; name a file that can"):
        load_scenario(tmp_path, {})


def test_a_folder_is_no_csv(tmp_path: Path) -> None:
    """What is not a file is reported as a problem of the feeder."""
    (tmp_path / "browse.yaml").write_text(GOOD)
    (tmp_path / "accounts.csv").mkdir()
    with pytest.raises(SpecError, match=r"'accounts\.csv' cannot be read: it is not a file"):
        load_scenario(tmp_path / "browse.yaml", ENVIRONMENT)
