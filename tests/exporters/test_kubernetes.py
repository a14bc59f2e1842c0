"""The manifests of a run on several machines: valid by the published schemas, without secrets."""

import base64
import json
import textwrap
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.main import get_command

from slocheck.cli import app, exit_code_of

VENDORED = Path(__file__).parents[1] / "vendor" / "kubernetes" / "definitions.json"
DEFINITIONS = json.loads(VENDORED.read_text())
KINDS = {
    "ConfigMap": "io.k8s.api.core.v1.ConfigMap",
    "PersistentVolumeClaim": "io.k8s.api.core.v1.PersistentVolumeClaim",
    "Service": "io.k8s.api.core.v1.Service",
    "NetworkPolicy": "io.k8s.api.networking.v1.NetworkPolicy",
    "Job": "io.k8s.api.batch.v1.Job",
}
SPEC = """\
    service: Shop API
    target: {url: "http://shop.default.svc:8080"}
    prometheus:
      url: http://prometheus.default.svc:9090
      selector: {job: shop}
      auth: {bearer_token_env: PROMETHEUS_TOKEN}
    workload: {scenario: scenarios/shop.yaml, rate: 50/s, warmup: 3s, duration: 60s, drain: 10s}
    tiers: [silver]
    gate: silver
    objectives:
      latency_p95: {silver: "< 300ms"}
"""
SCENARIO = """\
    feeders:
      who: {csv: users.csv}
    headers: {Authorization: "Bearer ${SHOP_TOKEN}"}
    flows:
      - name: items
        steps:
          - get: /items/{who.id}
            name: GET /items/{id}
"""
LOCUST_FILE = """\
    from locust import HttpUser, task

    class Buyer(HttpUser):
        @task
        def item(self):
            self.client.get("/items/1")
"""
OPTIONS = ("--workers", "3", "--image", "registry.example.com/slocheck:0.1.0")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, with a spec, its scenario and a CSV file; variables hold two secrets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_TOKEN", "canary-of-the-shop")
    monkeypatch.setenv("PROMETHEUS_TOKEN", "canary-of-prometheus")
    (tmp_path / "scenarios").mkdir()
    write("slo.yaml", SPEC)
    write("scenarios/shop.yaml", SCENARIO)
    write("scenarios/users.csv", "id\n1\n2\n")
    return tmp_path


def write(path: str, text: str) -> None:
    """Write a file of the working folder, dedented."""
    Path(path).write_text(textwrap.dedent(text))


def exported(*options: str, code: int = 0) -> list[dict[str, Any]]:
    """Return the manifests that the command writes."""
    assert exit_code_of(["export", "kubernetes", *OPTIONS, "-o", "made.yaml", *options]) == code
    return list(yaml.safe_load_all(Path("made.yaml").read_text())) if code == 0 else []


