"""The pages: their links lead somewhere, and what they quote is what the program says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import slocheck

HOME = Path(__file__).parents[1]
PAGES = (*sorted(HOME.glob("*.md")), *sorted((HOME / "docs").rglob("*.md")))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
FIRST_CELL = re.compile(r"^\| ([a-z][^|]+) \|", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", CODE_BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_of_it(page: Path) -> None:
    """Links to other sites are not followed."""
    broken = []
    for link in LINK.findall(CODE_BLOCK.sub("", page.read_text())):
        name, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", name):
            continue
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_linked_from_the_readme() -> None:
    """Every page can be reached from the README."""
    linked = set(LINK.findall((HOME / "README.md").read_text()))
    assert {str(page.relative_to(HOME)) for page in (HOME / "docs").rglob("*.md")} <= linked


def test_the_reasons_that_the_page_on_undecided_quotes_are_the_programs() -> None:
    """Each of them is in the code, apart from its numbers."""
    code = "\n".join(path.read_text() for path in Path(slocheck.__file__).parent.rglob("*.py"))
    text = re.sub(r'"\s+f?"', "", code)
    quoted = FIRST_CELL.findall((HOME / "docs" / "undecided.md").read_text())[1:]
    parts = [part.strip(" ,;:") for reason in quoted for part in re.split(r"\b[NMK]\b|;| \.\.\. ", reason)]
    assert len(quoted) > 9
    assert [part for part in parts if part and part not in text] == []


FOREIGN = re.compile(
    r"^(?:!!!|\?\?\?|:::|\{%|\[TOC\]|=== \")|<(?!!--)/?[a-z]+[ >/]|\{[:#.][a-z]|\[\[", re.MULTILINE
)
"""Syntax that one generator or its plugin reads, and others show verbatim."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_are_plain_markdown(page: Path) -> None:
    """A site generator builds them without a plugin, as GitHub shows them."""
    text = re.sub(r"`[^`\n]*`", "", CODE_BLOCK.sub("", page.read_text()))
    assert FOREIGN.findall(text) == []
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert "```mermaid" not in page.read_text()


def test_a_site_generator_builds_the_pages_without_a_plugin(tmp_path: Path) -> None:
    """Zensical finds no issue in them, README first; each page becomes one, and the pictures are there."""
    pages = tmp_path / "pages"
    shutil.copytree(HOME / "docs", pages / "docs")
    (pages / "reports").mkdir()
    for name in (*(page.name for page in HOME.glob("*.md")), "LICENSE", "reports/README.md"):
        shutil.copy(HOME / name, pages / name)
    config = tmp_path / "zensical.toml"
    config.write_text('[project]\nsite_name = "slocheck"\ndocs_dir = "pages"\n')
    build = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", str(config)]
    done = subprocess.run(build, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    built = {
        str(page.parent.relative_to(tmp_path / "site")) for page in (tmp_path / "site").rglob("index.html")
    }
    assert {str(page.relative_to(pages).with_suffix("")) for page in (pages / "docs").rglob("*.md")} <= built
    home = (tmp_path / "site" / "index.html").read_text()
    assert 'src="docs/pictures/terminal.svg"' in home
