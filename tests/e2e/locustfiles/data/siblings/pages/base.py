"""What pages have in common: a user visits each kind once."""

from locust import TaskSet


class Page(TaskSet):
    def once(self):
        kind = type(self).__name__
        if kind in self.user.did:
            if len(self.user.did) == 2:
                self.user.stop()
            self.interrupt()
        self.user.did.add(kind)
