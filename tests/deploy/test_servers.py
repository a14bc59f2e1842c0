"""nginx, Prometheus and the scripts of PostgreSQL, checked by the programs that read them."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from slocheck.reference_api.stack.programs import find, free_port
from tests.deploy.files import DEPLOY, documents
from tests.deploy.nginx_conf import FILE, text


def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    """It comes from the private nginx's template; only names and ports differ, and they exist here."""
    assert FILE.read_text(encoding="utf-8") == text(), "run: python -m tests.deploy.nginx_conf"
    here = text(upstream="127.0.0.1:1", listen=f"127.0.0.1:{free_port()}")
    file = tmp_path / "nginx.conf"
    file.write_text(here.replace("/run/nginx.pid", str(tmp_path / "nginx.pid")), encoding="utf-8")
    nginx = find("nginx", package="nginx")
    done = subprocess.run(
        [nginx, "-t", "-e", "stderr", "-c", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_nginx_does_what_the_guide_asks() -> None:
    """Least connections over the replicas of the compose file, kept connections, passive health checks."""
    page = FILE.read_text(encoding="utf-8")
    for line in (
        "least_conn;",
        "server api:8000 max_fails=3 fail_timeout=10s;",
        "keepalive 32;",
        "proxy_http_version 1.1;",
        'proxy_set_header Connection "";',
        "proxy_set_header Host $host;",
        "proxy_set_header X-Real-IP $remote_addr;",
        "proxy_send_timeout 30s;",
        "proxy_read_timeout 30s;",
    ):
        assert line in page
    assert "non_idempotent;" not in page


def test_prometheus_takes_its_configuration() -> None:
    """It finds every replica by name, and scrapes each directly."""
    done = subprocess.run(
        ["promtool", "check", "config", str(DEPLOY / "prometheus.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = {job["job_name"]: job for job in documents("prometheus.yml")[0]["scrape_configs"]}
    assert jobs["shop-api"]["dns_sd_configs"][0]["names"] == ["api"]
    assert jobs["shop-worker"]["dns_sd_configs"][0]["names"] == ["worker"]
    assert jobs["redis"]["static_configs"][0]["targets"] == ["redis_exporter:9121"]


@pytest.mark.parametrize("script", ["primary.sh", "replica.sh"])
def test_the_scripts_of_postgresql_parse(script: str) -> None:
    """As the shell of the image reads them."""
    done = subprocess.run(
        ["dash", "-n", str(DEPLOY / "postgres" / script)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_grafana_finds_its_dashboard_and_its_source() -> None:
    """By the identifiers and paths that the other files name."""
    source = documents("grafana/datasources.yaml")[0]["datasources"][0]
    dashboard = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {source["uid"]}
    provider = documents("grafana/dashboards.yaml")[0]["providers"][0]
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    mounts = [mount.split(":")[1] for mount in compose["services"]["grafana"]["volumes"]]
    assert any(mount.startswith(provider["options"]["path"]) for mount in mounts)
