"""The files for CI systems, as far as they can be checked without those systems."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from slocheck.assets import asset
from slocheck.reporters import RUN_FILES
from tests.e2e.support.cli import write_spec
from tests.support.workflow import OWN, ROOT, Runner, action, snippets

GITLAB = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text())[".slocheck"]
JENKINS = (ROOT / "ci" / "Jenkinsfile").read_text()
CONTAINER = (ROOT / "Containerfile").read_text().replace("\\\n", " ").splitlines()
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
HOSTILE = "'; touch pwned; \" $(touch pwned) `touch pwned` ${{ github.token }} \n--gate=x"


def steps(kind: str) -> list[dict[str, Any]]:
    """Return the steps of the action that have a script (`run`), or use another action (`uses`)."""
    return [step for step in action()["runs"]["steps"] if kind in step]


@pytest.mark.parametrize("step", steps("run"), ids=lambda step: step["name"])
def test_nothing_is_interpolated_into_a_script(step: dict[str, Any]) -> None:
    """A script does not depend on the inputs, and names its shell, as a composite action has to."""
    assert "${{" not in step["run"]
    assert step["shell"] == "bash"
    subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)


def test_the_action_s_inputs_and_outputs_are_used_and_there() -> None:
    """Each input reaches a step, each output comes from one, and each expression names what exists."""
    text = (ROOT / "action.yml").read_text()
    inputs, ids = action()["inputs"], {step.get("id") for step in action()["runs"]["steps"]}
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(inputs)
    assert set(re.findall(r"steps\.([a-z]+)\.", text)) == ids - {None}
    assert all(item["description"] and "default" in item for item in inputs.values())
    written = {"verdict", "exit-code", "tier", "gate", "run", "report", "summary"}
    assert {item["value"] for item in action()["outputs"].values()} <= {
        f"${{{{ steps.run.outputs.{name} }}}}" for name in written
    }


def test_runs_are_restored_before_and_kept_after_whatever_the_verdict() -> None:
    """A fresh runner gets the earlier runs, and a failed gate is part of the history."""
    names = [step["name"] for step in action()["runs"]["steps"]]
    restore, save, upload = steps("uses")
    assert names.index(restore["name"]) < names.index("Run slocheck") < names.index(save["name"])
    assert [step["uses"].partition("@")[0] for step in (restore, save, upload)] == [
        "actions/cache/restore",
        "actions/cache/save",
        "actions/upload-artifact",
    ]
    assert restore["with"]["key"] == save["with"]["key"]
    assert save["with"]["key"].startswith(restore["with"]["restore-keys"])
    assert restore["with"]["path"] == save["with"]["path"] == "${{ inputs.reports }}"
    for step in (save, upload):
        assert step["if"] == "always() && steps.run.outputs.run != ''"


@pytest.mark.parametrize("text", ["slo.yaml", HOSTILE, ""])
def test_the_cache_has_a_name_that_github_takes(tmp_path: Path, text: str) -> None:
    """Whatever the spec is called, the key has no comma and no line end, and two specs have two keys."""
    runner = Runner(tmp_path, tmp_path, {"spec": text}, {})
    assert runner.run("Name the cache of runs").returncode == 0
    assert re.fullmatch("slocheck-[0-9a-f]{16}-", runner.outputs["cache"]["prefix"])
    other = Runner(tmp_path, tmp_path, {"spec": text + "x"}, {})
    other.run("Name the cache of runs")
    assert other.outputs["cache"] != runner.outputs["cache"]
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        pytest.param({"on-undecided": HOSTILE}, "on-undecided: write fail or warn", id="on-undecided"),
        pytest.param({"spec": "--version"}, "slocheck: --version: ", id="a spec that looks like an option"),
        pytest.param(
            {"gate": HOSTILE, "reports": "--$(touch pwned)"}, "--gate: unknown tier", id="a hostile gate"
        ),
        pytest.param({"options": "--no-such $(touch pwned)\n;"}, "--no-such", id="options"),
    ],
)
def test_inputs_are_words_and_nothing_else(tmp_path: Path, inputs: dict[str, str], said: str) -> None:
    """An impossible input is refused with exit code 2 and its name; nothing in it is executed."""
    write_spec(tmp_path, "http://127.0.0.1:1")
    runner = Runner(tmp_path, tmp_path, inputs, {})
    done = runner.run("Run slocheck")
    assert done.returncode == 2, done.stderr
    assert said in done.stdout + done.stderr
    assert runner.outputs["run"] == {}
    assert not [*tmp_path.rglob("pwned")]


def test_only_an_undecided_run_may_pass_with_a_warning(tmp_path: Path) -> None:
    """An unreachable target fails the step with its own code, and no output claims that there was a run."""
    write_spec(tmp_path, "http://127.0.0.1:1")
    runner = Runner(tmp_path, tmp_path, {"on-undecided": "warn"}, {})
    done = runner.run("Run slocheck")
    assert done.returncode == 4, done.stderr
    assert "::warning::" not in done.stdout
    assert "::error title=slocheck::" in done.stderr
    assert runner.outputs["run"] == {}


def test_gitlab_collects_what_is_published_and_caches_the_runs() -> None:
    """The artifacts are the files that a run leaves under fixed names, whatever the verdict."""
    published = GITLAB["variables"]["SLOCHECK_PUBLISH"]
    files = {f"{published}/{item.file_name}" for item in RUN_FILES.values()}
    assert set(GITLAB["artifacts"]["reports"].values()) <= files
    assert GITLAB["artifacts"]["paths"] == [f"{published}/"]
    assert GITLAB["artifacts"]["when"] == GITLAB["cache"]["when"] == "always"
    assert GITLAB["cache"]["paths"] == ["reports/"]
    assert not re.search(r"\$\[\[|\$\{\{", json.dumps(GITLAB))


def test_the_pre_commit_hook_validates_each_file(tmp_path: Path) -> None:
    """All files are checked, a wrong one fails the hook, and no part of a file's name is executed."""
    good, bad = "slo.yaml", "-api $(touch pwned)/slo.yml"
    (tmp_path / "-api $(touch pwned)").mkdir()
    (tmp_path / good).write_text(asset("slo.yaml").read_text())
    (tmp_path / "scenarios").mkdir()
    shutil.copy(asset("browse.yaml"), tmp_path / "scenarios")
    (tmp_path / bad).write_text("service: [")
    for name in (good, bad, "a/b/slo.yaml"):
        assert re.search(HOOK["files"], name)
    for name in ("oslo.yaml", "slo.yaml.bak", "slo/x.yaml"):
        assert not re.search(HOOK["files"], name)
    environment = {**os.environ, "PATH": f"{OWN}:{os.environ['PATH']}"}
    done = subprocess.run(
        [*shlex.split(HOOK["entry"]), bad, good],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert f"{bad}:1:" in done.stderr
    assert "shop" in done.stdout
    assert not [*tmp_path.rglob("pwned")]


def test_the_container_runs_as_no_root_and_hands_signals_on() -> None:
    """Exec form under an init, a numeric user, and only what the package needs is copied into the image."""
    last = [line.split(None, 1) for line in CONTAINER if line and not line.startswith("#")]
    said = {word: text for word, text in last if word in {"USER", "ENTRYPOINT", "CMD"}}
    user, group = said["USER"].split(":")
    assert int(user) > 0 < int(group)
    assert json.loads(said["ENTRYPOINT"]) == ["/usr/bin/tini", "--", "slocheck"]
    assert json.loads(said["CMD"]) == ["--help"]
    assert [word for word, _ in last][-4:] == ["USER", "WORKDIR", "ENTRYPOINT", "CMD"]
    copied = {
        name for word, text in last if word == "COPY" for name in text.split()[:-1] if name[0] not in "-/"
    }
    assert all((ROOT / name).exists() for name in copied)
    assert "ADD" not in {word for word, _ in last}
    assert {"slocheck", "scenarios", "slo.yaml", "pyproject.toml", "LICENSE", "README.md"} <= copied


def test_the_container_s_files_are_all_that_the_package_needs(tmp_path: Path) -> None:
    """The package is built from what the container file copies, and from nothing else."""
    copies = [line.split()[1:] for line in CONTAINER if line.startswith("COPY") and "--from" not in line]
    for *names, target in copies:
        for name in names:
            place = tmp_path / target.removeprefix("/source/")
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, place)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "slocheck/templates/slo.yaml" in archive.namelist()


