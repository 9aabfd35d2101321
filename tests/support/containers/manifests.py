"""Rendered manifests, and ways to walk through them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

Object = dict[str, Any]
WORKLOADS = ("Deployment", "StatefulSet", "CronJob", "Job")


class Pod(NamedTuple):
    """A workload's name, and its pod template."""

    name: str
    labels: dict[str, str]
    spec: Object


class Container(NamedTuple):
    """A container, and the pod that it is in."""

    pod: Pod
    spec: Object
    starts_first: bool

    @property
    def ours(self) -> bool:
        """Whether it runs an image of this repository."""
        return str(self.spec["image"]).startswith("facefleet-")

    def __str__(self) -> str:
        return f"{self.pod.name}/{self.spec['name']}"


class Manifests:
    """The objects of one variation."""

    def __init__(self, objects: list[Object]) -> None:
        self.objects = objects

    def of(self, *kinds: str) -> Iterator[Object]:
        """The objects of some kinds."""
        return (found for found in self.objects if found["kind"] in kinds)

    def named(self, kind: str, name: str) -> Object | None:
        """One object; None where there is none."""
        return next((found for found in self.of(kind) if found["metadata"]["name"] == name), None)

    def pods(self) -> Iterator[Pod]:
        """The pod templates."""
        for found in self.of(*WORKLOADS):
            spec = found["spec"]
            template = (
                spec["jobTemplate"]["spec"]["template"] if found["kind"] == "CronJob" else spec["template"]
            )
            yield Pod(found["metadata"]["name"], template["metadata"]["labels"], template["spec"])

    def containers(self) -> Iterator[Container]:
        """All containers, those that only start first included."""
        for pod in self.pods():
            yield from (Container(pod, spec, True) for spec in pod.spec.get("initContainers", []))
            yield from (Container(pod, spec, False) for spec in pod.spec["containers"])


def render(overlay: Path) -> Manifests:
    """Render an overlay."""
    done = subprocess.run(["kubectl", "kustomize", overlay], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Manifests(list(yaml.safe_load_all(done.stdout)))


def values(tree: Any, key: str) -> Iterator[Any]:
    """Every value of a key, however deep."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            yield from values(value, key)
    elif isinstance(tree, list):
        for item in tree:
            yield from values(item, key)
