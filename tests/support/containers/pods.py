"""Rendered manifests as real pods, run by podman. This module does what a kubelet and the control plane would:
it numbers the pods of a StatefulSet, resolves what a pod asks of itself, and asks the probes.

What podman 4.3 does not know is put in another way: ConfigMaps and Secrets are mounted as folders, volumes belong
to whom the image says and not to `fsGroup`, and network policies, budgets and autoscalers are left out.
"""

from __future__ import annotations

import copy
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import yaml

from local.process import until
from tests.support.containers.images import without_digest
from tests.support.containers.manifests import Manifests, Object
from tests.support.containers.podman import Podman

NETWORK = "facefleet"
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


class Pods:
    """The pods of one overlay in a namespace called `staging`."""

    def __init__(self, podman: Podman, manifests: Manifests, secrets: list[Object], folder: Path) -> None:
        self.podman = podman
        self._manifests = manifests
        self._folder = folder
        self._secrets = {found["metadata"]["name"]: found["stringData"] for found in secrets}
        self._specs: dict[str, Object] = {}
        podman("network", "create", NETWORK)

    def apply(self, manifests: Manifests) -> None:
        """Start pods from these manifests from now on."""
        self._manifests = manifests

    def start(self, *workloads: str) -> list[str]:
        """Start the pods of some workloads; gives the names of their containers."""
        return [name for workload in workloads for name in self._start(workload)]

    def start_pod(self, workload: Object, pod: str) -> list[str]:
        """Start one pod of a workload under a name of its own, after its init containers have ended."""
        template = copy.deepcopy(workload["spec"]["template"])
        spec = template["spec"]
        for claim in workload["spec"].get("volumeClaimTemplates", []):
            held = {"claimName": f"{claim['metadata']['name']}-{pod}"}
            spec.setdefault("volumes", []).append(
                {"name": claim["metadata"]["name"], "persistentVolumeClaim": held}
            )
        self._specs.update({f"{pod}-{found['name']}": copy.deepcopy(found) for found in spec["containers"]})
        first = spec.pop("initContainers", [])
        for container in [*first, *spec["containers"]]:
            self._settle(container, pod)
        spec["volumes"] = [self._volume(volume) for volume in spec.get("volumes", [])]
        aliases = {*self._services(template["metadata"]["labels"])}
        if "serviceName" in workload["spec"]:
            service = workload["spec"]["serviceName"]
            spec["hostname"] = pod
            aliases |= {f"{pod}.{service}", f"{pod}.{service}.staging.svc.cluster.local"}
        if first:
            self._initialise(f"{pod}-init", {**spec, "containers": first, "restartPolicy": "Never"})
        self._play(pod, template["metadata"], spec, aliases)
        return [f"{pod}-{found['name']}" for found in spec["containers"]]

    def run_job(self, job: Object, seconds: float) -> int:
        """Run a Job's pod to its end; gives the exit code."""
        name = str(job["metadata"]["name"])
        (container,) = self.start_pod(job, name)
        ended = until(
            lambda: self.podman.inspect(container)["State"]["Status"] == "exited", seconds, pause=0.5
        )
        assert ended, self.podman.log(container)[-3000:]
        return int(self.podman.inspect(container)["State"]["ExitCode"])

    def stop_pod(self, pod: str) -> None:
        """Stop a pod as Kubernetes does, what its containers do before it included; its volumes stay."""
        for container in (name for name in self._specs if name.rpartition("-")[0] == pod):
            handler = self._specs[container].get("lifecycle", {}).get("preStop")
            if handler:
                self.podman.tried("exec", container, *handler["exec"]["command"])
        self.podman("pod", "stop", "--time=30", pod)
        self.podman("pod", "rm", "--force", pod)

    def lose_pod(self, pod: str) -> None:
        """Have a pod vanish as with its node; its volumes stay."""
        words = ("pod", "rm", "--force", "--time=0", pod)
        removed = until(
            lambda: self.podman.tried(*words).returncode == 0, 30.0
        )  # not while a container starts
        assert removed, pod

    def roll(self, name: str, seconds: float) -> None:
        """Replace the pods of a StatefulSet one by one from the last, each ready before the next goes."""
        workload = self.workload(name)
        for number in reversed(range(workload["spec"]["replicas"])):
            self.stop_pod(f"{name}-{number}")
            self.wait(self.start_pod(workload, f"{name}-{number}"), "readinessProbe", seconds)

    def workload(self, name: str) -> Object:
        """A Deployment, StatefulSet or CronJob of the manifests."""
        found = (self._manifests.named(kind, name) for kind in ("Deployment", "StatefulSet", "CronJob"))
        return next(workload for workload in found if workload)

    def passes(self, container: str, probe: str) -> bool:
        """Ask a container's probe, once."""
        asked = self._specs[container][probe]
        if "exec" in asked:
            return self.podman.tried("exec", container, *asked["exec"]["command"]).returncode == 0
        target = asked.get("httpGet") or asked["tcpSocket"]
        return _answers(self.address(container), self._port(container, target["port"]), target.get("path"))

    def wait(self, containers: list[str], probe: str, seconds: float) -> None:
        """Wait until probes of some containers pass; those that lack the probe are not asked."""
        for container in containers:
            if probe in self._specs[container]:
                passes = until(lambda container=container: self.passes(container, probe), seconds, pause=0.5)  # type: ignore[misc] # mypy does not see the default
                assert passes, f"{container} fails its {probe}:\n{self.podman.log(container)[-3000:]}"

    def address(self, container: str) -> str:
        """The address of a container's pod."""
        pod = self.podman.inspect(container)["Pod"]
        infra = json.loads(self.podman("pod", "inspect", pod))["InfraContainerID"]
        return str(self.podman.inspect(infra)["NetworkSettings"]["Networks"][NETWORK]["IPAddress"])

    def spec(self, container: str) -> Object:
        """What the manifests say of a container."""
        return self._specs[container]

    def _initialise(self, pod: str, spec: Object) -> None:
        """Run init containers in a pod before; podman would start them again whenever they have ended."""
        self._play(pod, {}, spec, set())
        for container in spec["containers"]:
            code = self.podman("wait", f"{pod}-{container['name']}")
            assert code == "0", self.podman.log(f"{pod}-{container['name']}")
        self.lose_pod(pod)

    def _play(self, pod: str, metadata: Object, spec: Object, aliases: set[str]) -> None:
        made = {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, "name": pod}, "spec": spec}
        file = self._folder / f"{pod}.yaml"
        file.write_text(yaml.safe_dump(made))
        options = ",".join(f"alias={alias}" for alias in sorted(aliases))
        self.podman("kube", "play", f"--network={NETWORK}:{options}".rstrip(":"), str(file))

    def _start(self, name: str) -> Iterator[str]:
        workload = self.workload(name)
        if workload["kind"] == "Deployment":
            yield from self.start_pod(workload, name)
        else:
            pods = [f"{name}-{number}" for number in range(workload["spec"]["replicas"])]
            with ThreadPoolExecutor() as together:
                for started in together.map(lambda pod: self.start_pod(workload, pod), pods):
                    yield from started

    def _services(self, labels: dict[str, str]) -> Iterator[str]:
        for service in self._manifests.of("Service"):
            if service["spec"]["selector"].items() <= labels.items():
                yield str(service["metadata"]["name"])

    def _settle(self, container: Object, pod: str) -> None:
        for unwanted in (*PROBES, "lifecycle", "ports"):  # podman would publish the ports on all addresses
            container.pop(unwanted, None)
        container["image"] = without_digest(container["image"])
        environment = dict(self._environment(container, pod))
        container["env"] = [{"name": name, "value": value} for name, value in environment.items()]

    def _environment(self, container: Object, pod: str) -> Iterator[tuple[str, str]]:
        """The variables of a container, resolved, and `$(NAME)` replaced by the value of one before."""
        for source in container.pop("envFrom", []):
            ((kind, named),) = source.items()
            yield from self._content(kind, named["name"]).items()
        known: dict[str, str] = {}
        for variable in container.get("env", []):
            if "optional" in str(variable):
                continue
            value = self._value(variable, container, pod)
            for name, earlier in known.items():
                value = value.replace(f"$({name})", earlier)
            known[variable["name"]] = value
        yield from known.items()

    def _value(self, variable: Object, container: Object, pod: str) -> str:
        if "value" in variable:
            return str(variable["value"])
        ((kind, source),) = variable["valueFrom"].items()
        if kind == "fieldRef":
            return {"metadata.name": pod, "metadata.namespace": "staging"}[source["fieldPath"]]
        if kind == "resourceFieldRef":
            return str(_bytes(container["resources"]["limits"]["memory"]))
        return self._content(kind, source["name"])[source["key"]]

    def _content(self, kind: str, name: str) -> dict[str, str]:
        """The values of a ConfigMap or Secret."""
        if kind.startswith("secret"):
            return dict(self._secrets[name])
        found = self._manifests.named("ConfigMap", name)
        assert found, name
        return dict(found["data"])

    def _volume(self, volume: Object) -> Object:
        for kind, key in (("configMap", "name"), ("secret", "secretName")):
            if kind in volume:
                name = volume[kind][key]
                content = self._content(kind, name)
                folder = self._folder / f"{kind}-{name}"
                for item in volume[kind].get("items") or [{"key": one, "path": one} for one in content]:
                    file = folder / item["path"]
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(content[item["key"]])
                for place in (folder, *folder.rglob("*")):
                    place.chmod(0o755 if place.is_dir() else 0o644)
                return {"name": volume["name"], "hostPath": {"path": str(folder), "type": "Directory"}}
        return volume

    def _port(self, container: str, port: str | int) -> int:
        named = {found["name"]: found["containerPort"] for found in self._specs[container].get("ports", [])}
        return int(named.get(port, port))


def _bytes(quantity: str) -> int:
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


def _answers(host: str, port: int, path: str | None) -> bool:
    try:
        if path is None:
            socket.create_connection((host, port), timeout=5).close()
            return True
        connection = HTTPConnection(host, port, timeout=5)
        connection.request("GET", path)
        return connection.getresponse().status < 400
    except (OSError, HTTPException):
        return False


def secrets_of(printed: str) -> list[Any]:
    """What `k8s/secrets/generate --print` writes."""
    return list(yaml.safe_load_all(printed))
