"""What the manifests and compose say of our code is so: settings, images, ports, commands, paths."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from faces.config import table
from faces.topology import PICTURES_QUEUE
from rest.app import create_app
from tests.support.manifests import Container, Manifests, Object, values

ROOT = Path(__file__).parents[3]
SETTINGS = {row.name for row in table()}
TAG = re.compile(r"^.+:\d+(\.\d+)+[-\w]*$")


def compose() -> Object:
    return cast(Object, yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


def ours(rendered: Manifests) -> list[Container]:
    return [container for container in rendered.containers() if container.ours]


def routes() -> set[str]:
    app = create_app(cast(Any, _Silent()), max_bytes=1)
    return {rule.rule for rule in app.url_map.iter_rules()}


class _Silent:
    """Stands for the parts of the server, none of which takes part in its map of routes."""

    event_log = metrics = None


def dockerfile(image: str) -> str:
    return (ROOT / f"Dockerfile.{image.removeprefix('facefleet/').partition(':')[0]}").read_text()


def variable(image: str, name: str) -> str:
    """The value that an image gives a variable."""
    (value,) = re.findall(rf"\b{name}=(\S+)", dockerfile(image))
    return str(value)


def test_variables_are_settings(rendered: Manifests) -> None:
    for container in ours(rendered):
        named = {variable["name"] for variable in container.spec.get("env", [])}
        for source in container.spec.get("envFrom", []):
            kind, name = (
                ("ConfigMap", "configMapRef") if "configMapRef" in source else ("Secret", "secretRef")
            )
            found = rendered.named(kind, source[name]["name"])
            assert found
            named |= set(found["data"])
        assert {"RABBITMQ_HOST", "RABBITMQ_USER", "RABBITMQ_PASSWORD"} <= named <= SETTINGS, str(container)


def test_hosts_are_services(rendered: Manifests) -> None:
    for settings in rendered.of("ConfigMap"):
        for variable in ("REDIS_HOST", "RABBITMQ_HOST"):
            assert variable not in settings["data"] or rendered.named("Service", settings["data"][variable])


def test_well_known_names_and_ports(rendered: Manifests) -> None:
    for name, port in (("redis", 6379), ("rabbitmq", 5672), ("rest", 5000)):
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
    assert {"client", "groups"} <= set(modules)
    assert [module for module in modules if find_spec(module) is None] == []


def test_probed_paths_are_routes(rendered: Manifests) -> None:
    probed = {get["path"] for container in ours(rendered) for get in values(container.spec, "httpGet")}
    assert probed == {"/healthz", "/readyz"}
    assert probed <= routes()


def test_scraped_ports_are_served(rendered: Manifests) -> None:
    """The library that answers Prometheus does so on METRICS_PORT, whatever the path."""
    (served,) = (
        int(found["data"]["METRICS_PORT"])
        for found in rendered.of("ConfigMap")
        if "METRICS_PORT" in found["data"]
    )
    for name in ("rest", "worker", "groups"):
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
    assert set(monitors) in (set(), {"rest", "worker", "groups", "rabbitmq"})
    assert {endpoint["port"] for endpoints in monitors.values() for endpoint in endpoints} <= {"metrics"}


def test_the_scaler_watches_our_queue(rendered: Manifests) -> None:
    for metadata in (
        trigger["metadata"] for found in values(rendered.objects, "triggers") for trigger in found
    ):
        assert metadata["queueName"] == PICTURES_QUEUE
        assert metadata["protocol"] == "http"
        assert metadata["excludeUnacknowledged"] == "false"
        host, port = re.fullmatch(r"http://(.+):(\d+)/", metadata["host"]).groups()  # type: ignore[union-attr] # asserts
        name, namespace, _ = host.split(".")
        service = rendered.named("Service", name)
        assert service
        assert service["metadata"]["namespace"] == namespace
        assert int(port) in {p["port"] for p in service["spec"]["ports"]}


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
    for name in ("rest", "worker", "logs"):
        assert set(services[name]["environment"]) <= SETTINGS
        assert (ROOT / services[name]["build"]["dockerfile"]).is_file()
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
    mounts = [mount.split(":")[0] for service in services.values() for mount in service.get("volumes", [])]
    assert all((ROOT / mount).is_file() for mount in mounts if mount.startswith("."))
    assert {mount for mount in mounts if not mount.startswith(".")} == set(compose()["volumes"])


def test_compose_and_kubernetes_run_the_same_images(rendered: Manifests) -> None:
    in_cluster = {container.spec["image"] for container in rendered.containers()}
    always = [service for service in compose()["services"].values() if "profiles" not in service]
    assert {service["image"] for service in always} <= in_cluster
