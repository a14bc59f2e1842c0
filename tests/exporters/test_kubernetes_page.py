"""docs/distributed/kubernetes.md, all of its shell lines in order, with fakes of docker and kubectl."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from slocheck.assets import asset

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "distributed" / "kubernetes.md"
BLOCK = re.compile(r"^```(?:console|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
DOCKER = """\
    #!/bin/sh
    echo "docker $*" >> calls
    """
KUBECTL = f"""\
    #!{sys.executable}
    # as kubectl behaves where the coordinator's job ends as $ENDS says: a wait for the other condition blocks
    import os, sys, time
    words = sys.argv[1:]
    with open("calls", "a") as calls:
        calls.write("kubectl " + " ".join(words) + "\\n")
    if words[0] == "wait" and "--for=condition=" + os.environ["ENDS"] not in words:
        time.sleep(300)
    for word in words:
        name, _, path = word.partition("--from-file=")
        if path and not os.path.exists(path):
            sys.exit("no file " + path)
    if words[0] == "logs":
        print('{{"verdict": "fail"}}')
    if words[:2] == ["get", "pods"]:
        print("the-pod", end="")
    if words[:2] == ["get", "pod"]:
        print(os.environ["CODE"], end="")
    """


@pytest.mark.parametrize(
    ("ends", "code", "exit_code"),
    [
        pytest.param("complete", "0", 0, id="met"),
        pytest.param("failed", "1", 1, id="breached"),
        pytest.param("failed", "", 4, id="ended by the deadline"),
    ],
)
def test_the_page_works_as_it_is_written(tmp_path: Path, ends: str, code: str, exit_code: int) -> None:
    """The commands work in order; the script ends however the job ended, with the verdict's code."""
    commands = tmp_path / "commands"
    commands.mkdir()
    slocheck = f'#!/bin/sh\nexec {sys.executable} -m slocheck "$@"\n'
    for name, text in (("docker", DOCKER), ("kubectl", KUBECTL), ("slocheck", slocheck)):
        (commands / name).write_text(textwrap.dedent(text))
        (commands / name).chmod(0o755)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "slo.yaml").write_bytes(asset("slo.yaml").read_bytes())
    (tmp_path / "scenarios" / "browse.yaml").write_bytes(asset("browse.yaml").read_bytes())
    *before, script, after = BLOCK.findall(PAGE.read_text())
    environment = {
        **os.environ,
        "PATH": f"{commands}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "SHOP_TOKEN": "canary-31415",
        "ENDS": ends,
        "CODE": code,
    }

    def run(text: str) -> int:
        done = subprocess.run(
            ["bash", "-eu", "-c", text], cwd=tmp_path, env=environment, timeout=120, check=False
        )
        return done.returncode

    assert run("\n".join(before)) == 0
    assert run(script) == exit_code
    assert run(after) == 0
    made = list(yaml.safe_load_all((tmp_path / "slocheck.yaml").read_text()))
    jobs = [each["metadata"]["name"] for each in made if each["kind"] == "Job"]
    calls = (tmp_path / "calls").read_text().splitlines()
    assert f"kubectl delete job {' '.join(jobs)}" in calls
    secrets = {line.split()[4] for line in calls if line.startswith("kubectl create secret")}
    mounted = {
        volume["secret"]["secretName"]
        for each in made
        if each["kind"] == "Job"
        for volume in each["spec"]["template"]["spec"]["volumes"]
        if "secret" in volume
    }
    assert mounted <= secrets
    assert (tmp_path / "slocheck.log").read_text() == '{"verdict": "fail"}\n'
