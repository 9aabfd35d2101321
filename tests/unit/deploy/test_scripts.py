"""What the scripts for clusters ask of kubectl and the others, on stand-ins that note how they were called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.containers.manifests import render

ROOT = Path(__file__).parents[3]
CALLED = """#!/bin/sh
echo "$(basename "$0") $*${REVISION:+ REVISION=$REVISION}" >>"$CALLS"
case "$*" in
*current-context) echo "$CONTEXT" ;;
*"get secret redis"*) printf 'staging' ;;
*"create"*"-f -") cat >>"$CALLS.given"; [ -z "$SAYS" ] || { echo "$SAYS" >&2; exit 1; } ;;
esac
"""


class Tools:
    """A PATH with stand-ins in front."""

    def __init__(self, folder: Path) -> None:
        self.calls = folder / "calls"
        self._folder = folder
        for name in ("kubectl", "docker", "kind", "minikube"):
            (folder / name).write_text(CALLED)
            (folder / name).chmod(0o755)

    def run(
        self, *command: str | Path, context: str = "", says: str = ""
    ) -> subprocess.CompletedProcess[str]:
        environ = {
            "PATH": f"{self._folder}:{os.environ['PATH']}",
            "CALLS": str(self.calls),
            "CONTEXT": context,
            "SAYS": says,
        }
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=30)

    def called(self) -> str:
        return self.calls.read_text() if self.calls.exists() else ""


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return Tools(tmp_path)


def deploy(tools: Tools, context: str, *words: str) -> subprocess.CompletedProcess[str]:
    return tools.run(ROOT / "deploy-local-dev.sh", "--k8s", *words, context=context)


@pytest.mark.parametrize(
    "context", ["arn:aws:eks:eu-west-1:0:cluster/production", "gke_x_y_z", "kubernetes-admin@k8s"]
)
def test_only_local_clusters_are_touched(tools: Tools, context: str) -> None:
    done = deploy(tools, context)
    assert done.returncode == 1
    assert context in done.stderr
    assert tools.called().splitlines() == ["kubectl config current-context"]


def test_images_are_built_and_loaded_before_anything_is_applied(tools: Tools) -> None:
    done = deploy(tools, "kind-dev")
    assert done.returncode == 0, done.stderr
    steps = [
        "docker build",
        "kind load docker-image --name dev facefleet-rest:",
        "apply -k",
        "rollout status",
        "port-forward",
    ]
    found = [tools.called().index(step) for step in steps]
    assert found == sorted(found)


def test_every_command_names_context_and_namespace(tools: Tools) -> None:
    deploy(tools, "minikube")
    asked = [
        line
        for line in tools.called().splitlines()
        if line.startswith("kubectl") and "current-context" not in line
    ]
    assert len(asked) > 5
    for line in asked:
        assert "--context minikube" in line, line
        assert "--namespace facefleet" in line, line


def test_new_images_under_the_same_name_are_run(tools: Tools) -> None:
    """A Deployment whose image keeps its name does not roll by itself."""
    deploy(tools, "minikube")
    (restarted,) = (line for line in tools.called().splitlines() if "rollout restart" in line)
    local = render(ROOT / "k8s/overlays/local")
    ours = {container.pod.name for container in local.containers() if container.ours}
    assert {word.removeprefix("deployment/") for word in restarted.split() if "/" in word} == ours


def test_images_know_their_revision(tools: Tools) -> None:
    deploy(tools, "minikube")
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    built = [line for line in tools.called().splitlines() if line.startswith("docker build")]
    assert [f"--build-arg REVISION={head}" in line for line in built] == [True, True]


def test_images_that_compose_builds_know_their_revision(tools: Tools) -> None:
    assert tools.run(ROOT / "deploy-local-dev.sh", "--docker").returncode == 0
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    (up,) = (line for line in tools.called().splitlines() if " up --build" in line)
    assert up.endswith(f" REVISION={head}")
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    taken = [found["build"].get("args") for found in services if "build" in found]
    assert len(taken) == 5
    assert all(args == {"REVISION": "${REVISION:-unknown}"} for args in taken)


def test_it_can_be_undone(tools: Tools) -> None:
    assert deploy(tools, "docker-desktop", "delete").returncode == 0
    assert tools.called().endswith("delete namespace facefleet\n")
    assert "apply" not in tools.called()


def test_secrets_are_created_and_never_shown(tools: Tools) -> None:
    done = tools.run(ROOT / "k8s/secrets/generate", "--namespace", "staging")
    assert done.returncode == 0, done.stderr
    given = Path(f"{tools.calls}.given").read_text()
    passwords = [line.split('"')[1] for line in given.splitlines() if "PASSWORD" in line or "cookie:" in line]
    assert len(set(passwords)) == len(passwords) == 3
    assert min(map(len, passwords)) >= 32
    assert not any(password in tools.called() + done.stdout + done.stderr for password in passwords)
    assert "http://rabbitmq.staging.svc:15672/" in given


def test_secrets_that_exist_stay(tools: Tools) -> None:
    says = 'Error from server (AlreadyExists): error when creating "STDIN": secrets "redis" already exists'
    done = tools.run(ROOT / "k8s/secrets/generate", "--namespace", "staging", says=says)
    assert done.returncode == 0, done.stderr
    assert "stays as it is" in done.stdout
    assert not any(verb in tools.called() for verb in ("apply", "replace", "delete", "patch"))


def test_a_cluster_that_does_not_answer_is_an_error(tools: Tools) -> None:
    done = tools.run(ROOT / "k8s/secrets/generate", says="The connection to the server was refused")
    assert done.returncode == 1
    assert "refused" in done.stderr
