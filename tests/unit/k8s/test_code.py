"""What the manifests and compose say of our code is so: settings, images, ports, commands, paths."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from client.__main__ import parser
from faces.messaging.topology import PICTURES_QUEUE
from rest.app import create_app
from tests.support.containers.manifests import Container, Manifests, Object, render, values
from tests.support.settings_table import table

ROOT = Path(__file__).parents[3]
SETTINGS = {row.name for row in table()}
SENDERS = {"smoke", "watch"}  # clients of the server, which know no broker
SCALERS = ("HorizontalPodAutoscaler", "ScaledObject")
TAG = re.compile(r"^.+:\d+(\.\d+)+[-\w]*(@sha256:[a-f0-9]{64})?$")


def compose() -> Object:
    return cast(Object, yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


def ours(rendered: Manifests) -> list[Container]:
    """The fleet's own processes."""
    return [found for found in rendered.containers() if found.ours and found.pod.name not in SENDERS]


def routes() -> set[str]:
    app = create_app(cast(Any, _Silent()), max_bytes=1)
    return {rule.rule for rule in app.url_map.iter_rules()}


class _Silent:
    """Stands for the parts of the server, none of which takes part in its map of routes."""

    event_log = metrics = None


def dockerfile(image: str) -> str:
    return (ROOT / f"Dockerfile.{image.removeprefix('facefleet-').partition(':')[0]}").read_text()


def variable(image: str, name: str) -> str:
    """The value that an image gives a variable."""
    (value,) = re.findall(rf"\b{name}=(\S+)", dockerfile(image))
    return str(value)


def test_variables_are_settings(in_cluster: Manifests) -> None:
    for container in ours(in_cluster):
        named = {variable["name"] for variable in container.spec.get("env", [])}
        for source in container.spec.get("envFrom", []):
            kind, name = (
                ("ConfigMap", "configMapRef") if "configMapRef" in source else ("Secret", "secretRef")
            )
            found = in_cluster.named(kind, source[name]["name"])
            assert found
            named |= set(found["data"])
        assert {"RABBITMQ_HOST", "RABBITMQ_USER", "RABBITMQ_PASSWORD"} <= named <= SETTINGS, str(container)


def test_hosts_are_services(rendered: Manifests) -> None:
    for settings in rendered.of("ConfigMap"):
        for variable in ("REDIS_HOST", "RABBITMQ_HOST"):
            assert variable not in settings["data"] or rendered.named("Service", settings["data"][variable])


def test_well_known_names_and_ports(rendered: Manifests) -> None:
    for name, port in (("redis", 6379), ("rabbitmq", 5672), ("rest", 5000), ("rpc", 50051)):
        service = rendered.named("Service", name)
        assert service
        assert port in {p["port"] for p in service["spec"]["ports"]}
    assert rendered.named("Deployment", "worker")
    assert rendered.named("Deployment", "logs")


def test_images_are_built_from_here_or_pinned(rendered: Manifests) -> None:
    for container in rendered.containers():
        assert TAG.match(container.spec["image"]), str(container)
        if container.ours:
            assert "FROM" in dockerfile(container.spec["image"])


def test_commands_are_modules(rendered: Manifests) -> None:
    commands = [c for key in ("command", "args") for c in values([c.spec for c in ours(rendered)], key)]
    modules = [command[2] for command in commands if command[:2] == ["python", "-m"]]
    assert {"client", "groups", "rpc"} <= set(modules)
    assert [module for module in modules if find_spec(module) is None] == []


def test_a_watched_folder_is_watched_with_arguments_that_there_are(rendered: Manifests) -> None:
    for container in (found for found in rendered.containers() if found.pod.name == "watch"):
        python, module, package, *arguments = container.spec["args"]
        assert (python, module, package) == ("python", "-m", "client")
        assert str(parser().parse_args(arguments).folder) in values(container.spec, "mountPath")
        assert {variable["name"] for variable in container.spec["env"]} <= SETTINGS


def test_probes_do_not_wait_for_requests(rendered: Manifests) -> None:
    """They ask at the port of the metrics, which has threads of its own, and which no stranger reaches."""
    for container in ours(rendered):
        probes = {name: probe for name, probe in container.spec.items() if name.endswith("Probe")}
        asked = {name: probe["httpGet"]["path"] for name, probe in probes.items()}
        assert {probe["httpGet"]["port"] for probe in probes.values()} <= {"metrics"}
        if asked:
            assert asked["livenessProbe"] == "/healthz", "a restart does not bring back what is away"
            assert asked["readinessProbe"] == "/readyz"


def test_a_worker_has_started_once_it_takes_pictures(rendered: Manifests) -> None:
    (worker,) = (found for found in ours(rendered) if found.pod.name == "worker")
    assert worker.spec["startupProbe"]["httpGet"]["path"] == "/readyz", "else liveness ends a slow reader"


def test_scraped_ports_are_served(rendered: Manifests) -> None:
    """The library that answers Prometheus does so on METRICS_PORT, whatever the path."""
    (served,) = (
        int(found["data"]["METRICS_PORT"])
        for found in rendered.of("ConfigMap")
        if "METRICS_PORT" in found["data"]
    )
    for name in ("rest", "rpc", "worker", "groups"):
        (container,) = (found for found in ours(rendered) if found.pod.name == name)
        ports = {port["name"]: port["containerPort"] for port in container.spec["ports"]}
        assert ports["metrics"] == served
    assert served == int(variable("worker", "METRICS_PORT"))
    assert "/metrics" not in routes(), "the port of the routes is open to strangers"


