"""How a Redis primary hands over, with a stand-in for redis-cli that notes how it was called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

START = Path(__file__).parents[3] / "k8s/overlays/production/redis/start"
HOSTS = ("redis-0.redis-nodes", "redis-1.redis-nodes")
CLI = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
*get-master-addr*) [ -e "$CALLS.promoted" ] && echo redis-1.redis-nodes || echo redis-0.redis-nodes ;;
*"sentinel failover"*) touch "$CALLS.promoted" ;;
*replication) echo role:master ;; # the old primary's own, until somebody tells it
esac
"""


def called(folder: Path, what: str, me: str) -> list[str]:
    """What the script asks of redis-cli."""
    for name, text in (("redis-cli", CLI), ("sleep", "#!/bin/sh\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    calls = folder / "calls"
    environ = {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(calls), "REDIS_PASSWORD": "secret"}
    environ |= {"HOSTS": " ".join(HOSTS), "ME": me, "DATA": str(folder)}
    subprocess.run(["sh", START, what], env=environ, check=True, timeout=40)
    return calls.read_text().splitlines()


def test_a_primary_hands_over_once(tmp_path: Path) -> None:
    """Asked again, Sentinel would promote the next one, and the one after that."""
    calls = called(tmp_path, "handover", HOSTS[0])
    (promoted,) = (number for number, call in enumerate(calls) if "sentinel failover" in call)
    assert any("client pause" in call for call in calls[:promoted]), "writes wait"
    assert f"-e -h {HOSTS[0]} replicaof {HOSTS[1]} 6379" in calls[promoted:]


def test_a_replica_has_nothing_to_hand_over(tmp_path: Path) -> None:
    calls = called(tmp_path, "handover", HOSTS[1])
    assert not any("failover" in call or "pause" in call for call in calls)


def test_a_replica_takes_over(tmp_path: Path) -> None:
    """Sentinel prefers it for as long as it takes, for else it prefers whoever has most."""
    calls = called(tmp_path, "takeover", HOSTS[1])
    mine = [call for call in calls if "replica-priority" in call]
    assert mine == ["-e config set replica-priority 1", "-e config set replica-priority 100"]
    assert sum("sentinel failover" in call for call in calls) == 1
    assert f"-e -h {HOSTS[0]} replicaof {HOSTS[1]} 6379" in calls
