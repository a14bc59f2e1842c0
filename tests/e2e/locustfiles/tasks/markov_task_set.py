"""A Markov chain of pages: each names the one that comes next."""

from locust import HttpUser, MarkovTaskSet, constant, transition, transitions


class Walk(MarkovTaskSet):
    wait_time = constant(0.001)

    def on_start(self):
        self.rounds = 0

    @transition("results")
    def search(self):
        self.client.get("/search", params={"q": "hat"}, name="/search")

    @transitions({"item": 1})
    def results(self):
        self.client.get("/items")

    @transitions([("search", 1)])
    def item(self):
        self.client.get("/items/3")
        self.rounds += 1
        if self.rounds == 5:
            self.user.stop()


class Walker(HttpUser):
    tasks = [Walk]
