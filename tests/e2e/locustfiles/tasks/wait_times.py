"""Every way to wait: between, constant, pacing, throughput, a function, and a method."""

import random

from locust import HttpUser, TaskSet, between, constant, constant_pacing, constant_throughput, task


class Pausing(HttpUser):
    abstract = True

    def on_start(self):
        self.turns = 0

    @task
    def turn(self):
        self.client.get("/items/1", name=type(self).__name__)
        self.turns += 1
        if self.turns == 4:
            self.stop()


class Between(Pausing):
    wait_time = between(0.001, 0.01)


class Constant(Pausing):
    wait_time = constant(0.005)


class Pacing(Pausing):
    wait_time = constant_pacing(0.02)


class Throughput(Pausing):
    wait_time = constant_throughput(50)


class OfItsOwn(Pausing):
    wait_time = lambda self: random.expovariate(200)  # noqa: E731


class ByMethod(Pausing):
    def wait_time(self):
        return 0.001 * self.turns


class OfTheTaskSet(HttpUser):
    wait_time = constant(60)

    @task
    class Quick(TaskSet):
        wait_time = constant(0.001)

        def on_start(self):
            self.turns = 0

        @task
        def turn(self):
            self.client.get("/items/1", name="OfTheTaskSet")
            self.turns += 1
            if self.turns == 4:
                self.user.stop()
