"""A listener of each event: they set up, look at requests with their context, and leave traces in names."""

import logging
from functools import partial

from locust import HttpUser, LoadTestShape, constant, events, task
from locust.event import EventHook
from locust.runners import MasterRunner, WorkerRunner

seen = []
state = {"requests": 0, "failures": 0, "tenants": set(), "started": False}


class Log:
    """A listener that is an object; it removes itself after the first event of each kind."""

    def __init__(self, event):
        self.event, self.times = event, 0

    def __call__(self, **_kwargs):
        self.times += 1
        self.event.remove_listener(self)


rest = ("report_to_master", "worker_report", "worker_connect", "reset_stats", "cpu_warning")
for name in (*rest, "heartbeat_sent", "heartbeat_received", "usage_monitor", "request"):
    getattr(events, name).add_listener(Log(getattr(events, name)))
ordered = EventHook()
ordered.add_listener(partial(state.update, ordered_by="a partial"))


@events.init_command_line_parser.add_listener
def on_parser(parser, **_kwargs):
    seen.append("parser")


@events.init.add_listener
def on_init(environment, **_kwargs):
    seen.append("init")
    if isinstance(environment.runner, MasterRunner):
        environment.place = "nobody asks the master"
    elif isinstance(environment.runner, WorkerRunner):
        environment.place = "where the users are"
    else:
        environment.place = "where the users are"
    environment.shop = {"greeting": "hello"}


@events.test_start.add_listener
def on_test_start(environment, **_kwargs):
    seen.append("test_start")
    if not isinstance(environment.runner, MasterRunner):
        environment.token = "of the users"
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


class Later(LoadTestShape):
    """Not in use: an abstract one decides nothing."""

    abstract = True

    def tick(self):
        return None


class Tenant(HttpUser):
    wait_time = constant(0.001)

    def context(self):
        return {"tenant": "blue"}

    def on_start(self):
        host = "the host" if self.environment.started_with == self.host else "another host"
        self.client.get("/items/1", name=f"{'+'.join(seen)}, {self.environment.shop['greeting']}, {host}")

    @task
    def ask(self):
        self.client.get("/items/1", name=f"{self.environment.place}, token {self.environment.token}")
        ordered.fire(item=7)
        self.client.get("/items/1", name=f"item {state['item']} by {state['ordered_by']}")
        self.client.get("/items/2", name="with a context", context={"tenant": "green"})
        self.client.get("/broken", name="broken")
        self.client.get("/items/3", name=f"tenants {sorted(state['tenants'])}")
        self.stop()
