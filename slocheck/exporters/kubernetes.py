"""Kubernetes manifests of a run on several machines: jobs that run once, without an operator.

A coordinator grades, and its exit code is the verdict; an indexed job of workers sends the load. Neither is
ever retried: a second try would be another measurement. No manifest holds a secret; the two files of
``slocheck token`` come from Secrets that the user makes. Fields: kubernetes.io/docs/reference/kubernetes-api.
"""

import base64
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import yaml

from slocheck.errors import UsageError
from slocheck.exporters.request import Request
from slocheck.spec.model.workload import is_locust_file

Manifest = dict[str, Any]

PORT = 7557
"""Where workers join; any port would do, as only they reach it."""

USER = 10001
"""The user of slocheck's container file."""

MAX_CONFIG_BYTES = 900_000
"""Bytes of all files in a ConfigMap, base64 included; Kubernetes takes 1 MiB with all that goes with it."""

SLACK_S = 300.0
"""Time for images, reports and the metric source's last samples before Kubernetes ends both jobs."""

_FILES, _TOKEN, _REPORTS = "/slocheck/files", "/slocheck/token", "/slocheck/reports"
_TEMPORARY = "/tmp"  # noqa: S108 - of the container


def render(request: Request) -> str:
    """Return all manifests as one YAML stream, in the order in which they have to be made.

    Raises:
        UsageError: The files do not fit into a ConfigMap.
    """
    manifests = [
        _files(request),
        _volume_claim(request),
        _service(request),
        *_network_policies(request),
        _coordinator(request),
        _workers(request),
    ]
    return yaml.dump_all(manifests, Dumper=_Dumper, sort_keys=False, width=110)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, as people do, and repeats what occurs twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Return True: an anchor would join unrelated values."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _named(request: Request, part: str, kind: str, version: str = "v1", **content: Any) -> Manifest:
    """Return a manifest whose labels say what it belongs to."""
    labels = {
        "app.kubernetes.io/name": "slocheck",
        "app.kubernetes.io/instance": request.name,
        "app.kubernetes.io/component": part,
    }
    metadata = {"name": f"{request.name}-{part}", "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}


def _labels(request: Request, role: str) -> Mapping[str, str]:
    return {"app.kubernetes.io/instance": request.name, "app.kubernetes.io/component": role}


def _files(request: Request) -> Manifest:
    data, binary = dict[str, str](), dict[str, str]()
    for key, (_, content) in _keyed(request).items():
        try:
            data[key] = content.decode()
        except UnicodeDecodeError:
            binary[key] = base64.b64encode(content).decode("ascii")
    size = sum(len(value.encode()) for value in (*data.values(), *binary.values()))
    if size > MAX_CONFIG_BYTES:
        raise UsageError(
            f"the files of the spec have {size:,} bytes; a ConfigMap takes {MAX_CONFIG_BYTES:,}; shorten the "
            "CSV files, or build all files into an image of your own and name it with --image"
        )
    held: Manifest = {key: value for key, value in (("data", data), ("binaryData", binary)) if value}
    return _named(request, "files", "ConfigMap", **held)


def _keyed(request: Request) -> dict[str, tuple[str, bytes]]:
    """Return path and content of each file by its key: a key has no slash."""
    keys = [f"file-{number}" for number in range(len(request.files))]
    return dict(zip(keys, sorted(request.files.items()), strict=True))


def _volume_claim(request: Request) -> Manifest:
    """The report outlives the coordinator's pod."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return _named(request, "reports", "PersistentVolumeClaim", spec=spec)


def _service(request: Request) -> Manifest:
    """The coordinator's name is known before it is ready: workers look for it while it starts."""
    spec = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": _labels(request, "coordinator"),
        "ports": [{"name": "join", "port": PORT, "targetPort": PORT, "protocol": "TCP"}],
    }
    return _named(request, "coordinator", "Service", spec=spec)


def _network_policies(request: Request) -> list[Manifest]:
    """Only workers reach the coordinator, nothing reaches a worker; outgoing connections are not limited."""
    joining = {
        "from": [{"podSelector": {"matchLabels": _labels(request, "workers")}}],
        "ports": [{"port": PORT, "protocol": "TCP"}],
    }
    return [
        _named(
            request,
            role,
            "NetworkPolicy",
            "networking.k8s.io/v1",
            spec={
                "podSelector": {"matchLabels": _labels(request, role)},
                "policyTypes": ["Ingress"],
                "ingress": allowed,
            },
        )
        for role, allowed in (("coordinator", [joining]), ("workers", []))
    ]


