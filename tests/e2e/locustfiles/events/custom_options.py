"""The file's own options, with defaults, as `--my-option` of the command line."""

from locust import HttpUser, constant, events, task


@events.init_command_line_parser.add_listener
def add_options(parser):
    parser.add_argument("--pages", type=int, env_var="SHOP_PAGES", default=3, help="pages of a user")
    parser.add_argument("--section", choices=["hats", "shoes"], default="hats")
    parser.add_argument("--verbose-shop", action="store_true", include_in_web_ui=False)


class Visitor(HttpUser):
    wait_time = constant(0.001)

    @task
    def pages(self):
        options = self.environment.parsed_options
        for number in range(options.pages):
            self.client.get(f"/{options.section}/{number}", name=f"/{options.section}/{{number}}")
        self.stop()
