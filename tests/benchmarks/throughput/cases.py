"""What is sent: the same work in the language of each tool."""

from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.throughput.machine import PATIENCE_S

VUS = 50
PRODUCT = "/products/1"
GET = f"flows: [{{steps: [{{get: {PRODUCT}}}]}}]\n"
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
      - get: /orders/{order}
        name: GET /orders/{id}
        expect: {status: 200}
"""
SCENARIOS = {"get": GET, "zipf": ZIPF, "post": POST, "tls": GET}
SPEC = """
service: bench
target: {{url: "{url}", tls: {{ca: "{ca}"}}}}
workload: {{scenario: {scenario}, {load}, warmup: {warmup}s, duration: {seconds}s}}
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
        self.client.get("{path}", name="{path}")
"""
K6 = """
import http from 'k6/http';
import {{ check }} from 'k6';
export const options = {{ insecureSkipTLSVerify: true, summaryTrendStats: ['med', 'p(99)'],
  scenarios: {{ load: {load} }} }};
{setup}
export default function () {{ {body} }}
"""
K6_ZIPF = """
const cdf = []; let sum = 0;
for (let i = 1; i <= 100000; i++) { sum += 1 / i; cdf.push(sum); }
function zipf() { const u = Math.random() * sum; let a = 0, b = cdf.length - 1;
  while (a < b) { const m = (a + b) >> 1; if (cdf[m] < u) a = m + 1; else b = m; } return a + 1; }
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
        "const d = r.json(); "
        "check(r, {{ok: (r) => r.status === 200 && r.headers['Content-Type'] === 'application/json', "
        "stock: () => d.in_stock === true}}); "
        "const s = http.get(`{url}/orders/${{d.id}}`, {{tags: {{name: 'o'}}}}); "
        "check(s, {{ok: (s) => s.status === 200}});"
    ),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run gave.

    Attributes:
        rate: Requests per second.
        cpu_us: Processor time of all the generator's processes per request, microseconds.
        p50_ms: Median latency as the tool reports it.
        p99_ms: Its 99th percentile.
        memory_mb: Resident memory of its largest process 10 s after it began to send, and at the end.
        others: Share of all cores that neither the generator nor the server used.
    """

    rate: float
    cpu_us: float
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    memory_mb: tuple[float, float] = (0.0, 0.0)
    others: float = 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """What to run.

    Attributes:
        case: ``get``, ``zipf``, ``post`` or ``tls``.
        url: Base URL.
        ca: Its authority's certificate.
        server: Process id of the server.
        seconds: Of sending.
        core: For the generator.
        folder: For its files.
        rate: Arrivals per second; None: as fast as `VUS` users in a loop are served.
        patience_s: How long to wait for an idle machine before it.
    """

    case: str
    url: str
    ca: Path
    server: int
    seconds: int
    core: int
    folder: Path
    rate: int | None = None
    patience_s: float = PATIENCE_S
