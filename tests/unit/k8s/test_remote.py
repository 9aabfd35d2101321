"""An operator's overlay builds on ours from a clone that it never sees, under a namespace and images of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.support.containers.manifests import Manifests, render, values

ROOT = Path(__file__).parents[3]
OVERLAY = """\
namespace: staging
resources:
  - file://{repository}//k8s/overlays/production?ref=v1
components:
  - file://{repository}//k8s/components/backup?ref=v1
  - file://{repository}//k8s/components/monitoring?ref=v1
images:
  - {{name: facefleet-rest, newName: registry.example.org/rest}}
  - {{name: facefleet-worker, newName: registry.example.org/worker}}
"""


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Manifests:
    if shutil.which("kubectl") is None:
        missing("kubectl, for its kustomize: see https://kubernetes.io/docs/tasks/tools")
    folder = tmp_path_factory.mktemp("remote")
    shutil.copytree(ROOT / "k8s", folder / "repository/k8s")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "all"), ("tag", "v1")):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *identity, *words], cwd=folder / "repository", check=True)
    overlay = folder / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(OVERLAY.format(repository=folder / "repository"))
    return render(overlay)


def test_images_come_from_the_operators_registry(remote: Manifests) -> None:
    ours = [str(image) for image in values(remote.objects, "image") if "redis" not in image]
    assert {image.rpartition(":")[0] for image in ours} == {
        "registry.example.org/rest",
        "registry.example.org/worker",
        "rabbitmq",
        "haproxy",
    }


def test_everything_is_in_the_operators_namespace(remote: Manifests) -> None:
    cluster_wide = {"PriorityClass"}
    placed = {
        found["metadata"].get("namespace") for found in remote.objects if found["kind"] not in cluster_wide
    }
    assert placed == {"staging"}
