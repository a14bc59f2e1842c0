"""A run whose Prometheus was gone at its end can be completed later, and a failed attempt loses nothing."""

import errno
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from slocheck.cli import exit_code_of
from slocheck.errors import SaveError, SourceError, UsageError
from slocheck.evidence.model import Evidence
from slocheck.evidence.series import LateCollection, ServerSeries, SourcePreflight, SourceState
from slocheck.grading.assessment import Outcome
from slocheck.pipeline import late_collection
from slocheck.pipeline.archive import EVIDENCE_FILE, ORIGINAL_FILE, Archive, load_evidence
from slocheck.pipeline.interrupts import Interrupts
from slocheck.pipeline.late_collection import LateCollector
from slocheck.pipeline.regrade import regrade
from slocheck.plan.families import Family
from slocheck.plan.metric_plan import MetricPlan
from slocheck.reporters import FORMATS
from slocheck.spec.model import Spec
from tests.builders.reports import report

GONE = "Prometheus http://127.0.0.1:9090: connection refused"
STATE = SourceState(clock_skew=0.5, scrape_interval=2.0, shown_from=90.0)
TOKEN = "t0ken-4711-secret"
TEXT = report(Outcome.PASS).spec.text
WITH_TOKEN = TEXT.replace("{job: shop-api}", "{job: shop-api}, auth: {bearer_token_env: SHOP_TOKEN}")


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)


def whole() -> ServerSeries:
    """Return what the server's side of a passing run looks like."""
    series = report(Outcome.PASS).evidence.server
    assert series is not None
    return series


def archived(root: Path, spec: str = WITH_TOKEN, **changes: object) -> Path:
    """Archive a run whose source delivered nothing at its end; returns its folder."""
    late = LateCollection(STATE, 100.0, 105.0, 145.0, mapping=whole().preset, said="as written")
    fields = {"server": None, "server_error": GONE, "late": late, **changes}
    evidence = replace(report(Outcome.PASS).evidence, **fields)  # type: ignore[arg-type]
    with Archive(root).create(datetime.now(UTC)) as folder:
        folder.save_evidence(evidence, spec)
        return folder.path


@dataclass
class Healed:
    """A source that responds again.

    Attributes:
        answer: What it has about the run; an error: it does not respond.
        asked: What it was asked.
    """

    answer: ServerSeries | SourceError
    asked: list[object] = field(default_factory=list)

    def __call__(self, spec: Spec, /) -> "Healed":
        """Return itself for a spec whose credentials are there."""
        assert spec.metric_source is not None
        self.asked.append(spec.metric_source.kind)
        return self

    def check(self) -> None:
        """Find nothing missing."""

    close = start = check

    def preflight(self) -> SourcePreflight:
        """Return nothing: it is not looked at before a load."""
        raise AssertionError

    def families(self, *, after: float | None = None) -> tuple[Family, ...]:
        """Return nothing: the mapping was settled before the load."""
        raise AssertionError(after)

    def use(self, plan: MetricPlan) -> None:
        """Note the plan's mapping."""
        self.asked.append(plan.mapping.name)

    def state(self) -> SourceState:
        """Return what was found before a load."""
        return STATE

    def resume(self, state: SourceState) -> None:
        """Note it."""
        self.asked.append(state)

    def collect(self, *, load_start: float, window_start: float, end: float, sent: int) -> ServerSeries:
        """Return the series, or do not respond."""
        self.asked.append((load_start, window_start, end, sent))
        if isinstance(self.answer, SourceError):
            raise self.answer
        return self.answer


def complete(
    folder: Path, source: Healed, *, told: list[str] | None = None
) -> tuple[Outcome, SaveError | None]:
    """Collect a run's server side and grade it; returns the outcome, and what could not be saved."""
    with Interrupts() as interrupts:
        say = (told if told is not None else []).append
        collector = LateCollector(source, tuple(FORMATS.values()), {}, interrupts, say)
        found = regrade([str(folder)], Archive(folder.parent), complete=collector.complete)
    return found.assessment.outcome, collector.save_error


def graded(folder: Path) -> Outcome:
    """Grade what is archived."""
    return regrade([str(folder)], Archive(folder.parent)).assessment.outcome


def test_a_source_that_has_healed_completes_its_run(tmp_path: Path) -> None:
    """Queried with what was archived; the run's evidence, reports and verdict are those of a complete run."""
    folder, source, told = archived(tmp_path), Healed(whole()), list[str]()
    before = (folder / EVIDENCE_FILE).read_bytes()
    assert graded(folder) is Outcome.UNDECIDED
    assert complete(folder, source, told=told) == (Outcome.PASS, None)
    sent = sum(part.sent for part in load_evidence(folder).recording.slices())
    assert source.asked == ["prometheus", STATE, "prom-client", (100.0, 105.0, 145.0, sent)]
    assert told == [f"{folder.name}: the server side was collected"]
    assert graded(folder) is Outcome.PASS, "it stays complete"
    result = json.loads((folder / "result.json").read_text())
    assert result["verdict"] == "pass"
    (warning,) = [each for each in result["warnings"] if each["code"] == late_collection.COLLECTED_LATER]
    assert warning["message"].startswith("the server side was collected at 20")
    assert warning["message"].endswith(f"Z, not after the load: {GONE}")
    assert (folder / ORIGINAL_FILE).read_bytes() == before, "what the run itself left is kept"
    assert complete(folder, source, told=told)[0] is Outcome.PASS
    assert len(source.asked) == 4, "a whole run is not asked for again"


