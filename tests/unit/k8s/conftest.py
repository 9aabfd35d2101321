"""Every variation of the manifests, rendered by kubectl's kustomize, with Secrets made for the test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.support.manifests import Manifests, render

ROOT = Path(__file__).parents[3]
COMPONENTS = sorted(path.name for path in (ROOT / "k8s/components").iterdir())
VARIATIONS = ("local", "production", "everything")


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the manifests, with Secrets."""
    if shutil.which("kubectl") is None:
        missing("kubectl, for its kustomize: see https://kubernetes.io/docs/tasks/tools")
    copied = tmp_path_factory.mktemp("manifests") / "k8s"
    unwanted = shutil.ignore_patterns("*.env", "*.cookie")
    shutil.copytree(
        ROOT / "k8s", copied, ignore=lambda at, names: unwanted(at, names) if "secrets" in at else []
    )
    subprocess.run([copied / "secrets/generate"], check=True)
    return copied


@pytest.fixture(scope="session", params=VARIATIONS)
def rendered(request: pytest.FixtureRequest, tree: Path) -> Manifests:
    """What `kubectl apply -k` would send for one variation."""
    if request.param == "everything":
        write_everything(tree / "overlays/everything")
    return render(tree / "overlays" / request.param)


def write_everything(overlay: Path) -> None:
    """An overlay as an operator writes it: production, and every component that it leaves out."""
    components = "".join(f"  - ../../components/{name}\n" for name in COMPONENTS if name != "keda")
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(f"resources: [../production]\ncomponents:\n{components}")
