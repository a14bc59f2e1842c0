"""CSV files of feeders: costs that depend only on their size, and bounds checked before the load."""

import hashlib
import tracemalloc
from collections import Counter

import pytest

from slocheck.errors import SpecError
from slocheck.scenario.compile.compiled import CompiledScenario, compile_scenario
from slocheck.scenario.loader import parse_scenario
from slocheck.scenario.model import CsvFeeder, Scenario
from slocheck.scenario.parse import csv_tables, feeders


class Folder:
    """Files in memory that count how often each is read, and how much of it was asked for."""

    def __init__(self, **files: bytes) -> None:
        self.files = {f"{name}.csv": content for name, content in files.items()}
        self.reads: Counter[str] = Counter()

    def read(self, name: str, most: int) -> bytes:
        """Return the first bytes of a file."""
        self.reads[name] += 1
        return self.files[name.removeprefix("./")][: most + 1]

    def scenario(self, used: dict[str, str], names: str = "file", **more: str) -> Scenario:
        """Return a scenario whose feeders, by name, read these files; each sends its column `names`."""
        fed = "".join(f"  {name}: {{csv: {file}}}\n" for name, file in used.items())
        fed += "".join(f"  {name}: {feeder}\n" for name, feeder in more.items())
        steps = "".join(f"      - {{get: '/{{{name}.{names}}}', name: GET /}}\n" for name in used)
        text = f"feeders:\n{fed}flows:\n  - steps:\n{steps or '      - {get: /}'}"
        return parse_scenario(text.encode(), "s.yaml", environment={}, read=self.read)

    def said(self, used: dict[str, str], names: str = "file", **more: str) -> str:
        """Return the first problem of such a scenario."""
        with pytest.raises(SpecError) as caught:
            self.scenario(used, names, **more)
        return str(caught.value.problems[0])


def compiled(scenario: Scenario) -> CompiledScenario:
    """Return what a worker sends."""
    return compile_scenario(scenario, authority="127.0.0.1:80", base_path="")


def peak(folder: Folder, count: int) -> int:
    """Return the most bytes that so many feeders of one file take, up to the first requests of a load."""
    tracemalloc.start()
    try:
        scenario = folder.scenario({f"f{number}": "a.csv" for number in range(count)})
        assert next(compiled(scenario).iterations(seed=1, index=0, processes=1))[1]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_feeders_of_one_file_share_it() -> None:
    """It is read once and its values are encoded once: ten feeders cost little more than one."""
    rows = b"".join(b"user %d@example.org\n" % number for number in range(20_000))
    folder = Folder(a=b"file\n" + rows)
    one, ten = peak(folder, 1), peak(folder, 10)
    assert folder.reads == {"a.csv": 2}, "once a scenario"
    assert ten < one + 3_000_000
    scenario = folder.scenario({"f": "a.csv", "g": "./a.csv"})
    assert folder.reads == {"a.csv": 3}, "under whatever name"
    tables = [feeder.table for feeder in scenario.feeders.values() if isinstance(feeder, CsvFeeder)]
    assert tables[0] is tables[1]
    hashed = hashlib.sha256(scenario.text.encode() + folder.files["a.csv"])
    assert scenario.sha256 == hashed.hexdigest()


@pytest.mark.parametrize("line", [b"\n", b"\r\n", b"1\n", b"a,b\n"])
def test_memory_is_a_small_multiple_of_the_file(line: bytes) -> None:
    """However short its lines are."""
    header = b"file,x\n" if b"," in line else b"file\n"
    size = 400_000
    folder = Folder(a=header + b"long\n"[: 5 * (b"," not in line)] + line * (size // len(line)))
    tracemalloc.start()
    try:
        folder.scenario({"f": "a.csv"})
        assert tracemalloc.get_traced_memory()[1] < 12 * size
    finally:
        tracemalloc.stop()


class CountedName(str):
    """A name that counts how often it is compared."""

    compared = 0
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        CountedName.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_many_columns_cost_no_more_than_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns are not compared pairwise; a missing one is reported without listing them all."""
    names = [f"c{number}" for number in range(40_000)]
    monkeypatch.setattr(csv_tables, "_columns", counting(csv_tables._columns))
    folder = Folder(a=f"{','.join(names)}\n{','.join(names)}\n".encode())
    scenario = folder.scenario({"f": "a.csv"}, "c39999")
    assert CountedName.compared < 1000
    ((_, values),) = [next(compiled(scenario).iterations(seed=1, index=0, processes=1))]
    assert values == ["c39999"]
    said = folder.said({"f": "a.csv"}, "nothing like it")
    assert "unknown column of f 'nothing like it'; write one of c0, c1, " in said
    assert said.endswith(", or one of 39,901 more")
    assert len(said) < 1000


def counting(make: object) -> object:
    """Return a function that gets names which count how often they are compared."""
    return lambda header, file: make(list(map(CountedName, header)), file)  # type: ignore[operator]


def test_all_files_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes and in values; no more is asked for than may still be read, and the file is named."""
    monkeypatch.setattr(csv_tables, "MAX_CSV", 100)
    folder = Folder(a=b"file\n" + b"1\n" * 20, b=b"file\n" + b"2\n" * 30, c=b"file\n" + b"3\n" * 99)
    assert "'b.csv' is over 100 bytes, the CSV files before it included" in folder.said(
        {"f": "a.csv", "g": "b.csv"}
    )
    assert "'c.csv' is over 100 bytes; write a shorter file" in folder.said({"f": "c.csv"})
    monkeypatch.setattr(csv_tables, "MAX_CSV", 1000)
    monkeypatch.setattr(csv_tables, "MOST_VALUES", 49)
    assert "'b.csv': line 31 is over 49 values" in folder.said({"f": "a.csv", "g": "b.csv"})
    assert folder.scenario({"f": "a.csv", "g": "a.csv"}).feeders.keys() == {"f", "g"}


def test_zipf_feeders_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their ranks take memory, whichever feeder they belong to."""
    monkeypatch.setattr(feeders, "MOST_RANKS", 10)
    zipf = "{zipf: {from: 1, to: 6}}"
    assert "has 6 values; write at most 10 in all zipf feeders together" in Folder().said({}, a=zipf, b=zipf)
