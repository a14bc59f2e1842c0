"""What is known of Locust's own clients that may touch a verdict, said where it applies."""

from collections.abc import Iterator

from locust.contrib.fasthttp import FastHttpUser
from locust.env import Environment

from slocheck.plan import LoadPlan

SELECT_LIMIT = 900
"""Users a worker from which on descriptors exceed 1023, which select() cannot take."""


def doubts(environment: Environment, plan: LoadPlan) -> Iterator[str]:
    """Yield a sentence for each known defect that this plan meets."""
    share = -(-plan.users // plan.processes)
    fast = [user.__name__ for user in environment.user_classes if issubclass(user, FastHttpUser)]
    if fast and share > SELECT_LIMIT:
        yield (
            f"{', '.join(fast)}: with {share:,} users a worker FastHttpUser opens a new connection for each "
            "request (its select() takes no descriptor over 1023), and latencies include that; give "
            "--processes, or use slocheck.users.LeanHttpUser"
        )
