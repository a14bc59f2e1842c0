"""The load generators, each run on one core for some seconds; the figures are what the tool reports."""

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from slocheck.evidence.histogram import merge, quantile_bounds
from slocheck.evidence.recording import Recording
from slocheck.pipeline.archive import load_evidence
from tests.benchmarks.throughput.cases import (
    K6,
    K6_BODIES,
    K6_ZIPF,
    LOCUST_FILE,
    PRODUCT,
    SCENARIOS,
    SPEC,
    VUS,
    Figures,
    Job,
)
from tests.benchmarks.throughput.machine import Ran, run

WARMUP_S = 2
MEMORY_AT_S = 10


def _run(job: Job, command: Sequence[str]) -> Ran:
    return run(command, core=job.core, folder=job.folder, server=job.server)


def _slocheck(job: Job, scenario: str) -> Figures:
    """Run the command line, reports included; the figures are those of the window that it recorded."""
    load = f"rate: {job.rate}/s" if job.rate else f"users: {VUS}"
    spec = SPEC.format(
        url=job.url, ca=job.ca, scenario=scenario, load=load, warmup=WARMUP_S, seconds=job.seconds
    )
    (job.folder / "slo.yaml").write_text(spec)
    reports = job.folder / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    ran = _run(job, [sys.executable, "-m", "slocheck", "run", "--quiet", "--json"])
    runs = list(reports.glob("*/evidence.json.gz"))
    if len(runs) != 1:
        raise RuntimeError(ran.output)
    evidence = load_evidence(runs[0].parent)
    recording = evidence.recording
    sent, failed, histogram = _window(recording)
    if failed or recording.window_s != job.seconds:
        raise RuntimeError(f"{failed} requests failed\n{ran.output}")
    rate = sent / recording.window_s
    p50, p99 = (quantile_bounds(histogram, Fraction(q))[1] / 1e6 for q in ("0.5", "0.99"))
    begin = datetime.fromisoformat(evidence.provenance.started).timestamp() + WARMUP_S
    used = ran.cores_used(begin, begin + job.seconds)
    return Figures(rate, used / rate * 1e6, p50, p99, _memory(ran, begin, job), ran.others)


def _window(recording: Recording) -> tuple[int, int, dict[int, int]]:
    """Return the requests of the window, the failed among them, and the histogram."""
    window = range(recording.warmup_s, recording.warmup_s + recording.window_s)
    slices = [part for item in recording.endpoints for part in item.slices if part.second in window]
    sent, failed = (sum(getattr(part, name) for part in slices) for name in ("sent", "failed"))
    return sent, failed, merge(part.latencies for part in slices)


def _memory(ran: Ran, begin: float, job: Job) -> tuple[float, float]:
    return ran.memory_mb(begin + MEMORY_AT_S), ran.memory_mb(begin + job.seconds)


def _figures(job: Job, ran: Ran, count: float, latency: tuple[float, float] = (0.0, 0.0)) -> Figures:
    """Return the figures of a tool that sends until shortly before its end.

    Its processor time is that of the middle of the run: neither its start nor its summary is in it.
    """
    rate, begin = count / job.seconds, ran.ended - job.seconds
    used = ran.cores_used(begin + 0.2 * job.seconds, begin + 0.8 * job.seconds)
    return Figures(rate, used / rate * 1e6, *latency, _memory(ran, begin, job), ran.others)


def declarative(job: Job) -> Figures:
    """Run slocheck with a declarative scenario."""
    (job.folder / "scenario.yaml").write_text(SCENARIOS[job.case])
    return _slocheck(job, "scenario.yaml")


def lean_user(job: Job) -> Figures:
    """Run slocheck with a Locust file that uses `LeanHttpUser`."""
    text = LOCUST_FILE.format(import_="from slocheck.users import LeanHttpUser as Base", path=PRODUCT)
    (job.folder / "lean.py").write_text(text)
    return _slocheck(job, "lean.py")


def _locust(job: Job, base: str) -> Figures:
    text = LOCUST_FILE.format(import_=f"from locust import {base} as Base", path=PRODUCT)
    (job.folder / "file.py").write_text(text)
    command = f"-m locust -f file.py --headless -u {VUS} -r {VUS} -t {job.seconds}s --json --loglevel ERROR"
    ran = _run(job, [sys.executable, *command.split(), "--host", job.url])
    entry = json.loads(ran.output[ran.output.index("[") : ran.output.rindex("]") + 1])[0]
    lasted = entry["last_request_timestamp"] - entry["start_time"]
    return _figures(job, ran, entry["num_requests"] / lasted * job.seconds)