def _coordinator(request: Request) -> Manifest:
    arguments = [
        *("run", request.spec_file, "--json"),
        *("--workers", str(request.workers), "--listen", f"0.0.0.0:{PORT}"),
        *("--token-file", f"{_TOKEN}/coordinator.token", "--join-timeout", f"{request.join_s:g}s"),
        *("--reports", _REPORTS, *_allowed(request)),
        *(("--target", request.target) if request.target else ()),
        *(word for host in request.allowed_metrics for word in ("--allow-metrics", host)),
    ]
    claim = {"claimName": f"{request.name}-reports"}
    mounted = {
        "files": (_FILES, _projected(request)),
        "token": (_TOKEN, {"secret": {"secretName": f"{request.name}-coordinator", "defaultMode": 0o440}}),
        "reports": (_REPORTS, {"persistentVolumeClaim": claim}),
    }
    return _job(request, "coordinator", arguments, mounted, {})


def _workers(request: Request) -> Manifest:
    arguments = [
        *("worker", "--join", f"{request.name}-coordinator:{PORT}", "--name", "$(POD_NAME)"),
        *("--token-file", f"{_TOKEN}/worker.token", "--join-timeout", f"{request.join_s:g}s"),
        *_allowed(request),
    ]
    mounted = {"token": (_TOKEN, {"secret": {"secretName": f"{request.name}-workers", "defaultMode": 0o440}})}
    if is_locust_file(request.spec.workload.scenario):  # a Locust file is never sent: each worker has its own
        arguments += ["--scenario", request.scenario_file]
        mounted["files"] = (_FILES, _projected(request))
    job = {"completions": request.workers, "parallelism": request.workers, "completionMode": "Indexed"}
    return _job(request, "workers", arguments, mounted, job)


def _allowed(request: Request) -> list[str]:
    return ["--allow-target", urlsplit(request.spec.target.url).hostname or ""]


def _projected(request: Request) -> Manifest:
    """The spec's folder: the ConfigMap's files, and secret files next to them."""
    items = [{"key": key, "path": path} for key, (path, _) in _keyed(request).items()]
    sources: list[Manifest] = [{"configMap": {"name": f"{request.name}-files", "items": items}}]
    if request.secret_files:
        secret = [{"key": path.replace("/", "."), "path": path} for path in request.secret_files]
        sources.append({"secret": {"name": f"{request.name}-files", "items": secret}})
    return {"projected": {"defaultMode": 0o440, "sources": sources}}


def _job(
    request: Request,
    role: str,
    arguments: list[str],
    mounted: Mapping[str, tuple[str, Manifest]],
    job: Manifest,
) -> Manifest:
    """Return a job whose pods run once, without access to the cluster."""
    volumes = {**mounted, "temporary": (_TEMPORARY, {"emptyDir": {}})}
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": True,
            **dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"), USER),
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [_apart(request, role)],
        "containers": [_container(request, role, arguments, volumes)],
        "volumes": [{"name": name, **source} for name, (_, source) in volumes.items()],
    }
    labels = {"app.kubernetes.io/name": "slocheck", **_labels(request, role)}
    template = {"metadata": {"labels": labels}, "spec": pod}
    once = {
        "backoffLimit": 0,
        "podReplacementPolicy": "Failed",
        "activeDeadlineSeconds": math.ceil(_longest_s(request)),
    }
    return _named(request, role, "Job", "batch/v1", spec={**once, **job, "template": template})


def _longest_s(request: Request) -> float:
    """Return when a job is over at the latest, also if its image is never found: seconds."""
    workload = request.spec.workload
    return request.join_s + workload.warmup + workload.duration + workload.drain + SLACK_S


def _container(
    request: Request, role: str, arguments: list[str], volumes: Mapping[str, tuple[str, Manifest]]
) -> Manifest:
    """Return the container of a pod: without privileges, and with variables that the user may give."""
    return {
        "name": role,
        "image": request.image,
        "args": arguments,
        **({"workingDir": _FILES} if "files" in volumes else {}),
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "HOME", "value": _TEMPORARY},
        ],
        "envFrom": [{"secretRef": {"name": f"{request.name}-environment", "optional": True}}],
        "resources": {"requests": {"cpu": "1", "memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": name, "mountPath": path, **({} if _is_written(name) else {"readOnly": True})}
            for name, (path, _) in volumes.items()
        ],
    }


def _is_written(volume: str) -> bool:
    return volume in ("reports", "temporary")


def _apart(request: Request, role: str) -> Manifest:
    """Spread pods over nodes if there are enough: two generators on one node share its processors."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": _labels(request, role)},
    }
