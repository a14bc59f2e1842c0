"""The steps of a run, with a target that listens and an engine whose load is already over."""

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import pytest

from slocheck.evidence.model import Ending, LoadResult, Tick
from slocheck.evidence.warnings import RunWarning
from slocheck.grading.assessment import Assessment, Outcome
from slocheck.grading.report import Report
from slocheck.pipeline.archive import Archive, load_evidence
from slocheck.pipeline.interrupts import Interrupts
from slocheck.pipeline.ports import Adapters, MetricSource
from slocheck.pipeline.regrade import regrade
from slocheck.pipeline.run import RunRequest, RunResult, run
from slocheck.spec.model import Overrides, Spec
from tests.builders.evidence import HEALTH
from tests.builders.recordings import make_recording
from tests.builders.specs import make_spec

TOKEN = "t0ken-4711-secret"
PROMETHEUS = (
    'prometheus: {url: "http://127.0.0.1:1", selector: {job: shop}, auth: {bearer_token_env: SHOP_TOKEN}}\n'
)


@dataclass(frozen=True)
class Ready:
    """What the engine warns of."""

    warnings: tuple[RunWarning, ...] = (RunWarning("test", "a warning"),)
    starts: str = ""


@dataclass
class SentLoad:
    """An engine that returns a recording at once.

    Attributes:
        spec: What it was made for.
        error: Why the generator was lost.
        before_end: Called while the load is sent.
    """

    spec: Spec
    error: str = ""
    before_end: Callable[[], None] = lambda: None
    runs: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was started."""

    def check(self) -> None:
        """Find nothing missing."""

    def listen(self, take: Callable[[bytes], None]) -> None:
        """Print a line, and begin another one."""
        take(b"printed\nand mo")
        take(b"re")

    def prepare(self) -> Ready:
        """Warn."""
        return Ready()

    def run(self, on_tick: Callable[[Tick], None]) -> LoadResult:
        """Report the last second and return the recording."""
        self.runs += 1
        recording = make_recording()
        on_tick(Tick(recording.window_s, "window", 10, recording))
        self.before_end()
        ending = Ending.GENERATOR_LOST if self.error else Ending.COMPLETE
        return LoadResult(
            recording,
            HEALTH,
            ending,
            load_start=100,
            window_start=100,
            end=160,
            versions={},
            error=self.error,
        )

    def finish(self) -> None:
        """The load is over already."""

    stop = kill = finish


@dataclass
class Notes:
    """An observer that keeps what it is told."""

    texts: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def step(self, text: str) -> None:
        """Keep the step."""
        self.texts.append(text)

    warn = step

    def update(self, tick: Tick, grade: Callable[[], Assessment]) -> None:
        """Keep the outcome so far."""
        assert tick.phase == "window"
        self.outcomes.append(grade().outcome)


@dataclass(frozen=True)
class Verdict:
    """A reporter of one word."""

    file_name: str = "verdict.txt"

    def render(self, report: Report) -> str:
        """Return the outcome, and why the generator was lost."""
        return f"{report.assessment.outcome} {report.evidence.generator_error}"


@pytest.fixture
def target() -> Iterator[str]:
    """The address of a target that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def spec_in(folder: Path, target: str, more: str = "") -> Spec:
    """Return a spec whose scenario exists."""
    (folder / "browse.py").write_text("")
    spec = make_spec(more=more)
    return replace(spec, path=str(folder / "slo.yaml"), target=replace(spec.target, url=target))


def no_source(_: Spec) -> MetricSource | None:
    """Grade the client side alone."""
    return None


def run_once(
    spec: Spec,
    folder: Path,
    *,
    reporters: Sequence[Verdict] = (Verdict(),),
    notes: Notes | None = None,
    **changes: object,
) -> RunResult:
    """Make a run into a folder's archive."""

    def engine(spec: Spec, *, seed: int | None, processes: int, allowed_targets: tuple[str, ...]) -> SentLoad:
        assert (seed, processes, allowed_targets) == (7, 2, ("shop.example",))
        return SentLoad(spec, **changes)  # type: ignore[arg-type]  # its own fields

    request = RunRequest(
        spec,
        Overrides(),
        Archive(folder),
        command="slocheck run",
        seed=7,
        processes=2,
        allowed_targets=("shop.example",),
    )
    with Interrupts() as interrupts:
        return run(
            request,
            Adapters(engine, no_source, notes or Notes(), interrupts, tuple(reporters)),
        )


