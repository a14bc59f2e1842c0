"""Tasks that are decorated, made by functions, or part of a nested sequence with its own beginning and end."""

import functools
import itertools
import time
from dataclasses import dataclass, field

import gevent

from locust import FastHttpUser, HttpUser, SequentialTaskSet, TaskSet, constant, tag, task


def traced(function):
    @functools.wraps(function)
    def call(self, *args, **kwargs):
        self.user.basket.trace.append(function.__name__)
        return function(self, *args, **kwargs)

    return call


def look_at(number):
    def look(self):
        self.client.get(f"/items/{number}", name=f"made for {number}")
        if number == 3:
            self.stop()

    return look


@dataclass
class Basket:
    trace: list = field(default_factory=list)


class Journey(SequentialTaskSet):
    @task
    @traced
    def first(self):
        time.sleep(0.01)
        self.client.get("/items/1", name="first")

    @tag("smoke")
    @task
    class Rest(SequentialTaskSet):
        wait_time = constant(0.001)

        def on_start(self):
            self.client.get("/items/2", name="the rest begins")

        @traced
        @task(2)
        def part(self):
            self.client.get("/items/2", name=f"part after {type(self.parent).__name__}")

        @task
        def end(self):
            self.schedule_task(self.late, first=True)

        def late(self):
            gevent.sleep(0.01)
            self.client.get("/items/2", name="late")
            self.interrupt(reschedule=False)

        def on_stop(self):
            self.client.get("/items/2", name="the rest ends")

    @task
    def last(self):
        self.wait()
        self.client.get("/items/3", name="+".join(self.user.basket.trace))
        self.user.stop()


class Shopper(FastHttpUser):
    fixed_count = 1
    tasks = [Journey]

    def on_start(self):
        self.basket = Basket()


class Made(HttpUser):
    fixed_count = 1
    turns = itertools.count(1)

    @task
    def next_one(self):
        look_at(next(self.turns))(self)


class Mixed(HttpUser):
    """A method and a task set in one dict, and the set calls back."""

    fixed_count = 1
    left = 5

    def look(self):
        self.left -= 1
        self.client.get("/items/1", name="mixed")
        if not self.left:
            self.stop()

    class Set(TaskSet):
        @task
        def look(self):
            self.user.look()
            self.interrupt()

    tasks = {look: 2, Set: 1}
