"""A listener of each event: they set up, look at requests with their context, and leave traces in names."""

import logging

from locust import HttpUser, constant, events, task

seen = []
state = {"requests": 0, "failures": 0, "tenants": set(), "started": False}


@events.init.add_listener
def on_init(environment, **_kwargs):
    seen.append("init")
    environment.shop = {"greeting": "hello"}


@events.test_start.add_listener
def on_test_start(environment, **_kwargs):
    seen.append("test_start")
    environment.started_with = environment.parsed_options.host


@events.spawning_complete.add_listener
def on_spawning_complete(user_count, **_kwargs):
    logging.getLogger(__name__).info("%s users are there", user_count)


@events.request.add_listener
def on_request(
    request_type,
    name,
    response_time,
    response_length,
    response,
    context,
    exception,
    start_time,
    url,
    **_kwargs,
):
    state["requests"] += 1
    state["failures"] += exception is not None
    if context:
        state["tenants"].add(context["tenant"])


@events.user_error.add_listener
def on_user_error(user_instance, exception, tb, **_kwargs):
    logging.getLogger(__name__).warning("a user failed: %s", exception)


@events.test_stopping.add_listener
def on_test_stopping(environment, **_kwargs):
    seen.append("test_stopping")


@events.test_stop.add_listener
def on_test_stop(environment, **_kwargs):
    seen.append("test_stop")
    assert environment.stats.total.num_requests >= 0


@events.quitting.add_listener
def on_quitting(environment, **_kwargs):
    if environment.stats.total.fail_ratio > 0.99:
        logging.getLogger(__name__).warning("everything failed")


@events.quit.add_listener
def on_quit(exit_code, **_kwargs):
    seen.append(f"quit {exit_code}")


class Tenant(HttpUser):
    wait_time = constant(0.001)

    def context(self):
        return {"tenant": "blue"}

    def on_start(self):
        host = "the host" if self.environment.started_with == self.host else "another host"
        self.client.get("/items/1", name=f"{'+'.join(seen)}, {self.environment.shop['greeting']}, {host}")

    @task
    def ask(self):
        self.client.get("/items/1", name="plain")
        self.client.get("/items/2", name="with a context", context={"tenant": "green"})
        self.client.get("/broken", name="broken")
        self.client.get("/items/3", name=f"tenants {sorted(state['tenants'])}")
        self.stop()
