"""``slocheck list``, ``history``, ``compare`` and ``prune``, on folders of runs as runs leave them."""

import io
import json
import re
import sys
from pathlib import Path

import pytest

from slocheck.cli import exit_code_of, streams
from slocheck.grading.assessment import Outcome
from tests.builders.results import result, run_id, write_result, write_runs

STEADY = (0.1, 0.101, 0.099, 0.1, 0.102)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a new folder, with the width of a page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def test_list_shows_runs_and_why_others_have_none(capsys: pytest.CaptureFixture[str]) -> None:
    """Damaged and killed runs have one line each; for an empty folder the message says what to do."""
    assert exit_code_of(["list"]) == 0
    assert "start one with `slocheck run`" in capsys.readouterr().err
    write_runs(Path("reports"), 0.1, 0.2)
    write_result(Path("reports"), {**result(3), "schema_version": 7})
    Path("reports", run_id(4)).mkdir()
    Path("reports", "notes").mkdir()
    assert exit_code_of(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:23] for line in lines if line.startswith("2026")] == [run_id(n) for n in (0, 1, 3, 4)]
    assert "schema_version is 7; this slocheck reads 1" in " ".join(" ".join(lines).split())
    assert exit_code_of(["list", "--json", "--last", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["id"] for run in found["runs"]] == [run_id(1)]
    assert [run["id"] for run in found["unread"]] == [run_id(3), run_id(4)]


def test_history_in_each_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Text, JSON, a page, a table by commit and Bencher's format say the same about the outlier."""
    write_runs(Path("reports"), *STEADY, 0.2)
    write_result(Path("reports"), {**result(20), "service": "cart"})
    assert exit_code_of(["history", "shop-api"]) == 0
    assert "! latency_p95 200ms, worse than expected: 94.8ms to 106ms" in capsys.readouterr().out
    assert exit_code_of(["history", "--json"]) == 0
    cart, shop = json.loads(capsys.readouterr().out)["services"]
    assert (cart["service"], len(cart["runs"])) == ("cart", 1)
    assert shop["objectives"][0]["points"][-1]["expected"]["outside"] is True
    assert exit_code_of(["history", "shop-api", "--format", "csv", "--last", "1"]) == 0
    assert f"shop-api,{run_id(5)}," in capsys.readouterr().out
    assert exit_code_of(["history", "shop-api", "--format", "bencher"]) == 0
    assert json.loads(capsys.readouterr().out)["latency_p95"]["latency"]["value"] == pytest.approx(2e8)
    assert exit_code_of(["history", "--format", "html", "-o", "trend.html"]) == 0
    assert (tmp_path / "trend.html").read_text().startswith("<!doctype html>")


def test_texts_in_ascii_have_stand_ins_and_no_references(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal without UTF-8 gets a sparkline of ASCII signs; only a document has character references."""
    write_runs(Path("reports"), *STEADY, 0.2)
    shown = {}
    for words in (["history"], ["compare", run_id(0), run_id(5)], ["compare", "reports", run_id(5)]):
        raw = io.BytesIO()
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii", errors=streams.HANDLER))
        assert exit_code_of(words) in (0, 1, 2)
        sys.stdout.flush()
        shown[words[0]] = raw.getvalue().decode("ascii")
        assert "&#" not in shown[words[0]]
    assert ".....@  latency_p95: 99ms to 200ms" in shown["history"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["history", "shop"], "did you mean 'shop-api'?"),
        (["history", "unknown-thing"], "there are cart, shop-api"),
        (["history", "--format", "pdf"], "write one of text, json, html, csv, bencher"),
        (["history", "--last", "0"], "--last"),
        (["compare", "latest", "latest"], "cannot be compared with itself"),
        (["compare", "nothing", "latest"], "nothing: no run is archived there"),
        (["compare", "latest", "latest", "--format", "pdf"], "write one of text, json, html"),
        (["compare", run_id(0), "latest", "--max-regression", "10"], "has no percent sign; write 10%"),
        (["compare", run_id(0), run_id(9)], "runs of two services, shop-api and cart"),
        (["compare", "reports", run_id(8)], "its measurement is invalid"),
        (["list", "--reports", "none"], "--reports none: no such folder"),
        (["list", "--reports", "slo.yaml"], "--reports slo.yaml: is not a folder"),
        (["history", "--reports", "none"], "--reports none: no such folder"),
        (["prune", "--keep", "2", "--reports", "none"], "--reports none: no such folder"),
        (["prune", "--keep", "2", "--reports", "slo.yaml"], "--reports slo.yaml: is not a folder"),
        (["prune"], "--keep"),
        (["prune", "--keep", "0"], "--keep"),
        (["run", "--max-regression", "10%"], "--max-regression goes with --baseline"),
        (["run", "--baseline", "latest", "--max-regression", "lots"], "is not a percentage"),
        (["compare", run_id(0), "latest", "--max-regression", "-5%"], "'-5%' is negative; write"),
        (["run", "--baseline", "nothing"], "nothing: no run is archived there"),
        (["run", "--dry-run", "--baseline", run_id(8)], "its measurement is invalid"),
        (
            ["run", "--dry-run", "--baseline", run_id(0)],
            "was made differently from this one: service shop-api",
        ),
    ],
)
def test_wrong_usage_says_what_to_write(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, one message, nothing sent."""
    write_runs(Path("reports"), 0.1, 0.2)
    write_result(Path("reports"), result(8, outcome=Outcome.INVALID))
    write_result(Path("reports"), {**result(9), "service": "cart"})
    Path("slo.yaml").write_text(
        'service: x\ntarget: {url: "http://127.0.0.1:9"}\n'
        "workload: {scenario: s.py, users: 1, duration: 10s}\ntiers: [silver]\n"
        'objectives:\n  latency_p95: {silver: "< 1s"}\ngate: silver\n'
    )
    Path("s.py").write_text("from locust import HttpUser\n")
    assert exit_code_of(arguments) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_compare_exits_1_only_on_proof(capsys: pytest.CaptureFixture[str]) -> None:
    """Two runs are information; five before, or five on both sides, may prove a regression."""
    slow = run_id(5)
    write_runs(Path("reports"), *STEADY, 0.2)
    write_runs(Path("slower"), *(2 * value for value in STEADY), first=10)
    assert exit_code_of(["compare", run_id(0), slow]) == 0
    assert "latency_p95 100ms -> 200ms (+100.0%, +94.4% to +105.8%)" in " ".join(
        capsys.readouterr().out.split()
    )
    assert exit_code_of(["compare", "reports", slow, "--max-regression", "150%"]) == 0
    assert exit_code_of(["compare", "slower", "reports"]) == 0
    capsys.readouterr()
    assert exit_code_of(["compare", "reports", slow]) == 1
    assert "WORSE by more than 10%: latency_p95" in capsys.readouterr().out
    assert exit_code_of(["compare", "reports", "slower", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["method"], found["regressed"], len(found["new"])) == ("Welch's t-test", True, 5)
    assert exit_code_of(["compare", run_id(0), slow, "--format", "html", "-o", "both.html"]) == 0
    assert "100ms" in Path("both.html").read_text()


def test_of_a_folder_the_newest_valid_run_is_compared(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever came after it; a folder, the run itself and a folder without a valid run are refused."""
    write_runs(Path("before"), 0.1)
    write_runs(Path("after"), 0.2, 0.3, first=10)
    for number in (12, 13):
        write_result(Path("after"), result(number, 0.9, outcome=Outcome.INVALID))
        write_result(Path("bad"), result(number, 0.9, outcome=Outcome.INVALID))
    assert exit_code_of(["compare", f"before/{run_id(0)}", "after"]) == 0
    assert f"{run_id(11)} against run {run_id(0)}" in " ".join(capsys.readouterr().out.split())
    for folder in ("after", "bad"):
        assert exit_code_of(["compare", folder, folder]) == 2
        assert "cannot be compared with itself" in capsys.readouterr().err
    assert exit_code_of(["compare", "before", "bad"]) == 2
    assert "its measurement is invalid" in capsys.readouterr().err


def test_compare_marks_in_what_two_runs_differ(capsys: pytest.CaptureFixture[str]) -> None:
    """Another load or machine, or an invalid run, is reported before any number."""
    other = result(1, 0.2, host="elsewhere", outcome=Outcome.INVALID)
    other["run"] |= {"workload": "9/s", "workload_sha256": "9" * 64}
    write_runs(Path("reports"), 0.1)
    write_result(Path("reports"), other)
    assert exit_code_of(["compare", run_id(0), run_id(1)]) == 0
    said = capsys.readouterr().out
    for mark in (
        f"! {run_id(1)} is not a valid measurement",
        "! a load of 20 users, not 9/s",
        "made on loader (2 cores), not elsewhere (2 cores)",
    ):
        assert mark in " ".join(said.split())


def test_prune_says_what_it_removes_and_keeps(capsys: pytest.CaptureFixture[str]) -> None:
    """With --dry-run it says so and removes nothing; a folder with a foreign file stays."""
    folders = write_runs(Path("reports"), *STEADY)
    (folders[0] / "notes.txt").touch()
    assert exit_code_of(["prune", "--keep", "2", "--dry-run"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"would remove reports/{run_id(1)}",
        f"would remove reports/{run_id(2)}",
        "2 runs would be removed; the newest 2 valid runs are kept",
    ]
    assert said.err == f"kept reports/{run_id(0)}: slocheck did not write notes.txt\n"
    assert all(folder.is_dir() for folder in folders)
    assert exit_code_of(["prune", "--keep", "2"]) == 0
    assert [folder.is_dir() for folder in folders] == [True, False, False, True, True]
    assert exit_code_of(["prune", "--keep", "2"]) == 0
    capsys.readouterr()
    assert exit_code_of(["prune", "--keep", "9"]) == 0
    fewer = "0 runs removed; there are only 3 valid runs, and 9 are to be kept"
    assert capsys.readouterr().out.splitlines() == [fewer]


def test_secrets_of_the_environment_do_not_show(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever an earlier run had in its names: a current secret is masked in every encoding."""
    monkeypatch.setenv("SHOP_TOKEN", "hunter2-hunter2")
    for number in (0, 1):
        document = result(number, commit="hunter2-hunter2")
        document["run"]["workload"] = "hunter2-hunter2"
        write_result(Path("reports"), document)
    Path("reports", run_id(2)).mkdir()
    Path("reports", run_id(2), "aborted").write_text("2\nhunter2-hunter2 is wrong\n")
    for arguments in (
        ["list"],
        ["list", "--json"],
        ["history"],
        ["history", "--json"],
        ["history", "--format", "html"],
        ["history", "--format", "csv"],
        ["compare", run_id(0), run_id(1)],
        ["compare", run_id(0), run_id(1), "--json"],
    ):
        assert exit_code_of(arguments) == 0
        said = capsys.readouterr()
        assert "hunter2" not in said.out + said.err, arguments


def test_the_commands_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    """The commands of docs/comparison.md run as shown, on a folder of runs."""
    write_runs(Path("reports"), *STEADY)
    page = (Path(__file__).parents[2] / "docs" / "comparison.md").read_text()
    commands = re.findall(r"^slocheck (.*)$", page, re.MULTILINE)
    offline = [command.split() for command in commands if not command.startswith("run ")]
    assert len(offline) == 5
    for arguments in offline:
        assert exit_code_of(arguments) == 0, arguments
    assert Path("trend.html").is_file()
    assert "0 runs would be removed" in capsys.readouterr().out
