"""``slocheck init`` from an address, an OpenAPI document, a HAR file and a curl command."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from slocheck.cli import exit_code_of
from slocheck.scenario.loader import load_scenario
from slocheck.spec.loader import load_spec

Captured = pytest.CaptureFixture[str]
SECRETS = ("hunter2", "s3cr3t", "eyJhbGciOiJ", "tok-1")
OPENAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop API"},
    "servers": [{"url": "http://127.0.0.1:9/v1"}],
    "security": [{"bearer": []}],
    "components": {
        "parameters": {
            "Page": {"name": "page", "in": "query", "required": True, "schema": {"type": "integer"}}
        },
        "schemas": {"Id": {"type": "string", "format": "uuid"}},
    },
    "paths": {
        "/items": {
            "get": {"parameters": [{"$ref": "#/components/parameters/Page"}], "responses": {"200": {}}},
            "post": {"responses": {"201": {}}},
        },
        "/items/{id}": {
            "parameters": [{"name": "id", "in": "path", "schema": {"$ref": "#/components/schemas/Id"}}],
            "get": {"responses": {"203": {}, "404": {}}},
            "delete": {"responses": {"204": {}}},
        },
        "/tags/{tag}": {
            "head": {
                "parameters": [
                    {"name": "tag", "in": "path", "example": "a b"},
                    {"name": "api_key", "in": "query", "required": True, "example": "hunter2"},
                ]
            }
        },
    },
}


def entry(method: str, url: str, status: int = 200, body: str = "", **headers: str) -> dict[str, Any]:
    """Return one entry of a HAR file."""
    pairs = [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()]
    return {
        "request": {"method": method, "url": url, "headers": pairs, "postData": {"text": body}},
        "response": {"status": status},
    }


HAR = {
    "log": {
        "entries": [
            entry("GET", "http://127.0.0.1:9/items?page=1&token=s3cr3t", Authorization="Bearer tok-1"),
            entry("GET", "http://127.0.0.1:9/items?page=1&token=s3cr3t", Accept="text/html", Cookie="tok-1"),
            entry("GET", "http://127.0.0.1:9/items?q={x}", Accept="text/html"),
            entry("GET", "http://cdn.example/app.js"),
            entry("GET", "http://127.0.0.1:9/old", 302),
            entry("POST", "http://127.0.0.1:9/login", body='{"user": "me", "password": "hunter2"}'),
            entry("POST", "http://127.0.0.1:9/cart", 201, '{"sku": 1}', Content_Type="application/json"),
        ]
    }
}


def made(folder: Path, *arguments: str) -> tuple[list[tuple[str, str, list[int]]], str]:
    """Write the files, validate them, and return the steps and the text of both files."""
    assert exit_code_of(["init", "--dir", str(folder), *arguments]) == 0
    spec = load_spec(folder / "slo.yaml")
    assert exit_code_of(["validate", str(folder / "slo.yaml")]) == 0
    path = folder / spec.workload.scenario
    (flow,) = load_scenario(path, {}).flows
    steps = [(step.method, step.name, sorted(step.expect.statuses or ())) for step in flow.steps]
    text = (folder / "slo.yaml").read_text() + path.read_text()
    assert not [secret for secret in SECRETS if secret in text]
    assert spec.workload.rate, "the open model"
    return steps, text


def test_a_variable_does_not_change_the_target_of_a_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """A source is used rather than the variable, and a note says so; without one, the variable is used."""
    monkeypatch.setenv("SLOCHECK_TARGET", "http://127.0.0.1:8")
    arguments = ["init", "--url", "http://127.0.0.1:9/items", "--dir", str(tmp_path)]
    assert exit_code_of(arguments) == 0
    assert load_spec(tmp_path / "slo.yaml").target.url == "http://127.0.0.1:9"
    assert "SLOCHECK_TARGET is set and not used" in capsys.readouterr().err
    assert exit_code_of([*arguments, "--force", "--target", "http://127.0.0.1:7"]) == 0
    assert load_spec(tmp_path / "slo.yaml").target.url == "http://127.0.0.1:7"
    assert exit_code_of(["init", "--dir", str(tmp_path / "plain")]) == 0
    assert load_spec(tmp_path / "plain" / "slo.yaml").target.url == "http://127.0.0.1:8"
    assert capsys.readouterr().err == ""


def test_an_address_becomes_a_spec(tmp_path: Path) -> None:
    """Its path is the step, its base the target, and the page to scrape is on the same host."""
    steps, text = made(tmp_path, "--url", "http://127.0.0.1:9/items?page=1")
    assert steps == [("GET", "/items", [200])]
    assert 'get: "/items?page=1"' in text
    assert load_spec(tmp_path / "slo.yaml").target.url == "http://127.0.0.1:9"
    assert '# scrape: ["http://127.0.0.1:9/metrics"]' in (tmp_path / "slo.yaml").read_text()


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_an_openapi_document_becomes_a_step_an_operation(
    tmp_path: Path, capsys: Captured, suffix: str
) -> None:
    """GET and HEAD, parameters filled in, the status that a success has; what is left out is said."""
    document = tmp_path / f"openapi.{suffix}"
    text = json.dumps(OPENAPI)
    document.write_text(text if suffix == "json" else f"# a comment\n{text}")
    steps, text = made(tmp_path / "out", "--openapi", str(document))
    assert steps == [
        ("GET", "/v1/items", [200]),
        ("GET", "/v1/items/{id}", [203]),
        ("HEAD", "/v1/tags/{tag}", [200]),
    ]
    assert 'get: "/v1/items?page=1"' in text
    assert 'head: "/v1/tags/a%20b"' in text
    assert load_spec(tmp_path / "out" / "slo.yaml").service == "Shop API"
    err = capsys.readouterr().err
    assert "left out: 1 operation with POST" in err
    assert "left out: credentials" in err
    steps, _ = made(tmp_path / "all", "--openapi", str(document), "--all-methods")
    assert {method for method, *_ in steps} == {"GET", "HEAD", "POST", "DELETE"}


def test_a_har_file_becomes_its_requests(tmp_path: Path, capsys: Captured) -> None:
    """Requests of the most frequent host, each once, successes only, without credentials."""
    file = tmp_path / "a.har"
    file.write_text(json.dumps(HAR))
    steps, text = made(tmp_path / "out", "--har", str(file))
    assert [step[:2] for step in steps] == [("GET", "/items"), ("GET", "/items")]
    assert 'get: "/items?page=1"' in text
    assert 'get: "/items?q={{x}}"' in text
    assert 'headers: {"Accept": "text/html"}' in text
    err = capsys.readouterr().err
    for said in ("2 requests with POST", "1 request to other hosts", "1 request with a response 302"):
        assert said in err
    assert "may be credentials" in err
    steps, text = made(tmp_path / "all", "--har", str(file), "--all-methods")
    assert ("POST", "/cart", [201]) in steps
    assert 'body: "{{\\"sku\\": 1}}"' in text


@pytest.mark.parametrize(
    ("line", "step"),
    [
        pytest.param("curl http://127.0.0.1:9/items", 'get: "/items"', id="plain"),
        pytest.param("curl -sS -o /dev/null '127.0.0.1:9/a?b=1'", 'get: "/a?b=1"', id="options with values"),
        pytest.param("curl -I --url=http://127.0.0.1:9/a", 'head: "/a"', id="head"),
        pytest.param("curl -G -d q=1 -d r=2 http://127.0.0.1:9/a", 'get: "/a?q=1&r=2"', id="data as query"),
        pytest.param(
            "curl 127.0.0.1:9/a \\\n -H 'Accept: text/html' -H 'X-Key: hunter2' -u me:s3cr3t -b id=tok-1",
            'headers: {"Accept": "text/html"}',
            id="credentials",
        ),
        pytest.param("curl 'me:hunter2@127.0.0.1:9/a?sig=s3cr3t&x=1'", 'get: "/a?x=1"', id="in it"),
        pytest.param("curl 'http://127.0.0.1:9/a?x=eyJhbGciOiJI.e30.x'", 'get: "/a"', id="a token"),
    ],
)
def test_a_line_of_curl_becomes_a_step(tmp_path: Path, line: str, step: str) -> None:
    """As a browser copies it, without credentials."""
    _, text = made(tmp_path, "--curl", line)
    assert step in text
    assert "expect: {status: 200}" in text


def test_other_methods_are_asked_for(tmp_path: Path, capsys: Captured) -> None:
    """A line that may change data is refused unless that is asked for."""
    line = "curl http://127.0.0.1:9/cart --json '{\"sku\": 1}'"
    assert exit_code_of(["init", "--dir", str(tmp_path / "no"), "--curl", line]) == 2
    assert "the line sends POST, which may change data; add --all-methods" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
    steps, text = made(tmp_path, "--all-methods", "--curl", line)
    assert steps == [("POST", "/cart", [200])]
    assert 'body: "{{\\"sku\\": 1}}"' in text


def test_names_are_taken_as_given(tmp_path: Path, capsys: Captured) -> None:
    """An odd title is reported and not blamed on an option; the next commands can be copied."""
    document = tmp_path / "api.json"
    document.write_text(json.dumps(OPENAPI | {"info": {"title": "Shop ${x}"}}))
    folder = tmp_path / "my slo's"
    assert exit_code_of(["init", "--dir", str(folder), "--openapi", str(document)]) == 0
    out, err = capsys.readouterr()
    assert "left out: the title, which cannot be the name of a service; add --service NAME" in err
    said = shlex.split(out.splitlines()[-1].replace(",", ""))
    assert said.count(str(folder / "slo.yaml")) == 2
    assert load_spec(folder / "slo.yaml").service == "my-api"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--url", "shop"], "--url: 'shop' does not begin with http", id="no address"),
        pytest.param(["--service", "", "--url", "http://a/"], "--service: ", id="no name"),
        pytest.param(["--target", "", "--url", "http://a/"], "--target: ", id="no target"),
        pytest.param(["--har", "deep.json"], "deep.json: ", id="nested too deep"),
        pytest.param(["--curl", "wget x"], "--curl: does not begin with curl", id="not curl"),
        pytest.param(["--curl", "curl 'x"], "--curl: cannot be read", id="an open quote"),
        pytest.param(["--curl", "curl -s"], "--curl: names no address", id="no address in curl"),
        pytest.param(["--har", "none.har"], "--har: none.har: cannot be read: No such file", id="no file"),
        pytest.param(["--har", "list.json"], "list.json: is not a HAR file", id="no HAR"),
        pytest.param(["--openapi", "list.json"], "list.json: is not an OpenAPI document", id="no OpenAPI"),
        pytest.param(["--openapi", "junk"], "junk: cannot be read: it is neither JSON nor YAML", id="junk"),
        pytest.param(["--url", "http://a/", "--curl", "curl a"], "give only one of them", id="two sources"),
    ],
)
def test_what_cannot_be_imported_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, arguments: list[str], said: str
) -> None:
    """Exit 2, nothing written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "deep.json").write_text('{"log":' + "[" * 100_000)
    (tmp_path / "junk").write_bytes(b"\xff: [")
    assert exit_code_of(["init", "--dir", "out", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
