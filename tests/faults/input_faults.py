"""Hostile specs and archives; the control is a YAML reader used as in most programs."""

import gzip
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from slocheck.errors import UsageError
from slocheck.grading.assessment import Outcome
from slocheck.pipeline.archive import EVIDENCE_FILE, Archive, load_evidence
from tests.builders.reports import report
from tests.e2e.support.cli import slocheck, write_spec
from tests.faults.catalogue import Fault, Seen, words_of

READ = "import sys, yaml; yaml.load(open(sys.argv[1], 'rb'), Loader=yaml.CSafeLoader)"
LONGEST_S = 120
BOMB = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]\n" for n in range(9))
WORKLOAD = "users: 5, duration: 10s"


def _instead(old: str, new: str, encoding: str = "utf-8") -> Callable[[str], bytes]:
    """Return a change of a good spec, which has to have what is replaced."""

    def make(good: str) -> bytes:
        assert old in good
        return good.replace(old, new).encode(encoding)

    return make


SPECS: dict[str, Callable[[str], bytes]] = {
    "200,000 brackets": lambda _: b"[" * 200_000,
    "a list of 1 MB": lambda good: good.encode() + b"more: [" + b"1, " * 350_000 + b"1]\n",
    "anchors that multiply": lambda good: (BOMB + good).encode(),
    "a key twice": lambda good: (good + "gate: bronze\n").encode(),
    "an object of Python": lambda good: (good + "x: !!python/object/apply:os.abort []\n").encode(),
    "a number of 5,000 digits": _instead("users: 5", f"users: {'9' * 5000}"),
    "infinity": _instead("users: 5", "users: .inf"),
    "a date that does not exist": lambda good: (good + "x: 2024-02-31\n").encode(),
    "1:30 for a duration": _instead("duration: 10s", "duration: 1:30"),
    "not UTF-8": _instead("shop-api", "caf\xe9", "latin-1"),
    "control characters": _instead("shop-api", '"\\e[2J"'),
    "nothing": lambda _: b"",
}


def _written(folder: Path, make: Callable[[str], bytes]) -> Path:
    spec = write_spec(folder, "http://127.0.0.1:1", workload=WORKLOAD)
    spec.write_bytes(make(spec.read_text()))
    return spec


def _spec(make: Callable[[str], bytes], folder: Path) -> Seen:
    _written(folder, make)
    done = slocheck("run", cwd=folder, timeout=LONGEST_S)
    return Seen(done.returncode, words_of(done), "a traceback" if "Traceback" in done.stderr else "")


def _plain_yaml(make: Callable[[str], bytes], folder: Path) -> Seen:
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", READ, _written(folder, make)],
        capture_output=True, text=True, timeout=LONGEST_S, check=False,
    )  # fmt: skip
    raised = re.findall(r"^[\w.]*Error.*", done.stderr, re.MULTILINE)
    took = f"{time.monotonic() - begun:.1f} s"
    return Seen(done.returncode, raised[-1] if raised else f"read in {took}" if not done.returncode else took)


def _archived(folder: Path) -> Path:
    """Return the evidence of an archived run that passes."""
    found = report(Outcome.PASS)
    (folder / "reports").mkdir()
    made = Archive(folder / "reports").create(datetime(2026, 1, 2, tzinfo=UTC))
    made.save_evidence(found.evidence, found.spec.text)
    made.close()
    return made.path / EVIDENCE_FILE


def _flipped(folder: Path) -> Seen:
    """Flip one bit, at 100 places."""
    path, draw, read = _archived(folder), random.Random(1), 0
    data = path.read_bytes()
    for _ in range(100):
        place = draw.randrange(len(data) * 8)
        path.write_bytes(
            data[: place // 8] + bytes([data[place // 8] ^ 1 << place % 8]) + data[place // 8 + 1 :]
        )
        try:
            load_evidence(path.parent)
            read += 1
        except UsageError:
            pass
    done = slocheck("grade", "latest", cwd=folder)
    wrong = f"{read} of 100 were read" if read else ""
    return Seen(done.returncode, f"refused 100 of 100: {words_of(done)}".replace(str(folder), "."), wrong)


def _expanding(folder: Path) -> Seen:
    """2 GiB of zeros in 2 MB."""
    path = _archived(folder)
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(128):
            file.write(bytes(1 << 24))
    done = slocheck("grade", "latest", cwd=folder, timeout=LONGEST_S)
    return Seen(done.returncode, words_of(done).replace(str(folder), "."))


def _forged(folder: Path) -> Seen:
    """A verdict that is edited in the reports is not what is graded."""
    path = _archived(folder)
    forged = path.with_name("result.json")
    forged.write_text(json.dumps({"verdict": "fail", "exit_code": 1}))
    done = slocheck("grade", "latest", "--json", cwd=folder)
    return Seen(done.returncode, words_of(done))


FAULTS = (
    *(
        Fault(f"spec: {name}", (2,), partial(_spec, make), partial(_plain_yaml, make))
        for name, make in SPECS.items()
    ),
    Fault("archive: one bit turned over, 100 times", (2,), _flipped),
    Fault("archive: 2 GiB of zeros, compressed", (2,), _expanding),
    Fault("archive: a forged result.json beside the evidence", (0,), _forged),
)
