"""Runs the steps of the composite action as a runner of GitHub does, and reads the snippets of docs/ci.md."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OWN = str(Path(sys.executable).parent)
"""Where the command of this installation is."""

_EXPRESSION = re.compile(r"\$\{\{ ([a-z_.-]+) \}\}")


def action() -> dict[str, Any]:
    """Return action.yml."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return document


def snippets(language: str) -> list[Any]:
    """Return what docs/ci.md shows in blocks of a language: YAML as values, the rest as text."""
    page = (ROOT / "docs" / "ci.md").read_text()
    blocks = re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [yaml.safe_load(block) if language == "yaml" else block for block in blocks]


def heredocs(text: str) -> dict[str, str]:
    """Return outputs as a runner reads them: ``name=value``, or lines up to a delimiter."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, heredoc, delimiter = line.partition("<<")
        if heredoc and "=" not in name:
            found[name] = "\n".join(takewhile(delimiter.__ne__, lines))
        else:
            name, _, value = line.partition("=")
            found[name] = value
    return found


@dataclass
class Runner:
    """A workspace, a temporary folder and the files that a runner gives to each step.

    Attributes:
        workspace: Where the steps run.
        temporary: RUNNER_TEMP.
        inputs: Of the action; the rest has its defaults.
        environment: Of the job.
        context: What other expressions stand for.
        outputs: By step.
        path: Folders that steps added to the PATH.
    """

    workspace: Path
    temporary: Path
    inputs: Mapping[str, str]
    environment: Mapping[str, str]
    context: Mapping[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)

    @property
    def summary(self) -> Path:
        """The file of the steps' summaries."""
        return self.temporary / "summary"

    def value(self, expression: str) -> str:
        """Return what an expression stands for."""
        kind, *names = expression.split(".")
        if kind == "inputs":
            return self.inputs.get(names[0], action()["inputs"][names[0]]["default"])
        if kind == "steps":
            return self.outputs[names[0]].get(names[2], "")
        return {"github.action_path": str(ROOT), **self.context}[expression]

    def cached(self, name: str, store: Path) -> None:
        """Do what the step of that name asks of actions/cache, which keeps a folder for each key in `store`.

        Restored is what has the key, or else the newest of those whose key begins with the restore key.
        """
        (step,) = [step for step in action()["runs"]["steps"] if step["name"] == name]
        given = {key: self._filled_in(text) for key, text in step["with"].items()}
        folder, kept = self.workspace / given["path"], store / given["key"]
        if step["uses"].startswith("actions/cache/save@"):
            shutil.copytree(folder, kept)
            return
        assert step["uses"].startswith("actions/cache/restore@"), step
        others = sorted(store.glob(f"{given['restore-keys']}*"), key=lambda each: each.stat().st_mtime_ns)
        for found in [kept] if kept.exists() else others[-1:]:
            shutil.copytree(found, folder, dirs_exist_ok=True)

    def _filled_in(self, text: str) -> str:
        return _EXPRESSION.sub(lambda found: self.value(found[1]), text)

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run the script of the step of that name, as ``shell: bash`` does."""
        (step,) = [step for step in action()["runs"]["steps"] if step["name"] == name]
        script, output, added = (self.temporary / part for part in ("script.sh", "output", "path"))
        script.write_text(step["run"])
        output.write_text("")
        added.write_text("")
        given = {name: self._filled_in(text) for name, text in step["env"].items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script],
            cwd=self.workspace,
            env={
                **os.environ,
                **self.environment,
                **given,
                "PATH": ":".join([*self.path, OWN, os.environ["PATH"]]),
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(self.workspace),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_PATH": str(added),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "RUNNER_TEMP": str(self.temporary),
            },
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        self.path = [*added.read_text().splitlines(), *self.path]
        self.outputs[step.get("id", name)] = heredocs(output.read_text())
        return done
