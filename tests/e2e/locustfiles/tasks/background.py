"""A request in the background that waits for news and is ended with its user: Locust does not count it."""

import gevent
from locust import FastHttpUser, HttpUser, User, constant, task


class Polls(User):
    abstract = True
    wait_time = constant(0.001)
    fixed_count = 1

    def on_start(self):
        self.poller = gevent.spawn(self.poll)

    def poll(self):
        while True:
            self.client.get("/hangs", name="news")

    def on_stop(self):
        self.poller.kill(block=False)

    @task
    def page(self):
        self.client.get("/meanwhile", name="page")
        self.stop()


class Reader(Polls, HttpUser):
    pass


class FastReader(Polls, FastHttpUser):
    pass
