"""Which files a Locust file consists of, and how two machines' differ."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from slocheck.load.users.own_files import differences

PROGRAM = """
import json, sys
from pathlib import Path
from slocheck.load.users.own_files import OwnFiles

files = OwnFiles(sys.argv[1])
open(Path(sys.argv[1]).with_name("before.csv")).read()
files.watch()
sys.path.insert(0, str(Path(sys.argv[1]).parent))
import browse
found = files.manifest()
open(Path(sys.argv[1]).with_name("after.csv")).read()
assert files.manifest() == found
print(json.dumps(found))
"""


def test_file_modules_and_data_count_and_nothing_else(tmp_path: Path) -> None:
    """Data counts if it is read from below the folder while the file is loaded; written files do not."""
    folder = tmp_path / "scenarios"
    (folder / "data").mkdir(parents=True)
    texts = {
        "browse.py": "import helper\nfrom pathlib import Path\nhere = Path(__file__).parent\n"
        "(here / 'data' / 'rows.csv').read_text()\n(here / 'log.txt').write_text('x')\n"
        "(here.parent / 'elsewhere.csv').read_text()\n",
        "helper.py": "X = 1\n",
        "unused.py": "",
        "data/rows.csv": "1\n",
        "before.csv": "",
        "after.csv": "",
        "../elsewhere.csv": "",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder / "browse.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = {
        name: hashlib.sha256(texts[name].encode()).hexdigest()
        for name in ("browse.py", "helper.py", "data/rows.csv")
    }
    assert expected == json.loads(done.stdout)


@pytest.mark.parametrize(
    ("here", "there", "says"),
    [
        pytest.param({"a.py": "1"}, {"a.py": "1"}, "", id="equal"),
        pytest.param({"a.py": "1"}, {"a.py": "2"}, "a.py (differs)", id="differs"),
        pytest.param({}, {"a.py": "1"}, "a.py (missing here)", id="missing"),
        pytest.param({"b.py": "1"}, {}, "b.py (only here)", id="more"),
        pytest.param({}, {f"{n}.py": "" for n in range(7)}, "4.py (missing here) and 2 more;", id="many"),
    ],
)
def test_differences_are_named(here: dict[str, str], there: dict[str, str], says: str) -> None:
    """Each file with how it differs, five at most."""
    found = differences(here, there)
    assert bool(found) == bool(says)
    assert says in found
