"""A run that ends itself: too many failures in a row, and the runner is told to quit."""

from locust import HttpUser, constant, events, task

failed = 0


@events.init.add_listener
def watch(environment, **_kwargs):
    def count(exception, **_kwargs):
        global failed
        failed = failed + 1 if exception else 0
        if failed == 3:
            environment.runner.quit()

    environment.events.request.add_listener(count)


class Buyer(HttpUser):
    wait_time = constant(0.1)

    @task
    def buy(self):
        self.client.get("/items/1", name="look")
        self.client.post("/broken", json={}, name="buy")
        self.client.post("/broken", json={}, name="pay")
        self.client.post("/busy", json={}, name="ship")
        self.client.get("/items/2", name="look again")