def test_everyone_is_scraped_at_the_port_for_that(rendered: Manifests) -> None:
    monitors = {
        found["metadata"]["name"]: next(values(found, "endpoints"), None)
        or next(values(found, "podMetricsEndpoints"))
        for found in rendered.of("ServiceMonitor", "PodMonitor")
    }
    scraped = {"rest", "rpc", "worker", "groups", "video", "rabbitmq"}
    assert set(monitors) in (set(), scraped)
    assert {endpoint["port"] for endpoints in monitors.values() for endpoint in endpoints} <= {"metrics"}


def test_the_usual_stack_selects_everything_that_is_for_it(rendered: Manifests) -> None:
    for found in rendered.of("ServiceMonitor", "PodMonitor", "PrometheusRule"):
        assert found["metadata"].get("labels") == {"release": "kube-prometheus-stack"}, found["metadata"]


def test_compose_scrapes_whoever_has_metrics() -> None:
    answering = {
        name
        for name, service in compose()["services"].items()
        if "METRICS_PORT" in service.get("environment", {}) and name != "logs"
    }
    jobs = yaml.safe_load((ROOT / "deploy/monitoring/prometheus.yaml").read_text())["scrape_configs"]
    scraped = {name for job in jobs for found in job.get("dns_sd_configs", []) for name in found["names"]}
    assert scraped == answering


def test_the_scaler_watches_our_queue(rendered: Manifests) -> None:
    for metadata in (
        trigger["metadata"] for found in values(rendered.objects, "triggers") for trigger in found
    ):
        assert metadata["queueName"] == PICTURES_QUEUE
        assert metadata["protocol"] == "http"
        assert metadata["excludeUnacknowledged"] == "false"


def test_the_scaler_is_told_where_rabbitmq_is(rendered: Manifests, secrets: list[Object]) -> None:
    (told,) = (secret["stringData"]["host"] for secret in secrets if secret["metadata"]["name"] == "keda")
    name, namespace, port = re.fullmatch(r"http://(\w+)\.(\w+)\.svc:(\d+)/", told).groups()  # type: ignore[union-attr] # asserts
    service = rendered.named("Service", name)
    assert service
    assert namespace == "staging", "as generate was told"
    assert int(port) in {p["port"] for p in service["spec"]["ports"]}


def test_gateways_end_no_stream(rendered: Manifests) -> None:
    """A gateway's limit is for a whole answer, and an answer of events has no end."""
    for route in rendered.of("HTTPRoute"):
        limits = {
            match["path"]["value"]: rule["timeouts"]["request"]
            for rule in route["spec"]["rules"]
            for match in rule["matches"]
        }
        assert set(limits) - {"/", "/v1/videos"} <= routes()
        assert [limits[path] for path in ("/v1/events", "/faces", "/v1/videos")] == ["0s"] * 3


@pytest.mark.parametrize("image", ["rest", "worker"])
def test_images_name_settings_modules_and_files_that_are_there(image: str) -> None:
    text = dockerfile(image).replace("${LOCK}", image)
    environment = set(re.findall(r"^(?:ENV|   )\s+(\w+)=\S+", text, re.MULTILINE))
    foreign = {"PATH", "HOME", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "NUMBA_CACHE_DIR"}
    assert environment - foreign <= SETTINGS
    modules = set(re.findall(r"python -m ([\w.]+)", text)) | set(re.findall(r'"-m", "([\w.]+)"', text))
    assert image in modules
    assert [module for module in modules - {"venv", "compileall"} if find_spec(module) is None] == []
    copied = [
        word
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
        for word in line.split()[:-1]
    ]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, re.MULTILINE)


def test_compose_names_settings_and_files_that_are_there() -> None:
    services = compose()["services"]
    for name in ("rest", "rpc", "worker", "logs"):
        assert set(services[name]["environment"]) <= SETTINGS
        assert (ROOT / services[name]["build"]["dockerfile"]).is_file()
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
    mounts = [mount.split(":")[0] for service in services.values() for mount in service.get("volumes", [])]
    assert all((ROOT / mount).is_file() for mount in mounts if mount.startswith("."))
    assert {mount for mount in mounts if not mount.startswith(".")} == set(compose()["volumes"])


def test_minimum_requests_are_as_documented(tree: Path) -> None:
    cpu = memory = 0.0
    production = render(tree / "overlays/production")
    scaled = {found["spec"]["scaleTargetRef"]["name"]: found["spec"] for found in production.of(*SCALERS)}
    for workload in production.of("Deployment", "StatefulSet"):
        name = workload["metadata"]["name"]
        least = scaled[name].get("minReplicas") or scaled[name]["minReplicaCount"] if name in scaled else None
        count = least or workload["spec"].get("replicas", 1)
        for container in workload["spec"]["template"]["spec"]["containers"]:
            asked = container["resources"]["requests"]
            cpu += count * cores(asked["cpu"])
            memory += count * gibibytes(asked["memory"])
    said = f"{cpu:.1f} cores and {memory:.1f} GiB"
    assert said in (ROOT / "docs/operations.md").read_text()


def cores(quantity: str) -> float:
    return int(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def gibibytes(quantity: str) -> float:
    return int(quantity[:-2]) / {"Mi": 1024, "Gi": 1}[quantity[-2:]]


def test_compose_and_kubernetes_run_the_same_images(rendered: Manifests) -> None:
    in_cluster = {container.spec["image"] for container in rendered.containers()}
    always = [service for service in compose()["services"].values() if "profiles" not in service]
    assert {service["image"] for service in always} <= in_cluster
