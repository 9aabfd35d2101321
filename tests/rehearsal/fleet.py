"""The production overlay as pods on this machine: three Redis servers with Sentinels behind HAProxy, three RabbitMQ
nodes, a server and a worker. The brokers are Debian's, under the names of the images that the manifests ask for;
RabbitMQ is 3.10 then, and does not get the one setting of cluster.conf that came later.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from benchmarks.chaos import pictures
from local.process import until
from tests.support.containers.manifests import render
from tests.support.containers.podman import Podman
from tests.support.containers.pods import Pods, secrets_of

ROOT = Path(__file__).parents[2]
SECONDS = 180.0  # for anything to happen on a busy machine
REDIS = ("redis-0", "redis-1", "redis-2")
RABBITMQ = ("rabbitmq-0", "rabbitmq-1", "rabbitmq-2")
OVERLAY = """\
resources: [../production]
components: [../../components/backup]
configMapGenerator:
  - {name: settings, behavior: merge, literals: [API_KEYS=off]}
"""


@dataclass
class Sent:
    """What a sender has seen: hashes that were accepted, and the longest time without any, in seconds."""

    accepted: list[str] = field(default_factory=list)
    refused: int = 0
    gap: float = 0.0

    def await_more(self, count: int) -> None:
        """Wait until so many more were accepted."""
        wanted = len(self.accepted) + count
        assert until(lambda: len(self.accepted) >= wanted, SECONDS), self


class Fleet:
    """All pods, and a person who sends pictures."""

    def __init__(self, podman: Podman, folder: Path) -> None:
        self.podman = podman
        tree = folder / "k8s"
        subprocess.run(["cp", "-r", str(ROOT / "k8s"), str(tree)], check=True)
        overlay = tree / "overlays/rehearsal"
        overlay.mkdir()
        (overlay / "kustomization.yaml").write_text(OVERLAY)
        printed = subprocess.check_output([tree / "secrets/generate", "--print", "staging"], text=True)
        self._secrets = secrets_of(printed)
        self.pods = Pods(podman, render(_known_to_3_10(tree, overlay)), self._secrets, folder)
        self._server = ""
        self._number = 0

    def start(self) -> None:
        """Start everything as `kubectl apply` would, and wait until it is ready."""
        self.start_brokers()
        self.start_ours()

    def start_brokers(self) -> None:
        """Start the brokers."""
        self.pods.wait(self.pods.start("redis", "redis-proxy", "rabbitmq"), "readinessProbe", SECONDS)

    def start_ours(self) -> None:
        """Start a server and a worker."""
        containers = self.pods.start("rest", "worker")
        self._server = f"http://{self.pods.address('rest-rest')}:5000"
        for probe in ("startupProbe", "readinessProbe"):
            self.pods.wait(containers, probe, SECONDS)

    def stop_ours(self) -> None:
        """Stop server and worker, as scaling them to zero does."""
        for pod in ("rest", "worker"):
            self.pods.stop_pod(pod)

    def send(self, count: int) -> Sent:
        """Send new pictures, each until it is accepted."""
        sent = Sent()
        for picture in pictures(count, self._next(count)):
            self._accept(picture, sent)
        return sent

    @contextmanager
    def sending(self) -> Iterator[Sent]:
        """Send pictures all the time, about ten a second."""
        sent, stop = Sent(), threading.Event()

        def go() -> None:
            while not stop.is_set():
                (picture,) = pictures(1, self._next(1))
                self._accept(picture, sent)
                stop.wait(0.1)

        thread = threading.Thread(target=go)
        thread.start()
        try:
            sent.await_more(20)
            yield sent
            sent.await_more(20)
        finally:
            stop.set()
            thread.join()

    def settle(self) -> dict[str, Any]:
        """Wait until nothing is in flight; what `client status` says then."""
        assert until(lambda: self.status()["in_flight"] == 0, SECONDS, pause=2.0), self.status()
        return self.status()

    def status(self) -> dict[str, Any]:
        """What `client status` says."""
        done = self._client("status", "--json")
        return (
            dict(json.loads(done.stdout)) if done.returncode == 0 else {"in_flight": -1, "said": done.stderr}
        )

    def check(self) -> None:
        """Hold the databases to their rules."""
        done = self._client("check")
        assert done.returncode == 0, done.stdout + done.stderr

    def unknown(self, sent: list[str]) -> int:
        """Of the pictures that were accepted, how many nobody knows any more."""
        return sum(
            requests.get(f"{self._server}/status/{one}", timeout=30).status_code == 404 for one in sent
        )

    def primary(self) -> str:
        """The pod of the Redis primary, as a Sentinel tells."""
        words = ("redis-cli", "-p", "26379", "sentinel", "get-master-addr-by-name", "facefleet")
        said = (self.podman.tried("exec", f"{pod}-sentinel", *words) for pod in REDIS)
        return next(
            done.stdout.split(".")[0] for done in said if done.returncode == 0 and done.stdout.strip()
        )

    def keyspace(self, pod: str) -> dict[str, int]:
        """How many keys each database of one Redis has, without those that expire."""
        lines = re.findall(r"(db\d+):keys=(\d+),expires=(\d+)", self.redis(pod, "info", "keyspace"))
        return {database: int(keys) - int(expiring) for database, keys, expiring in lines}

    def redis(self, pod: str, *words: str) -> str:
        """Ask one Redis."""
        command = 'REDISCLI_AUTH=$REDIS_PASSWORD exec redis-cli "$@"'
        return self.podman("exec", f"{pod}-redis", "sh", "-c", command, "sh", *words)

    def run_job(self, cron_job: str) -> str:
        """Run a CronJob's pod once; what it wrote."""
        template = self.pods.workload(cron_job)["spec"]["jobTemplate"]
        job = {"metadata": {"name": cron_job}, "spec": template["spec"]}
        code = self.pods.run_job(job, SECONDS)
        said = self.podman.log(f"{cron_job}-{cron_job}")
        assert code == 0, said
        self.pods.lose_pod(cron_job)
        return said

    def _accept(self, picture: bytes, sent: Sent) -> None:
        begun = time.monotonic()
        while True:
            try:
                answer = requests.post(f"{self._server}/scan/image/{self._number}.jpg", picture, timeout=30)
                if answer.ok:
                    sent.accepted.append(answer.json()["hash"])
                    sent.gap = max(sent.gap, time.monotonic() - begun)
                    return
            except requests.RequestException:
                pass
            sent.refused += 1
            time.sleep(0.1)

    def _next(self, count: int) -> int:
        self._number += count
        return self._number - count

    def _client(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.podman.tried("exec", "worker-worker", "python", "-m", "client", *words)


def _known_to_3_10(tree: Path, overlay: Path) -> Path:
    """Leave out what Debian's RabbitMQ does not know and would not start with."""
    settings = tree / "overlays/production/rabbitmq/cluster.conf"
    lines = settings.read_text().splitlines(keepends=True)
    settings.write_text("".join(line for line in lines if "continuous_membership_reconciliation" not in line))
    return overlay
