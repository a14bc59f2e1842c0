"""The load generators, each run on one core for some seconds; what it says of itself is taken."""

import json
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from slocheck.archive import load_evidence
from slocheck.evidence.histogram import merge, quantile_bounds
from slocheck.evidence.recording import Recording

VUS = 50
GET = "flows: [{steps: [{get: /products/1}]}]\n"
ZIPF = """
feeders: {id: {zipf: {from: 1, to: 100000, exponent: 1.0}}}
flows: [{steps: [{get: "/products/{id}", headers: {X-Tenant: "t{id}"}, name: "GET /products/{id}"}]}]
"""
POST = """
feeders: {quantity: {random: {from: 1, to: 9}}}
flows:
  - steps:
      - post: /orders
        json: {sku: A-1, quantity: "{quantity}"}
        expect: {status: 200, header: {Content-Type: application/json}, json: {$.in_stock: true}}
        capture: {order: {json: $.id}}
"""
SCENARIOS = {"get": GET, "zipf": ZIPF, "post": POST, "tls": GET}
SPEC = """
service: bench
target: {{url: "{url}", tls: {{ca: "{ca}"}}}}
workload: {{scenario: {scenario}, {load}, warmup: 2s, duration: {seconds}s}}
tiers: [bronze]
objectives:
  latency_p99: {{bronze: "< 1s"}}
  latency_p95: {{bronze: "< 500ms"}}
  error_rate: {{bronze: "< 1%"}}
gate: bronze
"""
LOCUST_FILE = """
from locust import constant, task
{import_}


class User(Base):
    wait_time = constant(0)
    insecure = True

    def on_start(self):
        if hasattr(self.client, "verify"):
            self.client.verify = False

    @task
    def ask(self):
        self.client.get("/products/1", name="/products/1")
"""
K6 = """
import http from 'k6/http';
import {{ check }} from 'k6';
export const options = {{ insecureSkipTLSVerify: true, summaryTrendStats: ['med', 'p(99)'],
  scenarios: {{ load: {load} }} }};
const cdf = []; let sum = 0;
for (let i = 1; i <= 100000; i++) {{ sum += 1 / i; cdf.push(sum); }}
function zipf() {{ const u = Math.random() * sum; let a = 0, b = cdf.length - 1;
  while (a < b) {{ const m = (a + b) >> 1; if (cdf[m] < u) a = m + 1; else b = m; }} return a + 1; }}
export default function () {{ {body} }}
"""
K6_BODIES = {
    "get": "http.get('{url}/products/1');",
    "tls": "http.get('{url}/products/1');",
    "zipf": (
        "const id = zipf(); "
        "http.get(`{url}/products/${{id}}`, {{headers: {{'X-Tenant': `t${{id}}`}}, tags: {{name: 'p'}}}});"
    ),
    "post": (
        "const order = JSON.stringify({{sku: 'A-1', quantity: 1 + Math.floor(Math.random() * 9)}}); "
        "const r = http.post('{url}/orders', order, {{headers: {{'Content-Type': 'application/json'}}}}); "
        "const d = r.json(); const id = d.id; "
        "check(r, {{ok: (r) => r.status === 200 && r.headers['Content-Type'] === 'application/json', "
        "stock: () => d.in_stock === true}});"
    ),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run gave.

    Attributes:
        rate: Requests per second.
        cpu_us: Processor time of the generator per request, microseconds; 0: not known.
        p50_ms: Median latency as the tool reports it.
        p99_ms: Its 99th percentile.
        memory_mb: Resident memory of the sending process at the end; 0: not known.
    """

    rate: float
    cpu_us: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    memory_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """What to run.

    Attributes:
        case: ``get``, ``zipf``, ``post`` or ``tls``.
        url: Base URL.
        ca: Its authority's certificate.
        seconds: Of sending.
        core: For the generator.
        folder: For its files.
        rate: Arrivals per second; None: as fast as `VUS` users in a loop are served.
    """

    case: str
    url: str
    ca: Path
    seconds: int
    core: int
    folder: Path
    rate: int | None = None


def _pinned(job: Job, command: Sequence[str]) -> tuple[str, float]:
    """Run a command on the job's core; returns its output and the processor seconds it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["taskset", "-c", str(job.core), *command],
        capture_output=True,
        text=True,
        cwd=job.folder,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout + done.stderr, cpu


def _slocheck(job: Job, scenario: str) -> Figures:
    load = f"rate: {job.rate}/s" if job.rate else f"users: {VUS}"
    spec = SPEC.format(url=job.url, ca=job.ca, scenario=scenario, load=load, seconds=job.seconds)
    (job.folder / "slo.yaml").write_text(spec)
    reports = job.folder / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    text, _ = _pinned(job, [sys.executable, "-m", "slocheck", "run", "--quiet", "--json"])
    runs = list(reports.glob("*/evidence.json.gz"))
    if len(runs) != 1:
        raise RuntimeError(text)
    evidence = load_evidence(runs[0].parent)
    sent, histogram = _window(evidence.recording)
    worker = evidence.health.workers[0]
    rate = sent / evidence.recording.window_s
    p50, p99 = (quantile_bounds(histogram, Fraction(q))[1] / 1e6 for q in ("0.5", "0.99"))
    return Figures(rate, worker.cpu / rate * 1e6, p50, p99, worker.memory / 1e6)


def _window(recording: Recording) -> tuple[int, dict[int, int]]:
    window = range(recording.warmup_s, recording.warmup_s + recording.window_s)
    slices = [part for item in recording.endpoints for part in item.slices if part.second in window]
    return sum(part.sent for part in slices), merge(part.latencies for part in slices)


def declarative(job: Job) -> Figures:
    """Run slocheck with a declarative scenario."""
    (job.folder / "scenario.yaml").write_text(SCENARIOS[job.case])
    return _slocheck(job, "scenario.yaml")


def lean_user(job: Job) -> Figures:
    """Run slocheck with a Locust file that uses `LeanHttpUser`."""
    text = LOCUST_FILE.format(import_="from slocheck.users import LeanHttpUser as Base")
    (job.folder / "lean.py").write_text(text)
    return _slocheck(job, "lean.py")


def _locust(job: Job, base: str) -> Figures:
    text = LOCUST_FILE.format(import_=f"from locust import {base} as Base")
    (job.folder / "file.py").write_text(text)
    options = [
        "--headless",
        "-u",
        str(VUS),
        "-r",
        str(VUS),
        "-t",
        f"{job.seconds}s",
        "--json",
        "--host",
        job.url,
    ]
    text, cpu = _pinned(
        job, [sys.executable, "-m", "locust", "-f", "file.py", *options, "--loglevel", "ERROR"]
    )
    entry = json.loads(text[text.index("[") : text.rindex("]") + 1])[0]
    sent = entry["num_requests"]
    lasted = entry["last_request_timestamp"] - entry["start_time"]
    return Figures(sent / lasted, cpu / sent * 1e6)


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
    text, cpu = _pinned(job, [*command, "--summary-export", str(path)])
    if not path.exists():
        raise RuntimeError(text)
    metrics = json.loads(path.read_text())["metrics"]
    count, trend = metrics["http_reqs"]["count"], metrics["http_req_duration"]
    return Figures(count / job.seconds, cpu / count * 1e6, trend["med"], trend["p(99)"])


def k6(job: Job) -> Figures:
    """Run k6."""
    body = K6_BODIES[job.case].format(url=job.url)
    (job.folder / "script.js").write_text(K6.format(load=_k6_load(job), body=body))
    return _summary(job, [_beside_python("k6"), "run", "--quiet", "script.js"])


def k9(job: Job) -> Figures:
    """Run k9-load with a plan in YAML, which is its fastest way."""
    load = f"vus: {VUS}, duration: {job.seconds}s"
    if job.rate is not None:
        load = f"scenarios: {{load: {_k6_load(job)}}}".replace("'", "")
    (job.folder / "plan.yaml").write_text(
        f"options: {{{load}, summaryTrendStats: [med, 'p(99)']}}\n"
        f'flows: {{default: [{{request: {{url: "{job.url}/products/1"}}}}]}}\n'
    )
    return _summary(job, [_beside_python("k9"), "run", "plan.yaml"])


def _beside_python(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def wrk(job: Job) -> Figures:
    """Run wrk."""
    command = ["wrk", "-t1", f"-c{VUS}", f"-d{job.seconds}s", "--latency", f"{job.url}/products/1"]
    text, cpu = _pinned(job, command)
    count = int(_found(r"(\d+) requests in", text))
    return Figures(count / job.seconds, cpu / count * 1e6)


def hey(job: Job) -> Figures:
    """Run hey."""
    paced = ["-q", str(job.rate // VUS)] if job.rate else []
    command = ["hey", "-z", f"{job.seconds}s", "-c", str(VUS), *paced, "-cpus", "1", f"{job.url}/products/1"]
    text, cpu = _pinned(job, command)
    rate = float(_found(r"Requests/sec:\s+([\d.]+)", text))
    p50, p99 = (float(_found(rf"{share}% in ([\d.]+) secs", text)) * 1000 for share in (50, 99))
    return Figures(rate, cpu / (rate * job.seconds) * 1e6, p50, p99)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(text)
    return match[1]


TOOLS: Mapping[str, Callable[[Job], Figures]] = {
    "slocheck, declarative": declarative,
    "slocheck, LeanHttpUser": lean_user,
    "Locust, FastHttpUser": fast_user,
    "Locust, HttpUser": http_user,
    "k6": k6,
    "k9-load": k9,
    "hey": hey,
    "wrk": wrk,
}
NEEDED = {"k6": "k6", "k9-load": "k9", "hey": "hey", "wrk": "wrk"}
CASES: Mapping[str, Sequence[str]] = {
    "get": list(TOOLS),
    "zipf": ["slocheck, declarative", "k6"],
    "post": ["slocheck, declarative", "k6"],
    "tls": ["slocheck, declarative", "slocheck, LeanHttpUser", "Locust, FastHttpUser", "k6", "wrk"],
}
PACED = ["slocheck, declarative", "slocheck, LeanHttpUser", "k6", "k9-load", "hey"]


def there(tool: str) -> bool:
    """Tell whether a tool is installed."""
    name = NEEDED.get(tool)
    return name is None or shutil.which(name) is not None or Path(_beside_python(name)).exists()
