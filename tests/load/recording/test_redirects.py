"""What a redirect counts as, as Locust's clients report it."""

import pytest
import requests

from slocheck.load.recording.redirects import ElsewhereError, Redirect, first_redirect

SHOP = "http://shop.example:8000"


def response(status: int, path: str, location: str | None = None) -> requests.Response:
    """Return a response of the shop to a request for a path."""
    response = requests.Response()
    response.status_code, response.url = status, SHOP + path
    if location is not None:
        response.headers["Location"] = location
    return response


def followed(last: requests.Response, *hops: requests.Response) -> requests.Response:
    """Return the last response with those that led to it."""
    last.history = list(hops)
    return last


def away() -> Exception:
    """Return what a client raises for a redirect to another host, in the client's own error."""
    cause = ElsewhereError("not followed")
    cause.redirect = Redirect(302, "http://sso.example/", elsewhere=True)
    error = requests.exceptions.ConnectionError("wrapped")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("response", "error", "found"),
    [
        pytest.param(response(200, "/orders"), None, None, id="a response"),
        pytest.param(response(404, "/orders"), requests.HTTPError(), None, id="a failure"),
        pytest.param(None, ConnectionResetError(), None, id="no response"),
        pytest.param(object(), None, None, id="a client without statuses"),
        pytest.param(
            followed(response(200, "/login"), response(302, "/orders", "/login")),
            None,
            Redirect(302, "/login", "/login"),
            id="to a login page",
        ),
        pytest.param(
            followed(response(200, "/b/c"), response(301, "/a", "/b/"), response(307, "/b/", "c?x=1")),
            None,
            Redirect(301, "/b/", "/b/c"),
            id="two hops: the first status, the last path",
        ),
        pytest.param(
            followed(response(404, "/gone"), response(302, "/orders", f"{SHOP}/gone")),
            requests.HTTPError(),
            Redirect(302, f"{SHOP}/gone", "/gone"),
            id="to nothing",
        ),
        pytest.param(
            None, away(), Redirect(302, "http://sso.example/", elsewhere=True), id="to another host"
        ),
        pytest.param(
            response(303, "/orders", "/home"),
            None,
            Redirect(303, "/home", "/home", followed=False),
            id="left",
        ),
        pytest.param(
            response(302, "/orders", "http://sso.example/home"),
            None,
            Redirect(302, "http://sso.example/home", "", followed=False),
            id="left, another host",
        ),
        pytest.param(response(302, "/orders"), None, None, id="leads nowhere"),
        pytest.param(response(304, "/orders", "/home"), None, None, id="not modified"),
    ],
)
def test_the_first_response_and_the_last_path_count(
    response: object, error: Exception | None, found: Redirect | None
) -> None:
    """A redirect is known by its history, by the error of one that leads away, or by itself."""
    assert first_redirect(response, error) == found
