"""Tasks as the first versions of Locust had them: functions of a task set, waits in milliseconds, tasks in a list."""

from locust import HttpUser, SequentialTaskSet


def login(task_set):
    task_set.client.post("/login", {"username": "ann", "password": "x"})


def logout(task_set):
    task_set.client.post("/logout", {"username": "ann"})


def index(task_set):
    task_set.client.get("/")


def leave(task_set):
    task_set.user.stop()


class UserBehavior(SequentialTaskSet):
    tasks = [index, index, login, leave]

    def on_start(self):
        login(self)

    def on_stop(self):
        logout(self)


class WebsiteUser(HttpUser):
    fixed_count = 1
    tasks = {UserBehavior: 1}
    min_wait = 1
    max_wait = 2


class OwnWait(HttpUser):
    """Its wait_time belongs to the instance."""

    fixed_count = 1

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.wait_time = lambda: 0.001
        self.left = 3

    def look(self):
        self.client.get("/items/1", name="own wait")
        self.left -= 1
        if not self.left:
            self.stop()

    tasks = [(look), look]
