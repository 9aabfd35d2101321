"""The production overlay as pods on this machine: three Redis servers with Sentinels behind HAProxy, three RabbitMQ
nodes, and one of each process of ours.
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
from tests.rehearsal.overlays import Overlays
from tests.support.containers.podman import Podman
from tests.support.containers.pods import Pods, secrets_of

SECONDS = 180.0  # for anything to happen on a busy machine
REDIS = ("redis-0", "redis-1", "redis-2")
RABBITMQ = ("rabbitmq-0", "rabbitmq-1", "rabbitmq-2")
USERS_OF_REDIS = ("rest", "rpc", "worker", "groups")  # what the guide stops for a restore
OURS = (*USERS_OF_REDIS, "logs")
PORT_OF_METRICS = 9100


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
        self.overlays = Overlays(folder)
        generate = self.overlays.tree / "secrets/generate"
        printed = subprocess.check_output([generate, "--print", "staging"], text=True)
        self.pods = Pods(podman, self.overlays.manifests(), secrets_of(printed), folder)
        self._server = ""
        self._number = 0

    def start(self) -> None:
        """Start everything as `kubectl apply` would, and wait until it is ready."""
        self.pods.wait(self.pods.start("redis", "redis-proxy", "rabbitmq"), "readinessProbe", SECONDS)
        self.pods.start("logs")
        self.start_ours()

    def start_ours(self) -> None:
        """Start what uses Redis."""
        containers = self.pods.start(*USERS_OF_REDIS)
        self._server = f"http://{self.pods.address('rest-rest')}:5000"
        for probe in ("startupProbe", "readinessProbe"):
            self.pods.wait(containers, probe, SECONDS)

    def stop_ours(self) -> None:
        """Stop what uses Redis, as scaling it to zero does."""
        for pod in USERS_OF_REDIS:
            self.pods.stop_pod(pod)

    def empty_redis(self) -> None:
        """Delete all Redis pods and volumes, as scaling to zero and deleting the claims does; start others."""
        for pod in REDIS:
            self.pods.lose_pod(pod)
            self.podman("volume", "rm", f"data-{pod}")
        self.pods.wait(self.pods.start("redis"), "readinessProbe", SECONDS)

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

    def settle(self) -> None:
        """Wait until nothing is in flight and all faces are in groups."""
        assert until(lambda: self._status()["in_flight"] == 0, SECONDS, pause=2.0), self._status()
        assert until(lambda: self._groups_lag() == 0, SECONDS, pause=0.5), self.podman.log("groups-groups")
        assert until(self._is_quiet, SECONDS), self.keyspace(self.primary())

    def check(self) -> None:
        """Hold the databases and the groups to their rules; no process of ours has ended, and each is ready."""
        for words in (["check"], ["check", "--groups"]):
            done = self._client(*words)
            assert done.returncode == 0, done.stdout + done.stderr
        ours = [f"{name}-{name}" for name in OURS]
        ended = [name for name in ours if self.podman.inspect(name)["RestartCount"]]
        assert not ended, ended
        self.pods.wait(ours, "readinessProbe", SECONDS)

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

    def ask_start(self, pod: str, what: str) -> None:
        """Have the script `start` of one Redis do something."""
        self.podman("exec", f"{pod}-redis", "sh", "/etc/redis/start", what)

    def versions(self) -> set[str]:
        """The versions of all Redis servers and Sentinels, without their patch level."""
        said = [self.redis(pod, *port, "info", "server") for pod in REDIS for port in ((), ("-p", "26379"))]
        return {version for text in said for version in re.findall(r"redis_version:(\d+\.\d+)", text)}

    def redis(self, pod: str, *words: str) -> str:
        """Ask one Redis."""
        command = 'REDISCLI_AUTH=$REDIS_PASSWORD exec redis-cli --no-auth-warning "$@" 2>/dev/null'
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

    def _status(self) -> dict[str, Any]:
        done = self._client("status", "--json")
        return (
            dict(json.loads(done.stdout)) if done.returncode == 0 else {"in_flight": -1, "said": done.stderr}
        )

    def _groups_lag(self) -> float:
        """How many journal entries the groups process has not taken in."""
        address = f"http://{self.pods.address('rest-rest')}:{PORT_OF_METRICS}/metrics"
        try:
            text = requests.get(address, timeout=30).text
        except requests.RequestException:
            return -1.0
        found = re.findall(r"^facefleet_groups_lag (\S+)$", text, re.MULTILINE)
        return float(found[0]) if found else -1.0  # none while Redis is away

    def _is_quiet(self) -> bool:
        """Whether nothing changes for a while; suggestions of groups to merge are made every two seconds."""
        before = self.keyspace(self.primary())
        return not until(lambda: self.keyspace(self.primary()) != before, 5.0, pause=1.0)

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
        return self.podman.tried("exec", "worker-worker", "facefleet", *words)
