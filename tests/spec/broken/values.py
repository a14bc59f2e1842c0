"""The good spec broken in one place: shapes, values, loads and workloads."""

from tests.builders.good_spec import GOOD, Broken

SHAPES = {
    "unknown key": Broken("gate: silver", "gates: silver", "26:1 unknown key 'gates'; did you mean 'gate'?"),
    "missing key": Broken(
        "service: shop-api\n", "", "1:1 has no key 'service'; write service: ... (the service's name)"
    ),
    "empty value": Broken(
        "service: shop-api", "service:", "1:9 service: has no value; write one, or remove the key"
    ),
    "text for a mapping": Broken(
        "validity: {min_sent: 99%, min_slices: 10}",
        "validity: strict",
        "30:11 validity: is not a mapping; write its keys below it, each as 'key: value'",
    ),
    "mapping for a text": Broken(
        "service: shop-api",
        "service: {name: shop}",
        "1:10 service: a mapping is written where one value belongs; write one value",
    ),
    "text for a list": Broken(
        "[bronze, silver, gold]",
        "bronze",
        "16:8 tiers: is not a list; write [a, b] or one '- ' line for each",
    ),
    "unknown key below": Broken(
        "  instances: 2",
        "  instance: 2",
        "4:3 target: unknown key 'instance'; did you mean 'instances'?",
    ),
    "no objective": Broken(
        GOOD[GOOD.index("objectives:") : GOOD.index("gate:")],
        "objectives: {}\n",
        '17:13 objectives: has no objectives; write one such as latency_p95: {silver: "< 200ms"}',
    ),
}

VALUES = {
    "duration without unit": Broken(
        "duration: 30s", "duration: 30", "15:13 workload.duration: '30' has no unit; write 30s or 30ms"
    ),
    "sexagesimal": Broken(
        "duration: 30s",
        "duration: 1:30",
        "15:13 workload.duration: '1:30' is a time of day or base 60 to YAML; write 1m30s",
    ),
    "fraction of a second": Broken(
        "duration: 30s",
        "duration: 1500ms",
        "15:13 workload.duration: 1.5s is not in whole seconds; write 2s",
        schema=False,
    ),
    "too long": Broken(
        "duration: 30s",
        "duration: 25h",
        "15:13 workload.duration: 25h is out of range; write 1s to 24h",
        schema=False,
    ),
    "exponent": Broken(
        "users: 100",
        "users: 1.0e+3",
        "12:10 workload.users: '1.0e+3' is not a whole number; write digits only, 1 to 100000",
        schema=False,
    ),
    "octal": Broken(
        "users: 100",
        "users: 0777",
        "12:10 workload.users: '0777' is not a whole number; write digits only, 1 to 100000",
        schema=False,
    ),
    "text for a number": Broken(
        "users: 100",
        'users: "100"',
        "12:10 workload.users: '100' is in quotes, so it is text; write 1 without quotes",
    ),
    "no users": Broken(
        "users: 100", "users: 0", "12:10 workload.users: '0' is out of range; write 1 to 100000"
    ),
    "infinity": Broken(
        "users: 100",
        "users: .inf",
        "12:10 workload.users: '.inf' is not a whole number; write digits only, 1 to 100000",
    ),
    "date": Broken(
        "service: shop-api",
        "service: 2024-02-30",
        "1:10 service: '2024-02-30' is a date to YAML; put it in quotes",
        schema=False,
    ),
    "yes for true": Broken(
        "  instances: 2",
        "  tls: {insecure: yes}",
        "4:19 target.tls.insecure: 'yes' is neither true nor false; write true or false",
        schema=False,
    ),
    "ratio without percent": Broken(
        "confidence: 95%", "confidence: 0.95", "27:13 confidence: '0.95' has no percent sign; write 95%"
    ),
    "confidence out of range": Broken(
        "confidence: 95%",
        "confidence: 50%",
        "27:13 confidence: '50%' is not a level that slocheck is calibrated for; "
        "write 90%, 95%, 99% or 99.9%",
    ),
    "confidence that cannot be kept": Broken(
        "confidence: 95%",
        "confidence: 99%",
        "27:13 confidence: 99% cannot hold for bursts of any length; say how long bursts are at most, "
        "such as {level: 99%, bursts: 1s}, or write 90% or 95%",
    ),
    "confidence without bursts": Broken(
        "confidence: 95%",
        "confidence: {level: 95%}",
        "27:13 confidence: has no key 'bursts'; write bursts: ... (the longest burst of failures or slow "
        "requests for which verdicts have to hold)",
    ),
    "status": Broken(
        "429",
        "600",
        "28:28 failures.statuses[1]: '600' is not a status code or class; write one such as 5xx or 429",
    ),
    "header": Broken(
        "[X-Cache]",
        '["X Cache"]',
        "29:19 cache.headers[0]: 'X Cache' is not a header name; write one such as x-cache",
    ),
    "no instances": Broken(
        "instances: 2", "instances: 0", "4:14 target.instances: '0' is out of range; write 1 to 10000"
    ),
    "instances of another kind": Broken(
        "instances: 2",
        "instances: many",
        "4:14 target.instances: 'many' is not a number of instances; write 1 or more, or prometheus",
    ),
    "timeout": Broken(
        "timeout: 30s", "timeout: 30", "9:12 prometheus.timeout: '30' has no unit; write 30s or 30ms"
    ),
}

