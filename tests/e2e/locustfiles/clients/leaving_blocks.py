"""How a catch_response block is left: return, break, a way out of the task or its set, an error, by hand, never."""

import json

from locust import FastHttpUser, HttpUser, TaskSet, constant, task
from locust.exception import RescheduleTask, RescheduleTaskImmediately, StopUser


class Blocks(TaskSet):
    """A task that is left early comes again, and goes on where it was."""

    wait_time = constant(0.001)

    @task
    def next_block(self):
        self.user.turn += 1
        steps = (
            self.returns,
            self.interrupts,
            self.waits,
            self.repeats,
            self.judges,
            self.misreads,
            self.leaves,
        )
        steps[self.user.turn - 1]()

    def caught(self, name, path="/items/1"):
        return self.client.get(path, catch_response=True, name=name)

    def returns(self):
        for number in range(3):
            with self.caught("in a loop") as response:
                if number == 1:
                    response.failure("an odd one")
                    continue
                if number == 2:
                    break
        with self.caught("around another") as response, self.caught("inside of another") as inner:
            inner.failure("not this one")
            response.success()
        with self.caught("returned from"):
            return

    def interrupts(self):
        with self.caught("interrupted") as response:
            response.failure("one more time")
            self.interrupt()

    def waits(self):
        with self.caught("rescheduled", "/items/901"):
            raise RescheduleTask

    def repeats(self):
        with self.caught("rescheduled at once", "/broken"):
            raise RescheduleTaskImmediately

    def judges(self):
        for verdict in (None, "", {"code": 7}, ValueError, ValueError("no"), "grün \u2028 \x1b[31m"):
            with self.caught(f"failure of {type(verdict).__name__}") as response:
                response.failure(verdict)
        with self.caught("a page", "/page") as response:
            try:
                response.json()
            except json.JSONDecodeError:
                response.failure("not JSON")
        by_hand = self.caught("by hand")
        by_hand.__enter__()
        by_hand.failure("by hand")
        by_hand.__exit__(None, None, None)

    def misreads(self):
        with self.caught("misread") as response:
            response.json()["price"]

    def leaves(self):
        self.caught("never entered")
        with self.caught("left with its user"):
            raise StopUser


class Turns:
    turn = 0
    fixed_count = 1
    tasks = [Blocks]


class Plain(Turns, HttpUser):
    pass


class Fast(Turns, FastHttpUser):
    pass
