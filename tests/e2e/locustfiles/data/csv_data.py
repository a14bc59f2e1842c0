"""Users from a CSV file next to the Locust file, each taken once by one virtual user."""

import csv
from itertools import islice
from pathlib import Path
from queue import Empty, Queue

from locust import HttpUser, constant, task
from locust.exception import StopUser

accounts = Queue()
with (Path(__file__).parent / "accounts.csv").open(newline="") as file:
    for row in islice(csv.DictReader(file), 4):
        accounts.put(row)


class Customer(HttpUser):
    wait_time = constant(0.001)

    @task
    def sign_in(self):
        try:
            account = accounts.get_nowait()
        except Empty:
            raise StopUser from None
        self.client.post("/login", json=account, name=f"login of {account['name']}")
        self.client.get(f"/items/{account['item']}", name="/items/{item}")
