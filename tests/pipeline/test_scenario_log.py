"""The log of a Locust file's output."""

from pathlib import Path

import pytest

from slocheck.pipeline.scenario_log import LOG_FILE, MAX_LINE, MAX_LOG_BYTES, ScenarioLog


def test_lines_are_kept_and_shown_whole_and_masked(tmp_path: Path) -> None:
    """However they come in, before the folder exists and after."""
    shown: list[str] = []
    log = ScenarioLog(shown.append, ["hunter2"])
    log.take(b"the password is hun")
    log.take(b"ter2\nnot UTF-8: \xe9\nbeg")
    assert shown == ["the password is ***", "not UTF-8: \ufffd"]
    log.open(tmp_path)
    log.take(b"un\nno response from /items?token=abc")
    log.close()
    assert (tmp_path / LOG_FILE).read_text() == (
        "the password is ***\nnot UTF-8: \ufffd\nbegun\nno response from /items?token=***\n"
    )


@pytest.mark.parametrize("folder", ["", "missing"])
def test_a_log_is_bounded_and_costs_nothing_else(tmp_path: Path, folder: str) -> None:
    """An endless line is cut, and one that cannot be written is left out."""
    log = ScenarioLog(None, [])
    log.open(tmp_path / folder)
    for _ in range(20):
        log.take(b"x" * (MAX_LOG_BYTES // 16) + b"\n")
    log.close()
    if not folder:
        text = (tmp_path / LOG_FILE).read_text()
        assert len(text) < MAX_LOG_BYTES + 100
        assert text.endswith("(the log was cut here)\n")


def test_without_output_there_is_no_file(tmp_path: Path) -> None:
    """Most Locust files print nothing."""
    log = ScenarioLog(None, [])
    log.open(tmp_path)
    log.close()
    assert not list(tmp_path.iterdir())


def test_a_line_without_an_end_is_cut(tmp_path: Path) -> None:
    """However much is printed of it; the next line is whole, and no part of a secret is left at the cut."""
    shown: list[str] = []
    log = ScenarioLog(shown.append, ["hunter2"], most=0)
    log.open(tmp_path)
    log.take(b"x" * (MAX_LINE - 4))
    for _ in range(100):
        log.take(b"hunter2")
    log.take(b"\nthe next: hunter2")
    log.close()
    assert shown == [f"{'x' * (MAX_LINE - 4)}***…", "the next: ***"]
    assert not list(tmp_path.iterdir())
