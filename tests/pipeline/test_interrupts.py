"""Signals: the first ends in order, the second at once, neither in the middle of saving."""

import os
import signal

import pytest

from slocheck.pipeline.interrupts import Interrupted, Interrupts


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_before_the_load_ends_the_process_with_its_code(number: int, code: int) -> None:
    """Nothing was sent, so there is nothing to archive."""
    with Interrupts(), pytest.raises(Interrupted) as caught:
        os.kill(os.getpid(), number)
    assert caught.value.exit_code == code


def test_under_load_the_first_stops_and_the_second_kills() -> None:
    """Both are passed on and nothing is raised."""
    calls: list[str] = []
    with (
        Interrupts() as interrupts,
        interrupts.handing_to(lambda: calls.append("stop"), lambda: calls.append("kill")),
    ):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
    assert calls == ["stop", "kill", "kill"]
    assert interrupts.received == "SIGINT"


def test_saving_is_not_interrupted() -> None:
    """A signal while a result is written is noted and changes nothing else."""
    with Interrupts() as interrupts, interrupts.shielded():
        os.kill(os.getpid(), signal.SIGTERM)
    assert interrupts.received == "SIGTERM"


def test_the_old_handlers_come_back() -> None:
    """Outside of a run Python's own handling of Ctrl-C is in place."""
    before = signal.getsignal(signal.SIGINT)
    with Interrupts():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_is_ignored_stays_ignored(number: signal.Signals) -> None:
    """A run under nohup, or in the background of a script, goes on; the other signals still end it."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), number)
            assert signal.getsignal(number) is signal.SIG_IGN
            other = signal.SIGTERM if number is not signal.SIGTERM else signal.SIGHUP
            with pytest.raises(Interrupted):
                os.kill(os.getpid(), other)
        assert signal.getsignal(number) is signal.SIG_IGN
        assert interrupts.received == other.name
    finally:
        signal.signal(number, before)
