"""A journey in a fixed order: SequentialTaskSet with a set-up, a nested list of tasks, and an end."""

from locust import FastHttpUser, SequentialTaskSet, constant, task


class Journey(SequentialTaskSet):
    def on_start(self):
        self.round = 0
        response = self.client.post("/login", json={"user": "ann", "password": "x"})
        self.headers = {"Authorization": f"Bearer {response.json()['token']}"}

    @task
    def start(self):
        self.round += 1
        self.client.get("/", headers=self.headers)

    @task(2)
    def search(self):
        self.client.get("/search?q=shoes", headers=self.headers, name="/search")

    @task
    class Basket(SequentialTaskSet):
        @task
        def add(self):
            self.client.post("/basket", json={"item": 7}, headers=self.parent.headers)

        @task
        def show(self):
            self.client.get("/basket", headers=self.parent.headers)
            self.interrupt(reschedule=False)

    @task
    def end(self):
        if self.round == 3:
            self.client.delete("/session/1", name="/session/{id}")
            self.user.stop(force=False)

    def on_stop(self):
        self.client.get("/bye")


class Customer(FastHttpUser):
    wait_time = constant(0.002)
    tasks = [Journey]
