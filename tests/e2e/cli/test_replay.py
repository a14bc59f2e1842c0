"""Archived runs: the same verdict again, another one under another spec, every format."""

import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from slocheck.reference_api.server import ReferenceApi
from tests.e2e.support.cli import EASY, only_run, result_of, slocheck, write_spec
from tests.support.ports import free_port
from tests.support.workflow import Runner


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one archived run; the API it was measured at is gone."""
    folder = tmp_path_factory.mktemp("archived")
    with ReferenceApi(port=free_port()) as api:  # which no other test is given meanwhile
        write_spec(folder, api.url, more="confidence: none\n")
        done = slocheck("run", cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", ["latest", "folder", "file"])
def test_grading_again_gives_the_same_verdict(archived: Path, name: str) -> None:
    """The evidence alone, without load, gives the same objectives and numbers."""
    run = only_run(archived)
    named = {"latest": "latest", "folder": str(run), "file": str(run / "evidence.json.gz")}[name]
    done = slocheck("grade", named, "--json", cwd=archived)
    assert done.returncode == 0, done.stderr
    assert result_of(done)["objectives"] == json.loads((run / "result.json").read_text())["objectives"]


def test_grading_against_another_spec_gives_another_verdict(archived: Path, tmp_path: Path) -> None:
    """A limit that no request keeps breaches the very same evidence."""
    spec = write_spec(
        tmp_path,
        "http://127.0.0.1:1",
        objectives=EASY + '  latency_p50: {silver: "< 1us"}\n',
        more="confidence: none\n",
    )
    done = slocheck("grade", "latest", "--spec", spec, "--json", cwd=archived)
    assert done.returncode == 1, done.stderr
    assert result_of(done)["verdict"] == "fail"


def test_grading_against_another_gate(archived: Path) -> None:
    """The gate is asked of the evidence and not part of it."""
    done = slocheck("grade", "latest", "--gate", "bronze", "--json", cwd=archived)
    assert result_of(done)["gate"] == "bronze"


def test_grading_changes_nothing_in_the_archive(archived: Path) -> None:
    """Reading changes nothing."""
    run = only_run(archived)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    slocheck("grade", "latest", cwd=archived)
    slocheck("report", "latest", "--format", "junit", cwd=archived)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_every_format_is_reported_again_as_it_was_written(archived: Path) -> None:
    """Each report derives from the evidence: the archived file and a new one are equal."""
    run = only_run(archived)
    for name, file in {
        "html": "report.html",
        "json": "result.json",
        "junit": "junit.xml",
        "markdown": "summary.md",
    }.items():
        done = slocheck("report", "latest", "--format", name, cwd=archived)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == (run / file).read_text().strip()


def test_a_report_goes_to_a_file(archived: Path, tmp_path: Path) -> None:
    """With -o nothing is printed and the file is whole."""
    done = slocheck("report", "latest", "--format", "junit", "-o", tmp_path / "junit.xml", cwd=archived)
    assert (done.returncode, done.stdout) == (0, "")
    assert ET.parse(tmp_path / "junit.xml").getroot().tag == "testsuites"


def test_a_report_file_that_cannot_be_written_exits_74(archived: Path, tmp_path: Path) -> None:
    """The path is named."""
    done = slocheck("report", "latest", "-o", tmp_path / "no" / "such" / "folder.html", cwd=archived)
    assert done.returncode == 74
    assert "folder.html" in done.stderr


@pytest.mark.parametrize("text", [pytest.param(None, id="gone"), pytest.param("tiers: [", id="damaged")])
def test_a_run_without_its_spec_is_refused_with_the_path(
    archived: Path, tmp_path: Path, text: str | None
) -> None:
    """No traceback; with another spec the run can still be graded."""
    shutil.copytree(only_run(archived), tmp_path / "run")
    (tmp_path / "run" / "slo.yaml").unlink()
    if text is not None:
        (tmp_path / "run" / "slo.yaml").write_text(text)
    done = slocheck("grade", "run", cwd=tmp_path)
    assert done.returncode == 2
    assert "run/slo.yaml: the spec that the run was made with cannot be read" in done.stderr
    again = slocheck("grade", "run", "--spec", archived / "slo.yaml", cwd=tmp_path)
    assert again.returncode == 0, again.stderr


def another_run(archived: Path, *flags: str) -> str:
    """Make one more run against an API at the old address; returns its name. The caller removes it."""
    before = {path.name for path in (archived / "reports").iterdir()}
    (url,) = re.findall(r"http://127.0.0.1:[0-9]+", (archived / "slo.yaml").read_text())
    with ReferenceApi(port=int(url.rpartition(":")[2])):
        assert slocheck("run", *flags, cwd=archived).returncode == 0
    (name,) = {path.name for path in (archived / "reports").iterdir() if path.is_dir()} - before
    return name


def test_several_runs_are_pooled(archived: Path, tmp_path: Path) -> None:
    """Three runs are graded as one sample, of any length; two, one named twice, or a copy are refused."""
    before = only_run(archived)
    names = [another_run(archived, "--duration", "4s") for _ in range(2)]
    done = slocheck("grade", before.name, names[0], "latest", "--json", cwd=archived)
    assert done.returncode == 0, done.stderr
    assert not [item for item in result_of(done)["warnings"] if item["code"] == "same-seed"]
    sure = write_spec(tmp_path, "http://127.0.0.1:1")
    two = slocheck("grade", before.name, "latest", "--spec", sure, cwd=archived)
    assert two.returncode == 2
    assert "2 runs cannot show how much runs differ" in two.stderr
    single = json.loads((before / "result.json").read_text())["run"]["requests"]
    assert result_of(done)["run"]["requests"] > single
    shutil.copytree(before, archived / "copy")
    for again in (before, archived / "copy"):
        twice = slocheck("grade", before.name, again, cwd=archived)
        assert twice.returncode == 2
        assert "twice" in twice.stderr
    for name in names:
        shutil.rmtree(archived / "reports" / name)


def test_runs_of_different_loads_are_not_pooled(archived: Path) -> None:
    """A light run cannot lend its requests to a heavy one: exit 2, and what differs."""
    before = only_run(archived)
    name = another_run(archived, "--users", "2")
    done = slocheck("grade", before.name, name, cwd=archived)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{name} and {before.name} did not measure the same thing" in done.stderr
    assert "workload.users" in done.stderr
    shutil.rmtree(archived / "reports" / name)


BEFORE = 5
"""Earlier runs that a baseline needs to prove anything."""


def _job(folder: Path, number: int) -> Runner:
    """Return the runner of a job of the action, which compares with earlier runs and keeps two."""
    (folder / "temporary").mkdir(parents=True)
    inputs = {"max-regression": "10%", "keep": "2"}
    job = {"github.run_id": str(number), "github.run_attempt": "1"}
    runner = Runner(folder, folder / "temporary", inputs, {}, job)
    assert runner.run("Name the cache of runs").returncode == 0
    return runner


def _with_earlier_runs(archived: Path, store: Path, folder: Path) -> Path:
    """Keep the archived run as a job does, and its result as that of four runs before; returns its name."""
    shutil.copytree(archived, folder)
    run = only_run(folder)
    document = json.loads((run / "result.json").read_text())
    for number in range(1, BEFORE):
        earlier = folder / "reports" / f"20200101T00000{number}Z-000000"
        earlier.mkdir()
        document["run"]["id"] = earlier.name
        (earlier / "result.json").write_text(json.dumps(document))
    _job(folder, 1).cached("Keep the run for later comparisons", store)
    return Path("reports", run.name)


def test_a_slow_target_fails_by_its_baseline_alone(archived: Path, tmp_path: Path) -> None:
    """On a fresh runner with the runs of earlier jobs: all SLOs are met, and each run before was faster.

    The pages and lists say so, too, and the next job has this run as well.
    """
    store, fresh = tmp_path / "store", tmp_path / "fresh"
    first = _with_earlier_runs(archived, store, tmp_path / "before")
    runner = _job(fresh, 2)
    for name in ("slo.yaml", "scenario.py"):
        shutil.copy(archived / name, fresh)
    runner.cached("Restore earlier runs", store)
    port = int(re.findall(r"127\.0\.0\.1:(\d+)", (fresh / "slo.yaml").read_text())[0])
    with ReferenceApi(port=port, delays_ms=[150]):
        done = runner.run("Run slocheck")
    assert done.returncode == 1, done.stdout + done.stderr
    assert (runner.outputs["run"]["verdict"], runner.outputs["run"]["tier"]) == ("fail", "silver")
    assert "::error file=slo.yaml,line=" in done.stderr
    _check_what_is_said(fresh, first, done.stdout)
    assert runner.run("Drop old runs").returncode == 0
    kept = sorted(path.relative_to(fresh) for path in (fresh / "reports").iterdir())
    assert kept == [first, Path(runner.outputs["run"]["run"])]
    runner.cached("Keep the run for later comparisons", store)
    after = _job(tmp_path / "after", 3)
    after.cached("Restore earlier runs", store)
    listed = slocheck("list", "--json", cwd=after.workspace)
    assert [run["verdict"] for run in json.loads(listed.stdout)["runs"]] == ["pass", "fail"]


def _check_what_is_said(tmp_path: Path, first: Path, summary: str) -> None:
    """Check what each output says about a run that is worse than those before it."""
    assert "Worse than in 5 earlier runs: latency_p95" in " ".join(summary.split())
    new = max((tmp_path / "reports").iterdir())
    result = json.loads((new / "result.json").read_text())
    assert (result["verdict"], result["exit_code"], result["tier"]) == ("fail", 1, "silver")
    assert {item["verdict"] for item in result["objectives"]} == {"met"}
    assert (result["comparison"]["gates"], len(result["comparison"]["runs"])) == (True, BEFORE)
    for name in ("report.html", "summary.md", "junit.xml"):
        assert "10% is allowed" in re.sub(r"\s+", " ", (new / name).read_text().replace("\\", "")), name
    again = slocheck("report", "latest", "--format", "json", cwd=tmp_path)
    assert again.stdout == (new / "result.json").read_text()
    assert slocheck("grade", "latest", cwd=tmp_path).returncode == 1
    assert slocheck("run", "--dry-run", "--baseline", first, cwd=tmp_path).returncode == 0
    as_gitlab_says = {"SLOCHECK_BASELINE": str(first), "SLOCHECK_MAX_REGRESSION": "10%"}
    refused = slocheck("run", "--users", "7", cwd=tmp_path, environment=as_gitlab_says)
    assert refused.returncode == 2
    assert "a load of 5 users, not 7 users" in refused.stderr
    listed = json.loads(slocheck("list", "--json", cwd=tmp_path).stdout)
    assert [run["verdict"] for run in listed["runs"]] == ["pass"] * BEFORE + ["fail"]
    assert "! latency_p95" in slocheck("history", "shop-api", cwd=tmp_path).stdout
    page = slocheck("compare", first, new, "--format", "html", cwd=tmp_path)
    assert page.returncode == 0, page.stderr
    assert "Latency by percentile" in page.stdout
    assert slocheck("compare", "reports", new, cwd=tmp_path).returncode == 1
