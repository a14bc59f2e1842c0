"""Tests in pytest's style, which Locust runs as users."""


def test_items(session):
    assert session.get("/items/1").json()["id"] == 1


def test_orders(fastsession):
    fastsession.post("/orders", json={"item": 1})