def test_one_process_makes_several_runs(tmp_path: Path, target: str) -> None:
    """Each has its own engine and folder, and a verdict that its archive reproduces."""
    spec = spec_in(tmp_path, target)
    notes = Notes()
    results = [run_once(spec, tmp_path / "reports", notes=notes) for _ in range(2)]
    archive = Archive(tmp_path / "reports")
    assert len(archive.runs()) == len({result.report.folder for result in results}) == 2
    for result in results:
        again = regrade([Path(result.report.folder).name], archive, spec=None)
        assert result.save_error is None
        assert again.assessment.outcome is result.report.assessment.outcome
        assert (Path(result.report.folder) / "verdict.txt").read_text().split()[0] == str(
            again.assessment.outcome
        )
    assert notes.texts.count("a warning") == len(notes.outcomes) == 2
    for result in results:
        assert (Path(result.report.folder) / "scenario.log").read_text() == "printed\nand more\n"
    assert notes.texts[-1] == "sending load"


def test_a_report_that_cannot_be_saved_does_not_cost_the_verdict(tmp_path: Path, target: str) -> None:
    """The result says what could not be saved; the evidence and the other reports are archived."""
    result = run_once(
        spec_in(tmp_path, target), tmp_path / "reports", reporters=(Verdict("missing/verdict.txt"), Verdict())
    )
    assert "missing/verdict.txt: cannot be written" in str(result.save_error)
    (folder,) = Archive(tmp_path / "reports").runs()
    assert load_evidence(folder).provenance.run_id == folder.name
    assert (folder / "verdict.txt").exists()
    assert result.report.assessment.objectives


@dataclass(frozen=True)
class Interrupting(Verdict):
    """A reporter during which a signal comes."""

    def render(self, report: Report) -> str:
        """Send the signal."""
        os.kill(os.getpid(), signal.SIGTERM)
        return super().render(report)


def test_a_signal_while_the_result_is_saved_is_kept_for_the_end(tmp_path: Path, target: str) -> None:
    """Everything is saved and graded; then the command ends with the signal's code."""
    result = run_once(spec_in(tmp_path, target), tmp_path / "reports", reporters=(Interrupting(),))
    assert result.late_signal == "SIGTERM"
    assert (
        Path(result.report.folder) / "verdict.txt"
    ).read_text().strip() == result.report.assessment.outcome
    assert not result.report.evidence.signal


def test_evidence_that_cannot_be_saved_does_not_cost_the_verdict(tmp_path: Path, target: str) -> None:
    """The run is graded although a file stands in place of its folder; what failed first is named."""
    reports = tmp_path / "reports"

    def lose_the_folder() -> None:
        (folder,) = (path for path in reports.iterdir() if path.is_dir())
        shutil.rmtree(folder)
        folder.touch()

    result = run_once(spec_in(tmp_path, target), reports, before_end=lose_the_folder)
    assert "slo.yaml: cannot be written" in str(result.save_error)
    assert result.report.assessment.objectives


def test_secrets_are_masked_in_everything_that_is_kept(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence, written reports, the report that is returned, and a report of the archived run."""
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    spec = spec_in(tmp_path, target, PROMETHEUS)
    result = run_once(spec, tmp_path / "reports", error=f"lost after {TOKEN}")
    (folder,) = Archive(tmp_path / "reports").runs()
    texts = [
        result.report.evidence.generator_error,
        load_evidence(folder).generator_error,
        (folder / "verdict.txt").read_text(),
        regrade([folder.name], Archive(tmp_path / "reports")).evidence.generator_error,
    ]
    assert all("lost after ***" in text and TOKEN not in text for text in texts)