def test_no_secret_is_kept(tmp_path: Path) -> None:
    """The source's responses may hold a credential: in labels, warnings and errors."""
    series = whole()
    leaky = replace(series, incomplete=(f"no {TOKEN}",), queries=(f"up{{token='{TOKEN}'}}",))
    folder = archived(tmp_path)
    complete(folder, Healed(leaky))
    kept = load_evidence(folder)
    assert TOKEN not in repr(kept)
    assert kept.server is not None
    assert "***" in kept.server.queries[0]
    told: list[str] = []
    complete(folder, Healed(SourceError(f"no {TOKEN}")), told=told)
    assert told == [f"{folder.name}: the server side could not be collected: no ***"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(SourceError("refused"), "could not be collected: refused", id="still down"),
        pytest.param(replace(whole(), incomplete=("a gap",)), "is still incomplete: a gap", id="no better"),
    ],
)
def test_an_attempt_costs_nothing(tmp_path: Path, answer: ServerSeries | SourceError, said: str) -> None:
    """Existing evidence is not replaced by less; the verdict is the one without it."""
    part = replace(whole(), incomplete=("no scrape after the load",))
    folder = archived(tmp_path, server=part, server_error="")
    before, outcome = (folder / EVIDENCE_FILE).read_bytes(), graded(folder)
    told: list[str] = []
    assert complete(folder, Healed(answer), told=told) == (outcome, None)
    assert told == [f"{folder.name}: the server side {said}"]
    assert (folder / EVIDENCE_FILE).read_bytes() == before
    assert not (folder / ORIGINAL_FILE).exists()


def test_what_is_not_whole_can_be_asked_for_again(tmp_path: Path) -> None:
    """The first attempt's part is kept; the second completes it, and the original stays."""
    folder = archived(tmp_path)
    before = (folder / EVIDENCE_FILE).read_bytes()
    assert complete(folder, Healed(replace(whole(), incomplete=("a gap",))))[0] is not Outcome.PASS
    assert complete(folder, Healed(whole()))[0] is Outcome.PASS
    assert (folder / ORIGINAL_FILE).read_bytes() == before


def test_a_full_disk_costs_neither_the_evidence_nor_the_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict is based on what was found; the folder is unchanged."""
    folder = archived(tmp_path)
    before = (folder / EVIDENCE_FILE).read_bytes()

    def full(_folder: Path, _evidence: Evidence) -> NoReturn:
        raise SaveError(f"cannot be written: {errno.ENOSPC}")

    monkeypatch.setattr(late_collection, "replace_evidence", full)
    outcome, error = complete(folder, Healed(whole()))
    assert outcome is Outcome.PASS
    assert error is not None
    assert (folder / EVIDENCE_FILE).read_bytes() == before


SCRAPED = TEXT.replace(
    'prometheus: {url: "http://127.0.0.1:9090", ', 'scrape: {urls: ["http://127.0.0.1:1/metrics"], '
)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        pytest.param(SCRAPED.replace(", selector: {job: shop-api}", ""), "what `scrape` showed", id="pages"),
        pytest.param(
            "\n".join(line for line in TEXT.split("\n") if not line.startswith("prometheus")),
            "its spec has no metric source",
            id="no source",
        ),
    ],
)
def test_a_run_that_cannot_be_completed_says_why(tmp_path: Path, spec: str, said: str) -> None:
    """Nothing is queried, and nothing is written."""
    folder, source = archived(tmp_path, spec, late=None), Healed(whole())
    with pytest.raises(UsageError, match=f"--collect: {said}"):
        complete(folder, source)
    assert source.asked == []


def test_grading_uses_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No socket, no look-up: without --collect, and with it for a host that was not allowed."""
    spec = WITH_TOKEN.replace("http://127.0.0.1:9090", "http://prom.example:9090")
    folder = archived(tmp_path, spec)

    def forbidden(name: str) -> Callable[..., NoReturn]:
        def called(*_: object, **__: object) -> NoReturn:
            raise AssertionError(f"the network was used: {name}")

        return called

    for name in ("socket", "create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, forbidden(name))
    assert exit_code_of(["grade", str(folder), "--json"]) == 3
    assert exit_code_of(["report", str(folder), "--format", "markdown"]) == 0
    assert exit_code_of(["report", str(folder), "--format", "markdown", "-o", "-"]) == 0
    assert capsys.readouterr().out.count("# ") == 2, "with -o - it is on standard output as well"
    assert exit_code_of(["grade", str(folder), "--allow-metrics", "prom.example"]) == 2
    assert "goes with --collect" in capsys.readouterr().err
    assert exit_code_of(["grade", str(folder), "--collect"]) == 2
    said = capsys.readouterr().err
    assert "--allow-metrics prom.example" in said
    assert TOKEN not in said
    assert graded(folder) is Outcome.UNDECIDED
