"""The catalogue itself: what counts as wrong, and that the page shows a run of all of it."""

import re
from pathlib import Path

import pytest

from tests.faults.__main__ import PARTS, chosen, main
from tests.faults.catalogue import Fault, Row, Seen, table

PAGE = Path(__file__).parents[2] / "docs" / "development" / "reliability.md"


def _nothing(_folder: Path) -> Seen:
    return Seen(0, "")


@pytest.mark.parametrize(
    ("ends", "seen", "wrong"),
    [
        pytest.param((1, 3), Seen(3, "undecided"), "", id="as promised"),
        pytest.param((1, 3), Seen(0, "met"), "exit 0, not 1 or 3", id="another code"),
        pytest.param((), Seen(None, "0 of 9"), "", id="without a code"),
        pytest.param((4,), Seen(4, "lost", "it passes"), "it passes", id="a promise that was not kept"),
        pytest.param((-9,), Seen(-9, ""), "", id="killed"),
    ],
)
def test_a_fault_that_ends_otherwise_is_wrong(ends: tuple[int, ...], seen: Seen, wrong: str) -> None:
    """By its exit code, or by what its run checks."""
    assert Row("part", Fault("fault", ends, _nothing), seen, None).wrong == wrong


def test_a_row_of_the_table_stays_one() -> None:
    """Whatever the message: one line, bounded, without a bar or a tag."""
    row = Row("part", Fault("f", (4,), _nothing), Seen(4, "a | b\n<c> " + "x" * 200), Seen(-9, "dead"))
    (_, _, line) = table([row], "Locust alone").splitlines()
    assert line.startswith("| f | 4 | a \\| b &lt;c> xxx")
    assert line.endswith("…| signal 9 | dead |".replace("…|", "… |"))
    assert len(line) < 160


def test_names_are_unique_and_choose(capsys: pytest.CaptureFixture[str]) -> None:
    """Faults are chosen by part and name; a text that matches none is an error."""
    names = [(part, fault.name) for part, fault in chosen()]
    assert len(names) == len(set(names)) == sum(len(faults) for faults, _ in PARTS.values()) > 80
    assert main(["--only", "of that name there is none"]) == 1
    assert main(["--only", "spec: nothing"]) == 0
    out = capsys.readouterr().out
    assert "| spec: nothing | 2 | slo.yaml:1:1 is empty; write a spec" in out
    assert "1 fault, 0 ended otherwise than promised" in out


def test_the_page_shows_every_fault_as_it_has_to_end() -> None:
    """The page has what real runs printed: all parts, all names, and no wrong end."""
    _, _, shown = PAGE.read_text().partition("## The catalogue")
    for part, (faults, _) in PARTS.items():
        _, found, rest = shown.partition(f"### {part}\n")
        assert found, part
        rows = re.findall(r"^\| (.+?) \| (.*?) \|", rest.partition("\n##")[0], re.MULTILINE)
        ends = dict(rows[2:])
        assert list(ends) == [fault.name for fault in faults], part
        for fault in faults:
            allowed = {str(end) if end >= 0 else f"signal {-end}" for end in fault.ends} or {""}
            assert ends[fault.name] in allowed, fault.name
