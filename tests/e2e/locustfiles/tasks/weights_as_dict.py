"""Tasks as plain functions in a dict of weights; each user walks a fixed number of pages, then leaves."""

from locust import HttpUser, between
from locust.exception import StopUser

PAGES = {"front page": 4, "product": 8, "basket": 2}


def _visit(user, name, path):
    if user.left[name] > 0:
        user.left[name] -= 1
        user.client.get(path, name=name)
    if not any(user.left.values()):
        raise StopUser


def front_page(user):
    _visit(user, "front page", "/")


def product(user):
    _visit(user, "product", f"/items/{user.left['product'] + 1}")


def basket(user):
    _visit(user, "basket", "/basket")


class Visitor(HttpUser):
    wait_time = between(0.001, 0.005)
    tasks = {front_page: 3, product: 6, basket: 1}

    def on_start(self):
        self.left = dict(PAGES)
