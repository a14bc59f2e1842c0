"""A team's own statistics, from Locust's environment and request event, which steer what is sent."""

from locust import FastHttpUser, constant, events, task

slow = []


@events.request.add_listener
def note(name, response_time, exception=None, **_kwargs):
    if response_time >= 0 and not exception:
        slow.append(name)


class Steered(FastHttpUser):
    wait_time = constant(0.001)

    @task
    def ask(self):
        while self.environment.stats.get("counted", "GET").num_requests < 8:
            self.client.get("/items/1", name="counted")
        stats = self.environment.stats
        self.client.get("/items/901", name="missing")
        failed = stats.get("missing", "GET").num_failures
        self.client.get("/items/2", name=f"after {stats.total.num_requests} with {failed} failed")
        self.client.get("/items/3", name=f"{len(slow)} were noted")
        self.stop()
