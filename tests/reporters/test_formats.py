"""JSON, JUnit and Markdown: what machines and code hosts rely on, with plain and with hostile content."""

import ast
import html
import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

import slocheck
from slocheck.comparison.compare import compare
from slocheck.evidence import warnings
from slocheck.evidence.machines import MachineHealth
from slocheck.evidence.model import Ending
from slocheck.evidence.warnings import RunWarning
from slocheck.grading.assessment import TOO_MANY_BAD, Outcome
from slocheck.pipeline.regrade import graded as regraded
from slocheck.reporters import FORMATS
from slocheck.reporters.github import annotations
from slocheck.reporters.json import document
from slocheck.reporters.terminal.summary import render_summary
from tests.builders.records import runs
from tests.builders.reports import HOSTILE, SPEC_TEXT, hostile_report, parsed, report, unbounded, writable

DOCUMENTED = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
PAGE = Path(__file__).parents[2] / "docs" / "json.md"
FREE_NAMES = ("failed_by_class", "requests_by_status", "versions")


def keys(value: object, path: str = "") -> Iterator[str]:
    """Yield the dotted path of every leaf, as docs/json.md writes it."""
    if isinstance(value, dict):
        free = path.rpartition(".")[2] in FREE_NAMES
        for name, inner in value.items():
            yield from keys(inner, f"{path}.*" if free else f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            yield from keys(item, f"{path}[]")
    else:
        yield path


def test_each_documented_key_exists_and_each_key_is_documented() -> None:
    """The page and the document name the same keys; only a nullable object's own name may be bare."""
    documented = set(DOCUMENTED.findall(PAGE.read_text().partition("## Codes")[0]))
    compared = replace(report(), comparison=compare(runs(0.2, first=30), runs(0.1)))
    machines = (MachineHealth("far", "10.0.0.7", ("worker-1",)),)
    evidence = replace(compared.evidence, health=replace(compared.evidence.health, machines=machines))
    found = set(keys(document(replace(compared, evidence=evidence))))
    nullable = {
        path for path in found - documented if any(name.startswith(f"{path}.") for name in documented)
    }
    assert found - nullable == documented


def constants(tree: ast.Module) -> dict[str, object]:
    """Return the module's names that stand for a literal."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    literals = [(node.targets[0], node.value) for node in assigned if isinstance(node.value, ast.Constant)]
    return {name.id: literal.value for name, literal in literals if isinstance(name, ast.Name)}


def codes(made_by: str) -> set[str]:
    """Return the codes with which slocheck's code makes instances of a class."""
    found = set()
    for path in Path(slocheck.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text())
        names = vars(warnings) | constants(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == made_by and node.args:
                code = node.args[0]
                fixed = code.value if isinstance(code, ast.Constant) else names.get(getattr(code, "id", ""))
                assert fixed, f"{path}:{node.lineno}: not a fixed code"
                found.add(str(fixed))
    return found


def test_every_code_and_every_ending_is_documented() -> None:
    """A CI job can look up every code, and finds none that cannot occur."""
    page = PAGE.read_text()
    _, findings, warnings = page.partition("## Codes")[2].split("[].code`")
    assert set(DOCUMENTED.findall(findings)) == codes("Finding")
    assert set(DOCUMENTED.findall(warnings)) == codes("RunWarning")
    advice = set(DOCUMENTED.findall((PAGE.parent / "invalid.md").read_text().replace("`, `", "` |\n| `")))
    assert advice == codes("Finding")
    (endings,) = re.findall(r"^\| `run.ending` \| (.*) \|$", page, re.MULTILINE)
    assert endings.replace("`", "").split(", ") == [ending.value for ending in Ending]


def test_keys_keep_their_order() -> None:
    """Diffs of two results show what changed and nothing else."""
    first = FORMATS["json"].render(report())
    assert first == FORMATS["json"].render(report())
    assert list(json.loads(first))[:4] == ["schema_version", "verdict", "exit_code", "tier"]


def test_json_has_neither_nan_nor_infinity() -> None:
    """An infinite bound is null, and a flag says so."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    document = json.loads(FORMATS["json"].render(unbounded()), parse_constant=refuse)
    value = document["objectives"][0]["levels"][0]["sides"][0]["value"]
    assert value == {"low": None, "high": None, "unbounded": True}


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["json", "junit", "markdown"])
def test_hostile_text_breaks_no_format(name: str, text: str) -> None:
    """Whatever a target or a spec says, the report is well-formed and has no raw control character."""
    rendered = FORMATS[name].render(hostile_report(text))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", rendered)
    rendered.encode("utf-8")
    if name == "json":
        assert json.loads(rendered)["service"] == writable(text)
    if name == "junit":
        assert ET.fromstring(rendered).tag == "testsuites"
    if name == "markdown":
        marker, _, rest = rendered.partition("\n")
        assert re.fullmatch("<!-- slocheck [a-z0-9_-]+ [0-9a-f]{12} -->", marker)
        outside_code = rest.partition("Run again: `")[0]
        assert "<" not in outside_code
        assert "](" not in outside_code


def cases(rendered: str) -> dict[str, str]:
    """Return each case's result: ``passed``, perhaps with output, or the tag of its only child."""
    found = ET.fromstring(rendered).iter("testcase")
    return {
        str(case.get("name")): case[0].tag if len(case) and case[0].tag != "system-out" else "passed"
        for case in found
    }


def test_junit_results() -> None:
    """A breach is a failure, what the gate does not need is skipped, the rest passes."""
    found = cases(FORMATS["junit"].render(report()))
    assert found["latency_p95 silver"] == "failure"
    assert found["latency_p95 critical"] == "passed"
    assert found["error_rate silver [POST /checkout]"] == "failure"
    assert found["availability gold"] == "skipped"
    assert found["latency_p99 target"] == "skipped"
    assert found["generator-cpu"] == "passed"
    assert found["completed"] == "passed"


JENKINS: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": (
        {"name"},
        {"time", "classname", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    **dict.fromkeys(("skipped", "error", "failure"), (set(), {"type", "message"}, set())),
    **dict.fromkeys(("system-out", "system-err"), (set(), set(), set())),
}
"""What junit-10.xsd of Jenkins' xUnit plugin (github.com/jenkinsci/xunit-plugin) allows.

For each element that slocheck may write: the attributes that it must and may have, and its children.
"""

SUREFIRE_TIME = r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?"
WITH_TEXT = {"skipped", "error", "failure", "system-out", "system-err"}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_junit_keeps_to_the_schema_of_jenkins(outcome: Outcome) -> None:
    """Its xUnit plugin refuses a whole file for one attribute too many."""
    root = ET.fromstring(FORMATS["junit"].render(report(outcome=outcome)))
    assert root.tag == "testsuites"
    for element in root.iter():
        required, optional, children = JENKINS[element.tag]
        assert required <= set(element.attrib) <= required | optional, element.tag
        assert {child.tag for child in element} <= children
        assert element.tag in WITH_TEXT or not (element.text or "").strip()
        if element.tag in {"testsuites", "testsuite"}:
            assert re.fullmatch(SUREFIRE_TIME, element.get("time", ""))


@pytest.mark.parametrize(
    ("case", "lines"),
    [
        (
            "latency_p95 silver",
            [
                "verdict: breached",
                "value: 230ms (server 100ms to 250ms)",
                "limit: silver < 200ms",
                "margin: +30ms",
            ],
        ),
        (
            "availability silver",
            ["verdict: met", "value: 99.66%", "limit: silver >= 99%", "margin: +0.66 points"],
        ),
        ("latency_p99 gold", ["verdict: breached", "value: 451ms", "limit: gold < 250ms", "margin: +201ms"]),
    ],
)
def test_junit_has_the_numbers_in_the_body_too(case: str, lines: list[str]) -> None:
    """GitLab shows the body of a failure and not its message; each case and each number has its line."""
    text = FORMATS["junit"].render(report())
    assert [line.count("<testcase") for line in text.splitlines()].count(1) == text.count("<testcase") > 20
    (found,) = ET.fromstring(FORMATS["junit"].render(report())).iterfind(f".//testcase[@name='{case}']")
    body = (found[0].text or "").splitlines()
    assert body[:4] == lines
    assert body[-1].startswith("spec: slo.yaml:")


def test_junit_undecided_is_an_error() -> None:
    """A CI server shows errors as neither passed nor failed."""
    found = cases(FORMATS["junit"].render(report(outcome=Outcome.UNDECIDED)))
    assert found["latency_p95 silver"] == "error"
    assert found["cache_hit_rate silver"] == "passed"


@pytest.mark.parametrize("name", ["html", "json", "junit", "markdown"])
def test_unverified_certificates_stand_in_every_report_in_words(name: str) -> None:
    """The evidence says so itself, whatever spec it is graded against later."""
    run = report()
    keys_of_tls = ("target.tls.insecure", "prometheus.tls.insecure")
    evidence = replace(run.evidence, provenance=replace(run.evidence.provenance, insecure=keys_of_tls))
    again = regraded(run.spec, [evidence], [Path("runs/1")], secrets=())
    text = html.unescape(FORMATS[name].render(again)).replace("\\", "")
    for key in keys_of_tls:
        assert key in text
        assert f"{key}: true: the certificate was not verified" in text.replace("\u200b", "")


@pytest.mark.parametrize("outcome", [Outcome.INVALID, Outcome.INTERRUPTED])
def test_junit_of_a_run_without_a_verdict_passes_nothing(outcome: Outcome) -> None:
    """Numbers that cannot be trusted neither pass nor fail a case."""
    run = report(outcome=outcome)
    found = cases(FORMATS["junit"].render(run))
    names = tuple(f"{objective.name} " for objective in run.spec.objectives)
    assert {result for name, result in found.items() if name.startswith(names)} == {"error", "skipped"}
    assert found["completed"] == "error"


def test_junit_names_do_not_depend_on_what_was_measured() -> None:
    """A CI server follows a case by its name."""
    names = {tuple(cases(FORMATS["junit"].render(report(outcome=outcome)))) for outcome in Outcome}
    assert len(names) == 1


def test_markdown_stays_below_the_limit_of_a_comment() -> None:
    """Of a thousand objectives the worst are shown with reasons, and a sentence says what was left out."""
    plain = report()
    many = replace(plain.assessment, objectives=plain.assessment.objectives * 200)
    rendered = FORMATS["markdown"].render(replace(plain, assessment=many))
    assert len(rendered.encode()) < 64_000
    table = [line for line in rendered.splitlines() if line.startswith(("| ✗", "| ?", "| ✓", "| ·"))]
    assert table == sorted(table, key=lambda line: "✗?✓·".index(line[2]))
    (said,) = re.findall(r"^_Left out, as a comment may not be longer: (.*)_$", rendered, re.MULTILINE)
    assert said.startswith(f"{1000 - len(table)} of 1,000 lines of the objectives")
    assert said.endswith("The HTML report has all of it.")
    assert "- latency\\_p95 is breached" in rendered
    assert rendered.splitlines()[-1].startswith("Run again: ")
    assert all(line.startswith("|") is line.endswith("|") for line in rendered.splitlines())


def test_markdown_cuts_a_long_text_between_sentences() -> None:
    """A reason of a thousand words loses whole sentences, and ends in an ellipsis."""
    plain = report()
    long = RunWarning("noise", " ".join(f"The sentence {number} is whole." for number in range(100)))
    rendered = FORMATS["markdown"].render(
        replace(plain, assessment=replace(plain.assessment, warnings=(long,)))
    )
    (line,) = [line for line in rendered.splitlines() if line.startswith("- The sentence 0")]
    assert line.endswith("is whole\\.…")


def test_markdown_has_a_marker_for_each_spec() -> None:
    """A bot finds its own comment again, and not the one of another service or of another spec."""
    plain = report()
    other = replace(plain, spec=replace(plain.spec, service="another"))
    provenance = replace(plain.evidence.provenance, spec_path="other/slo.yaml")
    moved = replace(plain, evidence=replace(plain.evidence, provenance=provenance))
    markers = [FORMATS["markdown"].render(found).splitlines()[0] for found in (plain, other, moved, plain)]
    assert markers[0] == markers[3]
    assert len(set(markers)) == 3


def test_junit_attaches_nothing_that_a_target_names() -> None:
    """Jenkins and GitLab read ``[[ATTACHMENT|path]]`` in an output as a file to show."""
    text = "[[ATTACHMENT|/etc/passwd]]"
    assert "[[ATTACHMENT" not in FORMATS["junit"].render(hostile_report(text))


def test_markdown_lists_are_bounded() -> None:
    """Twenty warnings are shown, the rest is counted."""
    plain = report()
    noisy = replace(
        plain.assessment, warnings=tuple(RunWarning("noise", f"warning {number}") for number in range(50))
    )
    rendered = FORMATS["markdown"].render(replace(plain, assessment=noisy))
    assert "warning 19" in rendered
    assert "warning 20" not in rendered
    assert "and 30 more" in rendered


def test_the_table_of_formats_is_light() -> None:
    """Importing the package loads no template engine, no data frame and no XML writer."""
    code = (
        "import sys, slocheck.reporters\n"
        "heavy = {'numpy', 'rich'} & set(sys.modules)\n"
        "import slocheck.reporters.terminal.summary, slocheck.reporters.terminal.live\n"
        "heavy |= {'pandas', 'jinja2', 'junitparser', 'gevent', 'locust'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_markdown_says_each_reason_once() -> None:
    """The headline's reason is not listed again, nor the gate's gaps; the next tier's gaps are."""
    failed = FORMATS["markdown"].render(report(outcome=Outcome.FAIL))
    assert failed.count("error\\_rate is breached") == failed.count("latency\\_p95 is breached") == 1
    assert "Missing for" not in failed
    assert "**Missing for silver**" in FORMATS["markdown"].render(report(outcome=Outcome.PASS))


def test_a_breach_is_told_with_its_numbers() -> None:
    """In each format that people read, and for each side; no format just says that there were too many."""
    found = report()
    texts = {name: FORMATS[name].render(found) for name in ("markdown", "junit")}
    passed = report(outcome=Outcome.PASS)
    out = io.StringIO()
    render_summary(passed, Console(file=out, width=100), {}, verbose=True)
    for text in (out.getvalue(), *(FORMATS[name].render(passed) for name in ("markdown", "html"))):
        assert "297 of 4,174 requests failed or took >= 200ms" in " ".join(html.unescape(text).split())
        assert TOO_MANY_BAD not in html.unescape(text)
    assert TOO_MANY_BAD not in FORMATS["html"].render(found)
    texts["annotations"] = "\n".join(item.text for item in annotations(found))
    for name, text in texts.items():
        plain = html.unescape(text.replace("\\", ""))
        assert "client: 297 of 4,174 requests failed or took >= 200ms, 5% allowed" in plain, name
        assert "client: 10 of 2,090 bad; server: 10 of 2,090 bad" in plain, name
        assert TOO_MANY_BAD not in plain, name


def test_each_format_has_the_status_codes() -> None:
    """How often each occurred, and what never came back, per endpoint if there are endpoints."""
    found = report()
    out = io.StringIO()
    render_summary(found, Console(file=out, width=100), {})
    texts = {name: html.unescape(FORMATS[name].render(found)) for name in ("html", "markdown", "junit")}
    for name, text in {**texts, "terminal": out.getvalue()}.items():
        assert "4,160 x 200, 12 x 503, 2 x no response" in text.replace("\\", ""), name
    for name, text in texts.items():
        assert "2,080 x 200, 10 x 503" in text.replace("\\", ""), name
    read = json.loads(FORMATS["json"].render(found))
    assert read["run"]["requests_by_status"] == {"0": 2, "200": 4160, "503": 12}
    assert [item["requests_by_status"]["503"] for item in read["endpoints"]] == [2, 10]


def test_every_format_takes_an_open_limit_above_all_bucket_boundaries() -> None:
    """The server's value for such a limit has no finite bound."""
    above = parsed(re.sub("< [0-9]+ms", "< 900s", SPEC_TEXT))
    found = regraded(above, [report(Outcome.INVALID).evidence], [Path("reports/run")], secrets=())
    assert all(FORMATS[name].render(found) for name in FORMATS)
