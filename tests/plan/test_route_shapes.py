"""Which of a service's routes is an endpoint's, in the notations of the libraries."""

import pytest

from slocheck.plan.route_shapes import same_route


@pytest.mark.parametrize(
    ("name", "seen", "found"),
    [
        pytest.param(
            "/orders/{id}", ["/orders", "/orders/{order_id}"], "/orders/{order_id}", id="another name"
        ),
        pytest.param("/orders/{id}", ["/orders/<int:id>"], "/orders/<int:id>", id="Flask"),
        pytest.param("/orders/{id}", ["/orders/:id"], "/orders/:id", id="Express"),
        pytest.param("/orders/{id}", ["/orders/#val"], "/orders/#val", id="express-prom-bundle"),
        pytest.param("/orders/{id}", [r"^orders/(?P<id>[0-9]+)$"], r"^orders/(?P<id>[0-9]+)$", id="Django"),
        pytest.param("/orders/{id}", ["orders/{id:int}"], "orders/{id:int}", id="ASP.NET"),
        pytest.param("/orders/{id}", ["/orders/[id]"], "/orders/[id]", id="Next.js"),
        pytest.param("/orders/{id}", ["/orders/%s"], "/orders/%s", id="Tornado"),
        pytest.param("/orders/{id}", [r"/orders/(\d+)"], r"/orders/(\d+)", id="a regular expression"),
        pytest.param("/orders/{id}", [r"/orders/(?:\d+)$"], r"/orders/(?:\d+)$", id="without a name"),
        pytest.param("/orders/{id}.json", ["/orders/<id>.json"], "/orders/<id>.json", id="a piece of a part"),
        pytest.param("/orders", ["orders/"], "orders/", id="slashes"),
        pytest.param("/orders/{id}", ["/orders/{a}", "/orders/{b}"], None, id="two of that form"),
        pytest.param("/orders/{id}", ["/orders", "/items/{id}"], None, id="none of that form"),
        pytest.param(
            "/orders/{id}", ["/orders/7", "/orders/8", "/orders"], "/orders/*", id="paths asked for"
        ),
        pytest.param("/orders/{id}", ["/orders/new"], None, id="a word may be a route of its own"),
        pytest.param("/a/{b}/c", ["/a/1f/c", "/a/2"], "/a/*/c", id="a parameter within"),
        pytest.param("/orders", ["/api/orders", "/orders/"], "/api/orders", id="the target's base path"),
        pytest.param("/orders/{id}", ["/api/orders/:id"], "/api/orders/:id", id="both"),
    ],
)
def test_the_same_route_in_another_form(name: str, seen: list[str], found: str | None) -> None:
    """Exactly one route of the same form is the endpoint's; with two, neither is."""
    assert same_route(name, seen, base_path="/api/") == found
