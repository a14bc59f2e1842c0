"""A team's existing gate: the file looks at the statistics at the end, and sets the exit code."""

import logging

from locust import HttpUser, constant, events, task


@events.quitting.add_listener
def grade(environment, **_kwargs):
    total = environment.stats.total
    if total.fail_ratio > 0.25:
        logging.error("more than a quarter failed")
        environment.process_exit_code = 3
    elif total.avg_response_time > 60_000:
        environment.process_exit_code = 4
    else:
        environment.process_exit_code = 0


class Buyer(HttpUser):
    wait_time = constant(0.001)

    @task
    def buy(self):
        for _ in range(3):
            self.client.get("/items/1", name="look")
            self.client.get("/broken", name="buy")
        self.stop()