LOADS = {
    "no load at all": Broken(
        "  users: 100\n  spawn_rate: 50/s\n",
        "",
        "11:3 workload: has no load; write rate: 200/s (open model) or users: 50 (closed model)",
        schema=False,
    ),
    "two models": Broken(
        "spawn_rate: 50/s",
        "rate: 200/s",
        "12:10 workload.users: cannot be combined with 'rate', the open model; "
        "write one of them (or max_users)",
        schema=False,
    ),
    "spawn rate of the open model": Broken(
        "users: 100",
        "rate: 200/s",
        "13:15 workload.spawn_rate: has no effect together with a rate or stages; remove it",
        schema=False,
    ),
    "spread of the closed model": Broken(
        "users: 100",
        "users: 100\n  arrivals: poisson",
        "13:13 workload.arrivals: belongs to the open model; write rate: 200/s, or remove it",
        schema=False,
    ),
    "too high a rate": Broken(
        "  users: 100\n  spawn_rate: 50/s\n",
        "  rate: 2000000/s\n",
        "12:9 workload.rate: 2e+06/s is out of range; write more than 0/s and at most 1000000/s",
        schema=False,
    ),
    "stage without a level": Broken(
        "  users: 100\n  spawn_rate: 50/s\n",
        "  rate: [{for: 35s}]\n",
        "12:10 workload.rate[0]: needs one of 'rate' (held) and 'to' (a ramp); write {rate: ..., for: 30s}",
    ),
    "stages that never rise": Broken(
        "  users: 100\n  spawn_rate: 50/s\n",
        "  users: [{users: 0, for: 35s}]\n",
        "12:10 workload.users: never rises above 0; nothing would be sent",
        schema=False,
    ),
    "stages of another length": Broken(
        "  users: 100\n  spawn_rate: 50/s\n",
        "  rate: [{to: 100/s, for: 10s}, {rate: 100/s, for: 1m}]\n",
        "14:13 workload.duration: the stages leave 1m5s after the warm-up; "
        "write duration: 1m5s, or remove it",
        schema=False,
    ),
    "no window after the stages": Broken(
        "  users: 100\n  spawn_rate: 50/s\n",
        "  rate: [{rate: 100/s, for: 5s}]\n",
        "11:3 workload: has stages of 5s, and a warm-up of 5s; no window is left: write longer stages",
        schema=False,
    ),
}

WORKLOADS = {
    "no Locust file": Broken(
        "browse.py",
        "browse.js",
        "11:13 workload.scenario: 'scenarios/browse.js' is not a scenario; "
        "write a path that ends in .yaml, or a Locust file (.py)",
    ),
    "ramp longer than warm-up": Broken(
        "spawn_rate: 50/s",
        "spawn_rate: 10/s",
        "13:15 workload.spawn_rate: starts 100 users in 10s, longer than the warm-up, so the window would "
        "see fewer; write spawn_rate: 20/s or more, or a longer warmup",
        schema=False,
    ),
    "no spawn rate": Broken(
        "spawn_rate: 50/s",
        "spawn_rate: 0/s",
        "13:15 workload.spawn_rate: is 0; write a rate above 0, such as 10/s",
        schema=False,
    ),
    "tag with a space": Broken(
        "users: 100",
        "users: 100\n  tags: [a b]",
        "13:10 workload.tags[0]: 'a b' is not a tag; write one such as read",
    ),
    "tag twice": Broken(
        "users: 100",
        "users: 100\n  tags: [a, a]",
        "13:13 workload.tags[1]: 'a' is in the list twice; remove one",
    ),
}
