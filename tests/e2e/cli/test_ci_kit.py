"""The action's steps and GitLab's job, run for real: installation, a run, and what each system receives."""

import csv
import io
import json
import os
import re
import shutil
import site
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from junitparser import JUnitXml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from slocheck.pipeline.archive import EVIDENCE_FILE, SPEC_FILE
from slocheck.pipeline.evidence_file import RECORDING_FILE
from slocheck.pipeline.scenario_log import LOG_FILE
from slocheck.reporters import RUN_FILES
from slocheck.reporters.json.schema import result_schema
from tests.e2e.support.cli import only_run, slocheck, write_spec
from tests.support.workflow import ROOT, Runner, snippets

FEW = "users: 5, spawn_rate: 50/s, warmup: 1s, duration: 3s"
HOSTILE = "a '; touch pwned; $(touch pwned) `touch pwned`"
OFFLINE = {
    "PYTHONPATH": ":".join(site.getsitepackages()),
    "PIP_NO_DEPS": "1",
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # which switches it off, in pip's way of reading it
}
"""Installs with the dependencies of this environment, so without network access."""


def workspace(folder: Path, target: str, *, objectives: str) -> Path:
    """Make a checkout whose spec and service have names that a shell would run; returns the spec."""
    folder.mkdir()
    spec = write_spec(folder, target, objectives=objectives, workload=FEW)
    hostile = folder / f"{HOSTILE}.yaml"
    hostile.write_text(spec.read_text().replace("service: shop-api", f'service: "{HOSTILE}"'))
    spec.unlink()
    return hostile


def check_reports(folder: Path) -> dict[str, Any]:
    """Check that each report can be read by its consumers, a web server included; returns the result."""
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    jsonschema.validate(result, result_schema(), jsonschema.Draft202012Validator)
    assert sum(suite.tests for suite in JUnitXml.fromfile(str(folder / "junit.xml"))) > 10
    metrics = (folder / "metrics.txt").read_text()
    assert [*text_string_to_metric_families(metrics)]  # type: ignore[no-untyped-call] # it has no types
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}
    return result


def test_the_action_s_steps(tmp_path: Path, reference_api: str) -> None:
    """An undecided run passes with a warning if so configured; the next job gets it; no name is executed."""
    folder = tmp_path / HOSTILE
    spec = workspace(folder, reference_api, objectives='  availability: {silver: ">= 99.99%"}\n')
    (workflow,) = [block for block in snippets("yaml") if "jobs" in block]
    shown = workflow["jobs"]["slo"]["steps"][-1]["with"]
    assert shown["on-undecided"] == "warn"
    inputs = {**shown, "spec": spec.name, "options": "--seed\n7\n", "reports": "my runs"}
    inputs["max-regression"] = "10%"
    branch = {"GITHUB_HEAD_REF": HOSTILE, "GITHUB_REF_NAME": HOSTILE}
    runner = Runner(folder, tmp_path / "temporary", inputs, {**OFFLINE, **branch})
    runner.temporary.mkdir()
    installed = runner.run("Install slocheck")
    assert installed.returncode == 0, installed.stderr
    assert Path(runner.path[0], "slocheck").is_file()
    done = runner.run("Run slocheck")
    assert done.returncode == 0, done.stderr
    outputs = runner.outputs["run"]
    assert (outputs["verdict"], outputs["exit-code"], outputs["tier"]) == ("undecided", "3", "")
    assert "::warning::the run is undecided" in done.stdout
    (annotation,) = [line for line in done.stderr.splitlines() if line.startswith("::warning file=")]
    assert f",line={_line(spec, '99.99%')}," in annotation
    assert runner.summary.read_text() == (folder / outputs["summary"]).read_text() + "\n"
    published = runner.temporary / "slocheck-reports"
    assert {path.name for path in published.iterdir()} == {item.file_name for item in RUN_FILES.values()}
    assert check_reports(published)["verdict"] == "undecided"
    assert check_modes(folder / outputs["run"])
    assert "0 runs removed" in runner.run("Drop old runs").stdout
    _check_next_job(tmp_path / "next", folder / "my runs")
    assert not [*tmp_path.rglob("pwned")]


def _line(spec: Path, text: str) -> int:
    """Return the line of a spec that has this text."""
    (found,) = [number for number, line in enumerate(spec.read_text().splitlines(), 1) if text in line]
    return found


def check_modes(run: Path) -> bool:
    """Tell whether only the owner can read spec and evidence of a run, and its reports follow the umask."""
    private = {EVIDENCE_FILE, RECORDING_FILE, SPEC_FILE, LOG_FILE}
    modes = {path.name: path.stat().st_mode & 0o777 for path in run.iterdir()}
    return all(mode == (0o600 if name in private else 0o644) for name, mode in modes.items())


def _check_next_job(folder: Path, kept: Path) -> None:
    """Restore the runs on a fresh machine, as the cache does, and read them there in the other formats."""
    folder.mkdir()
    shutil.copytree(kept, folder / "reports")
    history = json.loads(slocheck("history", "--json", cwd=folder).stdout)
    assert HOSTILE in json.dumps(history, ensure_ascii=False)
    table = slocheck("report", "latest", "--format", "csv", cwd=folder)
    assert table.returncode == 0, table.stderr
    rows = [*csv.DictReader(io.StringIO(table.stdout))]
    result = json.loads((only_run(folder) / "result.json").read_text())
    window = sum(int(row["requests"]) for row in rows if row["phase"] == "window")
    assert window == result["run"]["requests"]
    histogram = slocheck("report", "latest", "--format", "hgrm", cwd=folder)
    successful = window - result["run"]["failed"] - result["run"]["unexpected"]
    assert re.search(rf"Total count    = +{successful}\]", histogram.stdout)


def test_gitlab_s_job(tmp_path: Path) -> None:
    """Its lines install slocheck and run it; a refused run fails the job and leaves no earlier report."""
    job = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text())[".slocheck"]
    folder = tmp_path / "checkout"
    spec = workspace(folder, "http://127.0.0.1:1", objectives='  latency_p50: {silver: "soon"}\n')
    published = folder / job["variables"]["SLOCHECK_PUBLISH"]
    published.mkdir()
    (published / "junit.xml").write_text("of an earlier job")
    (shown,) = [block["slo"] for block in snippets("yaml") if "slo" in block]
    variables = {
        **job["variables"],
        **shown["variables"],
        "SLOCHECK_SPEC": spec.name,
        "SLOCHECK_PACKAGE": str(ROOT),
    }
    environment = {**os.environ, **OFFLINE, **variables, "CI_COMMIT_REF_NAME": HOSTILE, "GITLAB_CI": "true"}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join([*job["before_script"], *job["script"]])],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert f"{spec.name}:6:" in done.stderr
    assert [*published.iterdir()] == []
    after = ["bash", "-c", "\n".join(job["after_script"])]
    subprocess.run(after, cwd=folder, env=environment, capture_output=True, check=True)
    assert not [*tmp_path.rglob("pwned")]
