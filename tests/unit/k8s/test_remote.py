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
"""
SMOKE = """\
resources:
  - file://{repository}//k8s/smoke?ref=v1
"""
IMAGES = """\
images:
  - {name: facefleet-rest, newName: registry.example.org/rest}
  - {name: facefleet-worker, newName: registry.example.org/worker}
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("kubectl") is None:
        missing("kubectl, for its kustomize: see https://kubernetes.io/docs/tasks/tools")
    repository = tmp_path_factory.mktemp("remote") / "repository"
    shutil.copytree(ROOT / "k8s", repository / "k8s")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "all"), ("tag", "v1")):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *identity, *words], cwd=repository, check=True)
    return repository


def on_top(repository: Path, folder: Path, text: str) -> Manifests:
    """An operator's overlay, rendered."""
    (folder / "kustomization.yaml").write_text(text.format(repository=repository) + IMAGES)
    return render(folder)


@pytest.fixture(scope="module")
def remote(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Manifests:
    return on_top(repository, tmp_path_factory.mktemp("overlay"), OVERLAY)


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


def test_the_smoke_job_runs_the_operators_image(repository: Path, tmp_path: Path) -> None:
    (image,) = values(on_top(repository, tmp_path, SMOKE).objects, "image")
    assert image.startswith("registry.example.org/worker:")
