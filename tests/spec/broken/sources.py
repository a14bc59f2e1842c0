"""The good spec broken in its target, prometheus or scrape block; see `specs`."""

from tests.builders.good_spec import GOOD, Broken

TOP = GOOD[GOOD.index("prometheus:") : GOOD.index("workload:")].rstrip("\n")
_URL = "http://127.0.0.1:9090"
_TARGET = "http://127.0.0.1:8000"
_JOB = "  selector: {job: shop-api}"
SOURCES = {
    "user info": Broken(
        _URL,
        "http://me:hunter2@prom",
        "6:8 prometheus.url: has a name or password before the host; "
        "remove it: a spec holds no secrets, only where they are",
    ),
    "target without scheme": Broken(
        _TARGET,
        "127.0.0.1:8000",
        "3:8 target.url: '127.0.0.1:8000' does not begin with http:// or https://; "
        "write one such as http://127.0.0.1:8000",
    ),
    "target with a query": Broken(
        _TARGET,
        "http://h/?api_key=hunter2",
        "3:8 target.url: 'http://h/' has a query or fragment; write only the base address",
        schema=False,
    ),
    "port": Broken(
        _TARGET,
        "http://h:99999",
        "3:8 target.url: 'http://h:99999' is not an address: wrong port or brackets; "
        "write one such as http://127.0.0.1:8000",
        schema=False,
    ),
    "no host": Broken(
        _TARGET,
        "http:///x",
        "3:8 target.url: 'http:///x' has no host, or port 0; write one such as http://127.0.0.1:8000",
        schema=False,
    ),
    "file address": Broken(
        _TARGET,
        "file:///etc/passwd",
        "3:8 target.url: 'file:///etc/passwd' does not begin with http:// or https://; "
        "write one such as http://127.0.0.1:8000",
    ),
    "space": Broken(
        _TARGET,
        '"http://h/a b"',
        "3:8 target.url: 'http://h/a b' is not an address: it is empty or has characters outside ASCII; "
        "write one such as http://127.0.0.1:8000",
        schema=False,
    ),
    "variable in another place": Broken(
        "service: shop-api",
        'service: "${SERVICE}"',
        "1:10 service: '${SERVICE}': ${NAME} is expanded only in the URLs; write the value itself",
        schema=False,
    ),
    "malformed variable": Broken(
        _TARGET, "http://${HOST", "3:8 target.url: '${HOST' is not a variable; write ${NAME}", schema=False
    ),
    "unknown preset": Broken(
        "prom-client",
        "promclient",
        "7:11 prometheus.preset: unknown preset 'promclient'; did you mean 'prom-client'?",
    ),
    "no selector": Broken(
        _JOB + "\n",
        "",
        "6:3 prometheus: has no key 'selector'; "
        "write selector: ... (label values that pin the job, such as {job: shop-api})",
    ),
    "empty selector": Broken(
        "{job: shop-api}",
        "{}",
        "8:13 prometheus.selector: is empty; write at least one label name and its value",
    ),
    "label name": Broken(
        "{job: shop-api}",
        "{my-job: shop-api}",
        "8:14 prometheus.selector: 'my-job' is not a label name; rename it",
    ),
    "password": Broken(
        _JOB,
        _JOB + "\n  auth: {username: me, password: hunter2, password_env: PW}",
        "9:24 prometheus.auth.password: is a secret in the spec; "
        "write password_file: FILE or password_env: VARIABLE instead",
    ),
    "token": Broken(
        _JOB,
        _JOB + "\n  auth: {bearer_token: hunter2}",
        "9:10 prometheus.auth.bearer_token: is a secret in the spec; "
        "write bearer_token_file: FILE or bearer_token_env: VARIABLE instead",
    ),
    "secret header": Broken(
        _JOB,
        _JOB + "\n  headers: {Authorization: hunter2}",
        "9:28 prometheus.headers.Authorization: 'Authorization' holds a secret; "
        "write it as auth: {headers_env: {NAME: VARIABLE}}",
        schema=False,
    ),
    "secret parameter": Broken(
        _JOB,
        _JOB + "\n  params: {api_key: hunter2}",
        "9:21 prometheus.params.api_key: 'api_key' holds a secret; "
        "send it as a header by auth: {headers_env: ...}",
        schema=False,
    ),
    "two tokens": Broken(
        _JOB,
        _JOB + "\n  auth: {bearer_token_file: a, bearer_token_env: B}",
        "9:9 prometheus.auth: has both bearer_token_file and bearer_token_env; keep one",
        schema=False,
    ),
    "token and password": Broken(
        _JOB,
        _JOB + "\n  auth: {bearer_token_file: a, username: b, password_file: c}",
        "9:9 prometheus.auth: has a bearer token and a username or password; keep one of the two",
        schema=False,
    ),
    "username alone": Broken(
        _JOB,
        _JOB + "\n  auth: {username: me}",
        "9:9 prometheus.auth: needs username and one of password_file and password_env together; write both",
        schema=False,
    ),
    "key without certificate": Broken(
        _JOB,
        _JOB + "\n  tls: {key: k.pem}",
        "9:8 prometheus.tls: has a key without a certificate; write cert: FILE",
        schema=False,
    ),
    "ca and insecure": Broken(
        _JOB,
        _JOB + "\n  tls: {ca: c.pem, insecure: true}",
        "9:8 prometheus.tls: trusts a ca and accepts any certificate; remove ca or insecure",
        schema=False,
    ),
    "preset without metric": Broken(
        "preset: prom-client",
        "preset: {route_label: route}",
        "7:11 prometheus.preset: names no metric; write histogram: NAME, counter: NAME or both",
        schema=False,
    ),
    "preset with a series' name": Broken(
        "preset: prom-client",
        "preset: {histogram: a_seconds_bucket}",
        "7:23 prometheus.preset.histogram: 'a_seconds_bucket' is not a histogram name without _bucket; "
        "write one such as http_request_duration_seconds",
    ),
    "preset with half a cache": Broken(
        "preset: prom-client",
        "preset: {counter: c, cache_hits: h}",
        "7:11 prometheus.preset: has one of cache_hits and cache_misses; "
        "a hit rate needs both: write the other one",
        schema=False,
    ),
    "preset that ignores routes without a label": Broken(
        "preset: prom-client",
        "preset: {counter: c, ignore_routes: [/metrics]}",
        "7:39 prometheus.preset.ignore_routes: leaves out routes without a route_label; "
        "write route_label: NAME",
        schema=False,
    ),
    "milliseconds of a histogram in seconds": Broken(
        "preset: prom-client",
        "preset: {histogram: http_seconds, unit: milliseconds}",
        "7:43 prometheus.preset.unit: contradicts the histogram's name, http_seconds: "
        "write seconds, or leave the unit out",
        schema=False,
    ),
    "seconds of a histogram in milliseconds": Broken(
        "preset: prom-client",
        "preset: {histogram: http_ms, unit: seconds}",
        "7:38 prometheus.preset.unit: contradicts the histogram's name, http_ms: "
        "write milliseconds, or leave the unit out",
        schema=False,
    ),
    "preset's unit": Broken(
        "preset: prom-client",
        "preset: {histogram: h, unit: ms}",
        "7:32 prometheus.preset.unit: unknown unit 'ms'; write one of minutes, seconds, milliseconds, "
        "microseconds, nanoseconds",
    ),
    "two sources": Broken(
        "workload:",
        "scrape: [http://h/metrics]\nworkload:",
        "10:1 scrape: cannot be combined with prometheus on line 5; keep one of the two",
    ),
}
