"""Foreign text attacks each place where it is shown; the control shows it unescaped."""

import io
import json
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.console import Console

from slocheck.reporters import FORMATS
from slocheck.reporters.terminal.summary import render_summary
from tests.builders.reports import HOSTILE, hostile_report
from tests.e2e.support.browser import Browser
from tests.e2e.support.cli import slocheck, write_spec
from tests.faults.catalogue import Fault, Seen, words_of
from tests.faults.runs import plain
from tests.support.html_page import read

RUNS = "document.title='run'"
AIMED = (*(text.replace("alert(1)", RUNS) for text in HOSTILE), f'<img src=x onerror="{RUNS}">')
RAISED = "raise ValueError('erase \\x1b[2J it\\n::error::pwned\\n##vso[task.complete result=Succeeded]done')"
COMMANDS = re.compile(r"\x1b|[\x80-\x9f]|^\s*::|##\w*\[", re.MULTILINE)
"""What a terminal or a CI runner obeys."""
FILE = f"from locust import HttpUser, task\n\n{RAISED}\n"


def _browsed(document: Callable[[str], str], folder: Path) -> Seen:
    """Open a page for each text; count those in which a script ran or an element was added."""
    obeyed, asked = 0, 0
    with Browser(folder / "profile") as browser:
        for number, text in enumerate(AIMED):
            page = folder / f"{number}.html"
            page.write_text(document(text), encoding="utf-8", errors="replace")
            title = browser.evaluate(page.as_uri(), "document.title")
            found = read(browser.dom(page.as_uri(), scripts=False)).tags
            foreign = [
                tag for tag, of in found if tag == "img" or "evil" in f"{of.get('src')}{of.get('href')}"
            ]
            obeyed += title == "run" or bool(foreign)
        asked = sum("ERR_" in complaint or "Refused" in complaint for complaint in browser.complaints)
    said = f"{obeyed} of {len(AIMED)} texts became elements or ran; {asked} complaints"
    return Seen(None, said, "" if document is _naive else "a text became more" if obeyed or asked else "")


def _naive(text: str) -> str:
    return f"<!doctype html><html><head><title>t</title></head><body><p>{text}</p></body></html>"


def _html(text: str) -> str:
    return FORMATS["html"].render(hostile_report(text))


def _rendered(name: str, faults: Callable[[str], Iterable[str]], _folder: Path) -> Seen:
    """Render a report for each text, and look for what its reader would obey."""
    found = [fault for text in AIMED for fault in faults(FORMATS[name].render(hostile_report(text)))]
    return Seen(None, f"{len(found)} of {len(AIMED)} texts obeyed", found[0] if found else "")


def _in_markdown(document: str) -> Iterable[str]:
    text = re.sub("(`+) .* \\1", "", document)  # without code
    if re.search(r"(?<!\w)@(?=everyone)", text):
        yield "a mention"
    if re.search(r"(?<!\\)!\[|<(?:img|script)|^# ", text, re.MULTILINE):
        yield "an image, markup or a heading"
    if COMMANDS.search(document):
        yield "a command"


def _in_xml(document: str) -> Iterable[str]:
    texts = [
        text for one in ET.fromstring(document).iter() for text in (one.text or "", *one.attrib.values())
    ]
    if any(COMMANDS.search(text) for text in texts):
        yield "a command"


def _in_json(document: str) -> Iterable[str]:
    def refuse(name: str) -> float:
        raise ValueError(name)

    json.loads(document, parse_constant=refuse)
    if re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", document):
        yield "a control character"
    if COMMANDS.search(document):
        yield "a command"


def _messages(folder: Path) -> Seen:
    """An exception at import, on standard error."""
    write_spec(folder, "http://127.0.0.1:1", scenario=FILE)
    done = slocheck("run", "-v", cwd=folder)
    found = COMMANDS.findall(done.stdout + done.stderr)
    words = words_of(done).replace(str(folder), ".")
    return Seen(done.returncode, words, "a command is obeyed" if found else "")


def _messages_of_locust(folder: Path) -> Seen:
    done = plain(folder, "http://127.0.0.1:1", FILE)
    return Seen(done.returncode, f"{len(COMMANDS.findall(done.stderr))} sequences and commands as they are")


def _terminal(_folder: Path) -> Seen:
    found = 0
    for text in AIMED:
        console = Console(file=io.StringIO(), width=100)
        render_summary(hostile_report(text), console, {})
        assert isinstance(console.file, io.StringIO)
        found += bool(COMMANDS.search(console.file.getvalue()))
    return Seen(None, f"{found} of {len(AIMED)} texts obeyed", "a command is obeyed" if found else "")


FAULTS = (
    Fault("HTML report in a browser", (), partial(_browsed, _html), partial(_browsed, _naive)),
    Fault("summary on a terminal or in a log", (), _terminal),
    Fault("Markdown", (), partial(_rendered, "markdown", _in_markdown)),
    Fault("JUnit", (), partial(_rendered, "junit", _in_xml)),
    Fault("JSON", (), partial(_rendered, "json", _in_json)),
    Fault("exception at import, on standard error", (2,), _messages, _messages_of_locust),
)