def test_the_jenkins_pipeline_is_one() -> None:
    """Its brackets match, no script is interpolated by Groovy, and what it collects is what is published."""
    assert JENKINS.count("{") == JENKINS.count("}")
    assert '"""' not in JENKINS
    scripts = re.findall(r"'''(.*?)'''", JENKINS, re.DOTALL)
    assert len(scripts) == JENKINS.count("'''") / 2 == 2
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    (published,) = re.findall(r"SLOCHECK_PUBLISH = '([^']+)'", JENKINS)
    assert f"junit testResults: '{published}/junit.xml'" in JENKINS
    assert f"archiveArtifacts artifacts: 'reports/**, {published}/**'" in JENKINS
    assert "copyArtifacts" in JENKINS.partition("SLO gate")[0]
    assert f"rm -rf {published}" in scripts[0]


def test_the_page_s_snippets_fit_the_files() -> None:
    """What users copy from docs/ci.md names inputs, jobs, variables and hooks that exist."""
    shown = snippets("yaml")
    (workflow,) = [block for block in shown if "jobs" in block]
    step = workflow["jobs"]["slo"]["steps"][-1]
    assert set(step["with"]) <= set(action()["inputs"])
    assert workflow["permissions"]["pull-requests"] == "write"
    (gitlab,) = [block for block in shown if "slo" in block]
    assert gitlab["slo"]["extends"] == ".slocheck"
    assert gitlab["include"] == {"local": "ci/gitlab.yml"}
    head = (ROOT / "ci" / "gitlab.yml").read_text().partition("#\n")[2].partition(".slocheck:")[0]
    assert yaml.safe_load(re.sub("(?m)^#", "", head)) == gitlab
    (hooks,) = [block for block in shown if "repos" in block]
    assert hooks["repos"][0]["hooks"] == [{"id": HOOK["id"]}]
    outputs = set(re.findall(r"steps\.slo\.outputs\.([a-z-]+)", (ROOT / "docs" / "ci.md").read_text()))
    assert outputs <= set(action()["outputs"])
