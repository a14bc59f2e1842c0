"""``python -m tests.deploy.nginx_conf``: write deploy/nginx.conf from the template of the private nginx."""

from pathlib import Path

from slocheck.reference_api.stack.nginx import configuration

FILE = Path(__file__).parents[2] / "deploy" / "nginx.conf"
UPSTREAM = "api:8000"


def text(upstream: str = UPSTREAM, listen: str = "80") -> str:
    """Return the file; a test replaces the names that only exist among the containers."""
    return configuration([upstream], listen=listen)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
