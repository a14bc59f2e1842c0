"""deploy/compose.yaml, checked by the Compose Specification's schema and against the files it names."""

import json
import re
from typing import Any

import jsonschema

from slocheck.reference_api.jobs.__main__ import parser as worker_parser
from slocheck.reference_api.options import parser
from tests.deploy.files import DEPLOY, ROOT, VENDOR, documents


def compose() -> dict[str, Any]:
    """Return the file."""
    file: dict[str, Any] = documents("compose.yaml")[0]
    return file


def test_it_follows_the_specification() -> None:
    """By the schema; each service that another waits for, and each volume, exists."""
    schema = json.loads((VENDOR / "compose" / "compose-spec.json").read_text(encoding="utf-8"))
    file = compose()
    wrong = [error.message for error in jsonschema.Draft201909Validator(schema).iter_errors(file)]
    assert wrong == []
    services = file["services"]
    for name, service in services.items():
        waits = service.get("depends_on", {})
        assert set(waits) <= set(services), name
        for other, how in waits.items() if isinstance(waits, dict) else ():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[other], other
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            there = (DEPLOY / source).is_file() if source.startswith("./") else source in file["volumes"]
            assert there, mount


def test_each_image_has_a_version_and_each_port_stays_on_this_machine() -> None:
    """`latest` is another image tomorrow; the internal servers have no password, or a weak one."""
    for name, service in compose()["services"].items():
        if name not in {"api", "worker"}:
            assert re.fullmatch(r"docker\.io/[a-z0-9_/-]+:v?\d[\w.-]*", service["image"])
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name


def test_the_api_runs_as_the_guide_has_it() -> None:
    """Three bounded replicas with a health check, with options that the API has, on addresses that exist."""
    file = compose()
    api = file["services"]["api"]
    assert api["deploy"] == {"replicas": 3, "resources": {"limits": {"cpus": "1", "memory": "512M"}}}
    check = api["healthcheck"]
    assert (check["interval"], check["timeout"], check["retries"]) == ("10s", "5s", 3)
    options = parser().parse_args(api["command"])
    assert (options.host, options.port) == ("0.0.0.0", 8000)
    assert not options.end_with_stdin
    for url in (options.database_url, options.replica_url, options.redis_url, options.otlp_url):
        host = re.fullmatch(r"\w+://(?:\w+@)?(\w+)[:/].*", url)
        assert host is not None
        assert host[1] in file["services"], url
    worker = worker_parser().parse_args(file["services"]["worker"]["command"])
    assert (worker.database, worker.redis) == (options.database_url, options.redis_url)
    build = api["build"]
    recipe = ((DEPLOY / build["context"]).resolve() / build["dockerfile"]).read_text(encoding="utf-8")
    assert set(re.findall(r"^ARG (\w+)", recipe, re.MULTILINE)) == set(build["args"])
    copied = {
        name for line in re.findall(r"^COPY (?!--)(.*) \S+$", recipe, re.MULTILINE) for name in line.split()
    }
    assert all((ROOT / name).exists() for name in copied)
