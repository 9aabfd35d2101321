"""Every variation of the manifests, rendered by kubectl's kustomize from what is committed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import missing
from tests.support.containers.manifests import Manifests, Object, render

ROOT = Path(__file__).parents[3]
COMPONENTS = sorted(path.name for path in (ROOT / "k8s/components").iterdir())
VARIATIONS = ("local", "production", "everything", "everything-local")


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the manifests, for overlays beside ours."""
    if shutil.which("kubectl") is None:
        missing("kubectl, for its kustomize: see https://kubernetes.io/docs/tasks/tools")
    copied = tmp_path_factory.mktemp("manifests") / "k8s"
    shutil.copytree(ROOT / "k8s", copied)
    return copied


@pytest.fixture(scope="session")
def secrets(tree: Path) -> list[Object]:
    """The Secrets that `k8s/secrets/generate` makes."""
    printed = subprocess.check_output([tree / "secrets/generate", "--print", "staging"], text=True)
    return list(yaml.safe_load_all(printed))


@pytest.fixture(scope="session", params=VARIATIONS)
def rendered(request: pytest.FixtureRequest, tree: Path) -> Manifests:
    """What `kubectl apply -k` would send for one variation."""
    if request.param.startswith("everything"):
        base = "local" if request.param.endswith("local") else "production"
        write_everything(tree / "overlays" / request.param, base)
    return render(tree / "overlays" / request.param)


@pytest.fixture(scope="session")
def in_cluster(rendered: Manifests, secrets: list[Object]) -> Manifests:
    """The same with the Secrets that are there already."""
    made = [{**secret, "data": secret["stringData"]} for secret in secrets]
    return Manifests([*rendered.objects, *made])


def write_everything(overlay: Path, base: str) -> None:
    """An overlay as an operator writes it: ours, every component that it leaves out, and the smoke Job."""
    there = (overlay.parent / base / "kustomization.yaml").read_text()
    components = "".join(f"  - ../../components/{name}\n" for name in COMPONENTS if f"/{name}\n" not in there)
    overlay.mkdir(exist_ok=True)  # pytest comes back to a parameter where another file needs it
    (overlay / "kustomization.yaml").write_text(
        f"resources: [../{base}, ../../smoke]\ncomponents:\n{components}"
    )