def fast_user(job: Job) -> Figures:
    """Run plain Locust with FastHttpUser."""
    return _locust(job, "FastHttpUser")


def http_user(job: Job) -> Figures:
    """Run plain Locust with HttpUser."""
    return _locust(job, "HttpUser")


def _k6_load(job: Job) -> str:
    if job.rate is None:
        return f"{{ executor: 'constant-vus', vus: {VUS}, duration: '{job.seconds}s' }}"
    paced = f"executor: 'constant-arrival-rate', rate: {job.rate}, timeUnit: '1s', preAllocatedVUs: 200"
    return f"{{ {paced}, duration: '{job.seconds}s' }}"


def _summary(job: Job, command: Sequence[str]) -> Figures:
    """Run k6 or k9 and read the summary that both write in the same form; times are milliseconds."""
    path = job.folder / "summary.json"
    path.unlink(missing_ok=True)
    ran = _run(job, [*command, "--summary-export", str(path)])
    if not path.exists():
        raise RuntimeError(ran.output)
    metrics = json.loads(path.read_text())["metrics"]
    trend = metrics["http_req_duration"]
    return _figures(job, ran, metrics["http_reqs"]["count"], (trend["med"], trend["p(99)"]))


def k6(job: Job) -> Figures:
    """Run k6."""
    body = K6_BODIES[job.case].format(url=job.url)
    setup = K6_ZIPF if job.case == "zipf" else ""
    (job.folder / "script.js").write_text(K6.format(load=_k6_load(job), setup=setup, body=body))
    return _summary(job, [_program("k6"), "run", "--quiet", "script.js"])


def k9(job: Job) -> Figures:
    """Run k9-load with a plan in YAML, which is its fastest way."""
    load = f"vus: {VUS}, duration: {job.seconds}s"
    if job.rate is not None:
        load = f"scenarios: {{load: {_k6_load(job)}}}".replace("'", "")
    (job.folder / "plan.yaml").write_text(
        f"options: {{{load}, summaryTrendStats: [med, 'p(99)']}}\n"
        f'flows: {{default: [{{request: {{url: "{job.url}{PRODUCT}"}}}}]}}\n'
    )
    return _summary(job, [_program("k9"), "run", "plan.yaml"])


def _program(name: str) -> str:
    """Return a program of this environment, or else one on the path."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name) or name


def wrk(job: Job) -> Figures:
    """Run wrk."""
    ran = _run(job, ["wrk", "-t1", f"-c{VUS}", f"-d{job.seconds}s", "--latency", f"{job.url}{PRODUCT}"])
    return _figures(job, ran, int(_found(r"(\d+) requests in", ran.output)))


def hey(job: Job) -> Figures:
    """Run hey; its ``-q`` paces each connection by itself, which is not an open model."""
    paced = ["-q", str(job.rate // VUS)] if job.rate else []
    ran = _run(
        job, ["hey", "-z", f"{job.seconds}s", "-c", str(VUS), *paced, "-cpus", "1", f"{job.url}{PRODUCT}"]
    )
    rate = float(_found(r"Requests/sec:\s+([\d.]+)", ran.output))
    p50, p99 = (float(_found(rf"{share}% in ([\d.]+) secs", ran.output)) * 1000 for share in (50, 99))
    return _figures(job, ran, rate * job.seconds, (p50, p99))


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(text)
    return match[1]


SLOCHECK, LEAN, FAST, K6_TOOL, K9, WRK = (
    "slocheck, declarative",
    "slocheck, LeanHttpUser",
    "Locust, FastHttpUser",
    "k6",
    "k9-load",
    "wrk",
)
TOOLS: Mapping[str, Callable[[Job], Figures]] = {
    SLOCHECK: declarative,
    LEAN: lean_user,
    FAST: fast_user,
    "Locust, HttpUser": http_user,
    K6_TOOL: k6,
    K9: k9,
    "hey": hey,
    WRK: wrk,
}
NEEDED = {K6_TOOL: "k6", K9: "k9", "hey": "hey", "wrk": "wrk"}
CASES: Mapping[str, Sequence[str]] = {
    "get": list(TOOLS),
    "zipf": [SLOCHECK, K6_TOOL],
    "post": [SLOCHECK, K6_TOOL],
    "tls": [SLOCHECK, LEAN, FAST, K6_TOOL, "wrk"],
}
PACED = [SLOCHECK, LEAN, K6_TOOL, K9, "hey"]
LASTING = [SLOCHECK, LEAN, FAST, K6_TOOL, K9]


def there(tool: str) -> bool:
    """Tell whether a tool is installed."""
    name = NEEDED.get(tool)
    return name is None or shutil.which(_program(name)) is not None
