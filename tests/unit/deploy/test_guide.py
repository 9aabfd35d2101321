"""The operator's guide names what is there, and each of its commands says which namespace it is for."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.support.containers.manifests import Manifests, render

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/operations.md").read_text()
COMMANDS = re.findall(r"kubectl [^`\n|]+", GUIDE)
KINDS = {
    "cronjob": "CronJob",
    "deployment": "Deployment",
    "deploy": "Deployment",
    "scaledobject": "ScaledObject",
}


def everything(tmp_path: Path) -> Manifests:
    shutil.copytree(ROOT / "k8s", tmp_path / "k8s")
    overlay = tmp_path / "k8s/overlays/guide"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        "resources: [../production]\ncomponents: [../../components/backup]\n"
    )
    return render(overlay)


def test_every_command_names_the_namespace() -> None:
    assert len(COMMANDS) > 30
    for command in COMMANDS:
        of_the_namespace_itself = re.match(r"kubectl (create|label) namespace ", command)
        assert of_the_namespace_itself or " -n facefleet" in command, command


def test_what_commands_name_is_there(tmp_path: Path) -> None:
    found = {
        (kind, thing["metadata"]["name"])
        for thing in everything(tmp_path).objects
        for kind in [thing["kind"]]
    }
    named = {
        (KINDS[kind], name)
        for command in COMMANDS
        for kind, name in re.findall(r"\b(cronjob|deployment|deploy|scaledobject)[/ ]([a-z-]+)", command)
    }
    assert {("CronJob", "backup"), ("CronJob", "restore"), ("Deployment", "worker")} <= named
    assert named - found == set()


def test_paths_in_the_guide_are_there() -> None:
    paths = set(re.findall(r"\b(?:k8s|deploy)/[\w./-]*\w", GUIDE))
    assert len(paths) > 6
    assert [path for path in paths - {"deploy/worker"} if not (ROOT / path).exists()] == []  # a pod's name
