"""A file that needs a module that is not installed here."""

from locust_plugins.users import PlaywrightUser
from locust import run_single_user, task


class Visitor(PlaywrightUser):
    @task
    def visit(self):
        pass


if __name__ == "__main__":
    run_single_user(Visitor)
