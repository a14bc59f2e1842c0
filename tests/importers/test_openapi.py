"""OpenAPI documents with flaws, and the parts of an operation that are left out."""

from typing import Any

import pytest

from slocheck.errors import UsageError
from slocheck.importers.model import Imported
from slocheck.importers.openapi import from_openapi

BASE: dict[str, Any] = {"paths": {"/a": {"get": {}}}}


def imported(document: Any, target: str | None = None) -> Imported:
    """Return all operations of a document."""
    return from_openapi(document, what="api.json", target=target, all_methods=True)


def with_parameter(parameter: Any) -> dict[str, Any]:
    """Return a document of one operation with a parameter."""
    return {"paths": {"/a": {"get": {"parameters": parameter}}}}


@pytest.mark.parametrize(
    "document",
    [
        BASE | {"components": None},
        BASE | {"components": [], "info": "x", "servers": {}, "schemes": {}},
        BASE | {"info": {"title": ["x"]}, "servers": [None]},
        BASE | {"host": "127.0.0.1:9", "schemes": {}},
        with_parameter(5),
        with_parameter([5, {"name": "q"}, {"$ref": 5}]),
        with_parameter([{"name": "q", "in": ["path"]}]),
        with_parameter([{"name": "q", "in": "query", "schema": "string"}]),
        with_parameter([{"name": "q", "in": "query", "schema": {"enum": 5, "type": {}, "format": []}}]),
        {"paths": {"/a": {"get": {"responses": [5]}}}},
        {"paths": {"/a": {"get": {}}, "/\ud800": {"get": {}}, 5: 6, "/b": {"$ref": "other.json"}}},
    ],
)
def test_what_has_another_type_is_as_if_it_were_not_there(document: Any) -> None:
    """The operation is still taken."""
    assert [step.path for step in imported(document).steps] == ["/a"]


@pytest.mark.parametrize("url", ["http://[::1", "http://x:99999", "ws://x/", "http://ü/", "x/v1", "http://"])
@pytest.mark.parametrize("swagger", [False, True])
def test_a_server_that_cannot_be_used_needs_a_target(url: str, *, swagger: bool) -> None:
    """The message says so, and with a target the document is taken."""
    document = BASE | ({"basePath": url} if swagger else {"servers": [{"url": url}]})
    with pytest.raises(UsageError, match=r"api\.json: the address of its first server .* add --target URL"):
        imported(document)
    assert imported(document, "http://127.0.0.1:9").target == "http://127.0.0.1:9"


def test_what_is_left_out_of_an_operation_is_said() -> None:
    """Bodies, required headers, secrets, references to elsewhere, odd titles."""
    document = {
        "info": {"title": "Shop ${x}"},
        "servers": [{"url": "http://me:hunter2@127.0.0.1:9/v1/"}],
        "components": {"pathItems": {"P": {"get": {"responses": {"204": {}}}}}},
        "paths": {
            "/a": {"post": {"requestBody": {"content": {}}}},
            "/b": {"get": {"parameters": [{"name": "X-Tenant", "in": "header", "required": True}]}},
            "/c": {"$ref": "#/components/pathItems/P"},
            "/d": {"$ref": "other.yaml"},
            "/e/{resetToken}": {
                "get": {"parameters": [{"name": "resetToken", "in": "path", "example": "hunter2"}]}
            },
            "/f": {"put": {"parameters": [{"name": "x", "in": "body"}]}},
        },
    }
    found = imported(document)
    assert [step.path for step in found.steps] == ["/v1/a", "/v1/b", "/v1/c", "/v1/e/example", "/v1/f"]
    assert found.steps[2].status == 204
    assert (found.target, found.service) == ("http://127.0.0.1:9", "")
    said = "; ".join(found.left_out)
    assert "hunter2" not in repr(found)
    for part in (
        "2 operations whose body",
        "1 operation whose required headers or cookies",
        "1 operation that cannot be read",
        "credentials",
        "the title, which cannot be the name of a service; add --service NAME",
    ):
        assert part in said


def test_nothing_to_send_is_refused_without_advice_that_was_followed() -> None:
    """The hint names --all-methods only if it was not given."""
    document: Any = {"paths": {"/a": {"trace": {}}}}
    with pytest.raises(UsageError, match=r"has no operation$"):
        imported(document)
    with pytest.raises(UsageError, match="see --all-methods"):
        from_openapi(document, what="api.json", target=None, all_methods=False)
