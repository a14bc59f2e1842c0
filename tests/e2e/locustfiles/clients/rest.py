"""rest() and rest_(): JSON in and out, checks by assert, responses that are not JSON, errors in the block."""

from locust import FastHttpUser, HttpUser, constant, task


class Checks:
    def checks(self):
        with self.rest("GET", "/items/1") as response:
            assert response.js["id"] == 1
        with self.rest("POST", "/orders", json={"item": 1}, name="order") as response:
            if response.js["id"] != 0:
                response.failure("an order without a number")
        with self.rest("GET", "/items/2", name="wrong id") as response:
            assert response.js["id"] == 3, "not the item that was asked for,"
        with self.rest("GET", "/page", name="not JSON"):
            pass
        with self.rest("GET", "/items/3", name="raises") as response:
            response.js["price"] * 2
        with self.rest("GET", "/items/901", name="missing") as response:
            assert response.js["error"]
        with self.rest("GET", "/items/902", name="missing, and fine") as response:
            response.success()
        with self.rest_("GET", "/items/5") as response:
            assert response.js
        with self.rest_("GET", "/items/5?lang=en", name="named") as response:
            assert response.js


class Fast(Checks, FastHttpUser):
    fixed_count = 1
    wait_time = constant(0.001)

    @task
    def t(self):
        self.checks()
        self.stop()


class Plain(Checks, HttpUser):
    fixed_count = 1
    wait_time = constant(0.001)

    @task
    def t(self):
        self.checks()
        self.stop()
