"""What each machine sent is in the report: on the terminal with -v, in HTML and in JSON."""

import json
from dataclasses import replace

from slocheck.evidence.histogram import bucket_index
from slocheck.evidence.machines import MachineHealth, MachineLoad
from slocheck.reporters import html
from slocheck.reporters import json as json_reporter
from slocheck.reporters.terminal import details
from tests.builders.reports import report

MS = 1_000_000
LOAD = MachineLoad(1, (90, 110), (0, 3), latencies={bucket_index(20 * MS): 196, bucket_index(80 * MS): 1},
    schedule_lag_p99=0.0004)  # fmt: skip
FAR = MachineHealth(
    "far <b>", "10.0.0.7", ("worker-1",), clock_offset=-1.5, clock_bound=0.00025, clock_moved=0.0,
    targets=("10.0.0.9",), load=LOAD,
)  # fmt: skip
NOTHING = MachineHealth("new", "", ("worker-9",))


def test_each_machine_has_its_own_figures() -> None:
    """One that sent nothing has none; foreign names are escaped; without machines there is no section."""
    plain = report()
    run = plain.evidence
    window_s = run.recording.window_s
    shown = replace(plain, evidence=replace(run, health=replace(run.health, machines=(FAR, NOTHING))))
    text = " ".join(" ".join(details.lines(shown, 200)).split())
    assert (
        f"far <b> (10.0.0.7, 1 worker) to 10.0.0.9: {200 / window_s:,.1f}/s, 3 requests not ok; "
        "p50 20ms, p95 20ms, p99 20ms; schedule lag p99 400us" in text
    )
    assert "clock 1.5000 s behind, to within 0.25 ms" in text
    assert "new (-, 1 worker) to -: 0.0/s; p50 -" in text
    page = html.render(shown)
    assert "What each machine sent" in page
    assert '<th scope="row">far &lt;b&gt;</th>' in page
    far, nothing = json.loads(json_reporter.render(shown))["machines"]
    assert (far["name"], far["requests"], far["not_ok"], far["targets"]) == ("far <b>", 200, 3, ["10.0.0.9"])
    assert (round(far["p50_s"], 3), far["clock_offset_s"], far["cpu"]) == (
        0.02,
        -1.5,
        run.health.workers[0].cpu,
    )
    assert (nothing["p50_s"], nothing["requests"], nothing["clock_bound_s"]) == (None, 0, None)
    assert "What each machine sent" not in html.render(plain)
    assert json.loads(json_reporter.render(plain))["machines"] == []
