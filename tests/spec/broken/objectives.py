"""The good spec broken in its tiers, objectives or gate; see `specs`."""

from tests.builders.good_spec import Broken

OBJECTIVES = {
    "limit without unit": Broken(
        '"< 200ms"', '"< 200"', "18:44 objectives.latency_p95.silver: '200' has no unit; write 200ms or 0.2s"
    ),
    "limit without comparison": Broken(
        '">= 99.9%"',
        "99.9%",
        "21:26 objectives.availability.silver: '99.9%' has no comparison; write '>= 99.9%'",
    ),
    "ratio of one": Broken(
        '">= 99.9%"',
        '">= 0.999"',
        "21:26 objectives.availability.silver: '0.999' has no percent sign; write 99.9%",
    ),
    "wrong direction": Broken(
        '"< 0.1%"',
        '"> 0.1%"',
        "20:24 objectives.error_rate.silver: '> 0.1%': error_rate needs an upper limit; write '< 0.1%'",
    ),
    "never met": Broken(
        '"> 90%"',
        '"> 100%"',
        "22:28 objectives.cache_hit_rate.silver: '> 100%' can never be met; write one such as '> 90%'",
        schema=False,
    ),
    "over 100 %": Broken(
        '"> 90%"',
        '"> 190%"',
        "22:28 objectives.cache_hit_rate.silver: '190%' is over 100%; write a share from 0% to 100%",
        schema=False,
    ),
    "no limit": Broken(
        '{silver: "< 0.1%"}',
        "{source: client}",
        "20:15 objectives.error_rate: has no limit; "
        "write at least one of bronze, silver, gold, target, critical",
        schema=False,
    ),
    "limit alone": Broken(
        '{silver: "< 0.1%"}',
        '"< 0.1%"',
        "20:15 objectives.error_rate: is not a mapping of levels to limits; "
        'write one such as {bronze: "< 200ms"}',
    ),
    "misspelt tier": Broken(
        '{silver: "< 0.1%"}',
        '{silver: "< 0.1%", glod: "< 0.01%"}',
        "20:34 objectives.error_rate: unknown key 'glod'; did you mean 'gold'?",
        schema=False,
    ),
    "misspelt indicator": Broken(
        "error_rate:",
        "eror_rate:",
        "20:3 objectives.eror_rate: unknown indicator 'eror_rate'; did you mean 'error_rate'? "
        "Or say what it measures: indicator: latency_p99",
    ),
    "percentile without a point": Broken(
        "latency_p99.9,",
        "latency_p999,",
        "24:25 objectives.checkout.indicator: 'latency_p999' has no point; write latency_p99.9",
    ),
    "percentile of 100": Broken(
        "latency_p99.9,",
        "latency_p100,",
        "24:25 objectives.checkout.indicator: 'latency_p100' is not a percentile between 0 and 100; "
        "write one such as latency_p99.9",
    ),
    "named after another": Broken(
        'error_rate: {silver: "< 0.1%"}',
        'error_rate: {indicator: latency_p50, silver: "< 1s"}',
        "20:3 objectives.error_rate: is named after one indicator and measures another; "
        "rename it, or remove 'indicator'",
        schema=False,
    ),
    "gold looser than silver": Broken(
        '"< 100ms"}',
        '"< 300ms"}',
        "18:61 objectives.latency_p95.gold: '< 300ms' is looser than silver '< 200ms' on line 18; "
        "write '< 200ms' or stricter",
        schema=False,
    ),
    "critical stricter than target": Broken(
        '"< 1000ms"',
        '"< 400ms"',
        "19:27 objectives.latency_p99.critical: '< 400ms' is stricter than target '< 500ms' on line 19, "
        "so target alone is never reached; write '< 500ms' or looser",
        schema=False,
    ),
    "directions mixed": Broken(
        'silver: "< 100"}',
        'silver: "< 100", gold: "> 5"}',
        "25:86 objectives.queue.gold: has the opposite direction to silver '< 100' on line 25; "
        "use < for all levels or >",
        schema=False,
    ),
    "unit in a query's limit": Broken(
        '"< 100"}',
        '"< 100ms"}',
        "25:71 objectives.queue.silver: '100ms' is not a plain number; "
        "write digits with at most one point, such as 100 or 0.5",
        schema=False,
    ),
    "empty query": Broken(
        '"max(queue_depth)"',
        '" "',
        "25:31 objectives.queue.indicator.promql: has 0 characters; write a PromQL query of 1 to 4000",
        schema=False,
    ),
    "reduction": Broken(
        "over: max",
        "over: median",
        "25:57 objectives.queue.indicator.over: unknown reduction 'median'; did you mean 'mean'?",
    ),
    "query on the client": Broken(
        'silver: "< 100"}',
        'silver: "< 100", source: both}',
        "25:88 objectives.queue.source: cannot grade a PromQL query on the client side; "
        "write source: prometheus, or remove it",
        schema=False,
    ),
    "endpoint of a query": Broken(
        'silver: "< 100"}',
        'silver: "< 100", endpoint: "GET /"}',
        "25:90 objectives.queue.endpoint: does not apply to a PromQL query; "
        "write the condition into promql and remove the key",
        schema=False,
    ),
    "endpoint without method": Broken(
        '"POST /checkout"',
        '"/checkout"',
        "24:50 objectives.checkout.endpoint: '/checkout' has no method or no name; "
        'write one such as "GET /items/{id}"',
    ),
    "endpoint in small letters": Broken(
        '"POST /checkout"',
        '"post /checkout"',
        "24:50 objectives.checkout.endpoint: 'post /checkout' does not begin with a method in capitals; "
        'write "GET /checkout"',
    ),
    "labels without endpoint": Broken(
        'error_rate: {silver: "< 0.1%"}',
        'error_rate: {silver: "< 0.1%", labels: {route: /a}}',
        "20:42 objectives.error_rate.labels: narrows the server side only; "
        "write endpoint too, or source: prometheus",
        schema=False,
    ),
    "source": Broken(
        'error_rate: {silver: "< 0.1%"}',
        'error_rate: {silver: "< 0.1%", source: server}',
        "20:42 objectives.error_rate.source: unknown source 'server'; write one of client, prometheus, both",
    ),
    "objective name": Broken(
        "checkout:",
        "check out:",
        "24:3 objectives.'check out': 'check out' is not an objective name; write one such as checkout_p99",
    ),
    "reserved tier": Broken(
        "[bronze, silver, gold]",
        "[bronze, silver, gold, target]",
        "16:31 tiers[3]: 'target' means something else under objectives; write another name",
    ),
    "tier twice": Broken(
        "[bronze, silver, gold]",
        "[bronze, silver, gold, gold]",
        "16:31 tiers[3]: 'gold' is in the list twice; remove one",
    ),
    "gate is not a tier": Broken(
        "gate: silver",
        "gate: sliver",
        "26:7 gate: unknown tier 'sliver'; did you mean 'silver'?",
        schema=False,
    ),
}