def the(manifests: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    """Return the manifest of a kind whose name ends in `name`."""
    (found,) = (
        each for each in manifests if each["kind"] == kind and each["metadata"]["name"].endswith(name)
    )
    return found


def container(job: dict[str, Any]) -> dict[str, Any]:
    """Return a job's only container."""
    (only,) = job["spec"]["template"]["spec"]["containers"]
    return dict(only)


def check(manifest: dict[str, Any]) -> None:
    """Validate a manifest by the schema of its kind; unknown keys are refused."""
    reference = {"$ref": f"#/$defs/{KINDS[manifest['kind']]}"}
    jsonschema.validate(manifest, {**DEFINITIONS, **reference})


@pytest.mark.usefixtures("folder")
def test_all_manifests_are_valid_and_belong_together() -> None:
    """Each by its published schema; selectors find the pods, references lead somewhere, names are labels."""
    manifests = exported()
    for manifest in manifests:
        check(manifest)
    with pytest.raises(jsonschema.ValidationError):
        check({**manifests[0], "dada": {}})
    assert [each["kind"] for each in manifests] == [
        *("ConfigMap", "PersistentVolumeClaim", "Service", "NetworkPolicy", "NetworkPolicy", "Job", "Job")
    ]
    coordinator, workers = (the(manifests, "Job", name)["spec"] for name in ("-coordinator", "-workers"))
    labels = [job["template"]["metadata"]["labels"] for job in (coordinator, workers)]
    service, policies = the(manifests, "Service", "")["spec"], [m["spec"] for m in manifests[3:5]]
    assert service["selector"].items() <= labels[0].items()
    assert not service["selector"].items() <= labels[1].items()
    assert (service["clusterIP"], service["publishNotReadyAddresses"]) == ("None", True)
    for policy, own in zip(policies, labels, strict=True):
        assert policy["podSelector"]["matchLabels"].items() <= own.items()
    (joining,) = policies[0]["ingress"]
    assert joining["from"][0]["podSelector"]["matchLabels"].items() <= labels[1].items()
    assert policies[1]["ingress"] == []
    assert max(len(each["metadata"]["name"]) for each in manifests) <= 63


@pytest.mark.usefixtures("folder")
def test_nothing_is_tried_twice_and_the_command_lines_are_slochecks() -> None:
    """No retry and no restart; an exit code other than 0 fails the job; the options are those that exist."""
    manifests = exported("--allow-metrics", "prometheus.default.svc", "--target", "http://new.default.svc")
    coordinator, workers = (the(manifests, "Job", name) for name in ("-coordinator", "-workers"))
    for job in (coordinator["spec"], workers["spec"]):
        assert job["backoffLimit"] == 0
        assert job["activeDeadlineSeconds"] >= 600 + 3 + 60 + 10
        assert job["template"]["spec"]["restartPolicy"] == "Never"
        assert job["template"]["spec"]["automountServiceAccountToken"] is False
    assert (workers["spec"]["completions"], workers["spec"]["completionMode"]) == (3, "Indexed")
    for job, name in ((coordinator, "run"), (workers, "worker")):
        command, *words = container(job)["args"]
        assert command == name
        group = get_command(app)
        context = group.commands[name].make_context(name, words)  # type: ignore[attr-defined] # a group
        assert context.params["allow_target"] == ["new.default.svc"]
    arguments = container(coordinator)["args"]
    port = the(manifests, "Service", "")["spec"]["ports"][0]["port"]
    assert arguments[arguments.index("--listen") + 1] == f"0.0.0.0:{port}"
    joined = container(workers)["args"]
    assert joined[joined.index("--join") + 1] == f"{the(manifests, 'Service', '')['metadata']['name']}:{port}"
    assert "--json" in arguments
    assert arguments[arguments.index("--target") + 1] == "http://new.default.svc"


@pytest.mark.usefixtures("folder")
def test_the_files_are_as_they_were_and_hold_no_secret() -> None:
    """Spec, scenario and CSV file keep their paths; variables stay variables; bytes stay bytes."""
    write("more.txt", "x")
    Path("latin.csv").write_bytes("id\nä\n".encode("latin-1"))
    manifests = exported("--file", "more.txt", "--file", "latin.csv")
    config = the(manifests, "ConfigMap", "")
    (source,) = next(
        volume["projected"]["sources"]
        for volume in the(manifests, "Job", "-coordinator")["spec"]["template"]["spec"]["volumes"]
        if volume["name"] == "files"
    )
    data = {key: text.encode() for key, text in config["data"].items()}
    data |= {key: base64.b64decode(text) for key, text in config["binaryData"].items()}
    for item in source["configMap"]["items"]:
        assert data.pop(item["key"]) == Path(item["path"]).read_bytes()
    assert not data
    assert "canary" not in Path("made.yaml").read_text()
    assert container(the(manifests, "Job", "-coordinator"))["envFrom"][0]["secretRef"]["optional"] is True


@pytest.mark.usefixtures("folder")
def test_a_locust_file_goes_to_each_worker_and_secret_files_to_a_secret() -> None:
    """A Locust file never comes from the coordinator; keys and tokens are not in the ConfigMap."""
    write("shop.py", LOCUST_FILE)
    write("token.txt", "canary-in-a-file")
    write("client.key", "canary-of-a-key")
    write("client.pem", "not secret")
    spec = SPEC.replace("scenarios/shop.yaml", "shop.py")
    spec = spec.replace("bearer_token_env: PROMETHEUS_TOKEN", "bearer_token_file: token.txt")
    spec = spec.replace('8080"}', '8080", tls: {cert: client.pem, key: client.key}}', 1)
    write("slo.yaml", spec.replace("http://shop", "https://shop"))
    manifests = exported()
    workers = container(the(manifests, "Job", "-workers"))
    assert workers["args"][workers["args"].index("--scenario") + 1] == "shop.py"
    assert workers["workingDir"] == container(the(manifests, "Job", "-coordinator"))["workingDir"]
    volumes = the(manifests, "Job", "-workers")["spec"]["template"]["spec"]["volumes"]
    _, secret = next(each["projected"]["sources"] for each in volumes if each["name"] == "files")
    assert [item["path"] for item in secret["secret"]["items"]] == ["client.key", "token.txt"]
    assert "canary" not in Path("made.yaml").read_text()
    for manifest in manifests:
        check(manifest)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        pytest.param({}, ["--target", "http://127.0.0.1:8000"], "is this machine", id="loopback"),
        pytest.param({}, ["--target", "http://api.localhost"], "is this machine", id="a name of loopback"),
        pytest.param({}, ["--name", "Shop_API"], "lower-case letters", id="name"),
        pytest.param({}, ["--name", "x" * 41], "at most 40", id="a long name"),
        pytest.param({}, ["--join-timeout", "5"], "--join-timeout", id="no unit"),
        pytest.param({}, ["--file", "missing.csv"], "missing.csv: No such file", id="no file"),
        pytest.param({}, ["--file", "/etc/hostname"], "outside of the working folder", id="elsewhere"),
        pytest.param(
            {"scenarios/users.csv": "id\n" + "1\n" * 460_000}, [], "a ConfigMap takes", id="too large"
        ),
        pytest.param(
            {"scenarios/shop.yaml": SCENARIO.replace("${SHOP_TOKEN}", "canary-of-prometheus")},
            [],
            "scenarios/shop.yaml: holds a secret",
            id="a secret as plain text",
        ),
        *(
            pytest.param(
                {"scenarios/shop.yaml": f"{SCENARIO.rstrip()}\n{' ' * 12}{more}\n"},
                [],
                f"{where}: holds a credential in plain text, which an export would show; write ${{NAME}}",
                id=f"a credential in {place}",
            )
            for place, where, more in (
                ("a header", "headers.X-Api-Key", "headers: {X-Api-Key: canary}"),
                ("a cookie", "headers.Cookie", "headers: {Cookie: sid=canary}"),
                ("the query", "query.access_token", "query: {access_token: canary}"),
                ("JSON", "user.password", "json: {user: {name: a, password: canary}}"),
                ("a form", "form.client_secret", "form: {client_secret: canary}"),
            )
        ),
        pytest.param(
            {"scenarios/shop.yaml": SCENARIO.replace("get: /items/{who.id}", "get: /items?api_key=canary")},
            [],
            "get: holds a credential in plain text",
            id="a credential in the path",
        ),
        pytest.param(
            {"slo.yaml": SPEC.replace("gate: silver", "gate: gold")},
            [],
            "slo.yaml:",
            id="a spec that run refuses",
        ),
    ],
)
def test_what_cannot_be_exported_is_refused(
    capsys: pytest.CaptureFixture[str],
    change: dict[str, str],
    options: list[str],
    says: str,
) -> None:
    """Exit 2, with where and what to do, and no file is written."""
    for path, text in change.items():
        write(path, text)
    exported(*options, code=2)
    assert says in capsys.readouterr().err
    assert not Path("made.yaml").exists()


def test_an_unknown_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The message lists what exists."""
    assert exit_code_of(["export", "nomad", *OPTIONS]) == 2
    assert "write kubernetes" in capsys.readouterr().err
