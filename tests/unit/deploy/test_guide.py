"""The operator's guide names what is there, and each of its commands says which namespace it is for."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.support.containers.manifests import Container, Manifests, render

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


def test_whoever_uses_redis_stops_for_a_restore_and_takes_a_new_password(tmp_path: Path) -> None:
    """A process that still writes spoils a restore; one with the old password waits for ever."""
    users = {
        found.pod.name for found in everything(tmp_path).containers() if found.ours and asks_redis(found)
    }
    assert {"rest", "rpc", "worker", "groups"} <= users
    assert named("Restore", "--replicas=0") >= users
    assert named("Changing things", "deployment/redis-proxy") >= users


def asks_redis(container: Container) -> bool:
    return {"secretRef": {"name": "redis"}} in container.spec.get("envFrom", [])


def named(section: str, word: str) -> set[str]:
    """What the one command of a section is about that has a word."""
    text = GUIDE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    (command,) = re.findall(rf"kubectl .*{word}.*", text)
    return {said.rpartition("/")[2] for said in command.split()}


def test_the_first_key_is_looked_for_wherever_it_is_made() -> None:
    (selector,) = re.findall(r"kubectl logs .*-l '?(.*?)'? --tail.*first API key", GUIDE)
    makers = {path.parent.name for path in ROOT.glob("*/__main__.py") if "bootstrap_key" in path.read_text()}
    assert makers == {"rest", "rpc"}
    assert selector == f"app in ({', '.join(sorted(makers))})"


def test_paths_in_the_guide_are_there() -> None:
    paths = set(re.findall(r"\b(?:k8s|deploy)/[\w./-]*\w", GUIDE))
    assert len(paths) > 6
    assert [path for path in paths - {"deploy/worker"} if not (ROOT / path).exists()] == []  # a pod's name
