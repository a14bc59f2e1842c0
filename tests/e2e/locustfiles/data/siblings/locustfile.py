"""A Locust file with modules next to it: users from a package, settings from a module, data by path."""

import json
import os

import settings
from pages import catalogue
from pages.checkout import Checkout

from locust import HttpUser

with open(os.path.join(os.path.dirname(__file__), "items.json")) as file:
    ITEMS = json.load(file)


class Customer(HttpUser):
    wait_time = settings.WAIT
    tasks = [catalogue.Catalogue, Checkout]
    items = ITEMS

    def on_start(self):
        self.rounds = 0
        self.did = set()
