"""The catalogue."""

from settings import LANGUAGE

from locust import task

from .base import Page


class Catalogue(Page):
    @task
    def items(self):
        self.once()
        for number in self.user.items:
            self.client.get(
                f"/items/{number}", headers={"Accept-Language": LANGUAGE}, name=f"/items in {LANGUAGE}"
            )
