"""The checkout."""

from locust import task
from pages.base import Page


class Checkout(Page):
    @task
    def pay(self):
        self.once()
        self.client.post("/orders", json={"items": self.user.items})
