"""The ladder run for real: short steps, against real APIs."""

import json
import re
from pathlib import Path

from tests.e2e.support.cli import slocheck


def test_the_ladder_climbs_step_by_step(tmp_path: Path) -> None:
    """Each step is a run that is kept; the text and the page show them all; no API is left."""
    words = ("--strategies", "bounded,cache-aside", "--duration", "2s", "--rate", "40/s")
    done = slocheck("demo", "--ladder", *words, cwd=tmp_path)
    assert done.returncode in {0, 4}, done.stderr  # 4: too short a window to say more on a busy machine
    titles = [line for line in done.stdout.splitlines() if line.startswith("step ")]
    assert [title.split()[4] for title in titles] == ["none:", "bounded:", "cache-aside:"]
    page = next((tmp_path / "reports").glob("ladder-*.html")).read_text()
    runs = re.findall(r'href="([^"#]+)/report\.html"', page)
    assert len(runs) == 3
    results = [json.loads((tmp_path / "reports" / run / "result.json").read_text()) for run in runs]
    hits = [
        next(item for item in result["objectives"] if item["name"] == "cache_hit_rate") for result in results
    ]
    values = [item["levels"][0]["sides"][0]["value"]["low"] for item in hits]
    assert values[0] == values[1] == 0.0
    assert values[2] > 0.2
    assert f"ladder-{runs[0]}.html" in done.stderr
