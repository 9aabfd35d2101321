"""Faults: what breaks in a system, one thing at a time, and how it is mended."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

from benchmarks.system import nodes
from benchmarks.system.fleet import Fleet, SingleFleet, signal_group
from benchmarks.system.nodes import RabbitNode, RedisNode
from benchmarks.system.replicated import MENDED, Cluster
from faces.messaging.topology import PICTURES_QUEUE
from local.process import Process, until

Faults = Mapping[str, tuple[int, Callable[[], object]]]
"""By name: how often relative to the others, and what does it. It returns when the fault is over."""


class Saboteur:
    """Breaks one thing at a time."""

    def __init__(self, faults: Faults, chance: random.Random) -> None:
        self._faults = faults
        self._chance = chance
        self.done: Counter[str] = Counter()

    def strike(self) -> None:
        """Cause one of the faults."""
        names = list(self._faults)
        (name,) = self._chance.choices(names, [self._faults[n][0] for n in names])
        self._faults[name][1]()
        self.done[name] += 1
        time.sleep(self._chance.uniform(0, 1))


class ProcessFaults:
    """Faults of the server and the workers."""

    def __init__(self, fleet: Fleet, chance: random.Random) -> None:
        self._fleet = fleet
        self._chance = chance

    def all(self) -> Faults:
        """Return every fault with its weight."""
        fleet = self._fleet
        return {
            "worker killed": (6, lambda: signal_group(self._worker(), signal.SIGKILL)),
            "worker frozen": (2, lambda: self.freeze(self._worker())),
            "worker told to stop": (1, lambda: signal_group(self._worker(), signal.SIGTERM)),
            "server killed": (3, lambda: signal_group(fleet.rest, signal.SIGKILL)),
            "server frozen": (1, lambda: self.freeze(fleet.rest)),
        }

    def freeze(self, process: Process) -> None:
        """Freeze a process for up to 3 s."""
        signal_group(process, signal.SIGSTOP)
        time.sleep(self._chance.uniform(0.5, 3))
        signal_group(process, signal.SIGCONT)

    def _worker(self) -> Process:
        return self._chance.choice(self._fleet.workers)


class SingleFaults(ProcessFaults):
    """Faults of a system with one Redis and one RabbitMQ, behind proxies."""

    def __init__(self, fleet: SingleFleet, chance: random.Random) -> None:
        super().__init__(fleet, chance)
        self._single = fleet

    def all(self) -> Faults:
        """Return every fault with its weight."""
        fleet = self._single
        return {
            **super().all(),
            "Redis killed": (2, self._kill_redis),
            "Redis frozen": (1, lambda: self.freeze(fleet.redis_server.process)),
            "RabbitMQ killed": (1, self._kill_rabbit),
            "RabbitMQ frozen": (1, lambda: self.freeze(fleet.rabbit.process)),
            "Redis cut off": (2, fleet.redis_proxy.cut),
            "RabbitMQ cut off": (2, fleet.rabbit_proxy.cut),
            "reply to EXEC lost": (3, lambda: fleet.redis_proxy.cut_once_at(b"EXEC", passed_on=True)),
            "cut within EXEC": (1, lambda: fleet.redis_proxy.cut_once_at(b"EXEC", passed_on=False)),
            "cut within a picture": (1, lambda: fleet.rabbit_proxy.cut_once_at(b"\xff\xd8", passed_on=False)),
            "network stalled": (1, self._stall),
        }

    def _stall(self) -> None:
        proxy = self._chance.choice([self._single.redis_proxy, self._single.rabbit_proxy])
        proxy.stalled = True
        time.sleep(self._chance.uniform(0.5, 3))
        proxy.stalled = False

    def _kill_redis(self) -> None:
        signal_group(self._single.redis_server.process, signal.SIGKILL)
        self._single.redis_server.process.kill()
        self._single.redis_server.start()

    def _kill_rabbit(self) -> None:
        signal_group(self._single.rabbit.process, signal.SIGKILL)
        self._single.rabbit.process.kill()
        self._single.rabbit.start()


class ReplicatedFaults(ProcessFaults):
    """Faults of the production topology: any one node at a time, the primary and the leader above all."""

    def __init__(self, fleet: Fleet, cluster: Cluster, chance: random.Random) -> None:
        super().__init__(fleet, chance)
        self._cluster = cluster

    def all(self) -> Faults:
        """Return every fault with its weight."""
        faults: dict[str, tuple[int, Callable[[], object]]] = dict(super().all())
        victims: dict[str, tuple[int, Callable[[], RedisNode | RabbitNode | None]]] = {
            "Redis primary": (4, self._cluster.primary),
            "Redis node": (1, lambda: self._chance.choice(self._cluster.redis)),
            "RabbitMQ leader": (2, lambda: self._cluster.leader(PICTURES_QUEUE)),
            "RabbitMQ node": (1, lambda: self._chance.choice(self._cluster.rabbit)),
        }
        for name, (weight, choose) in victims.items():
            faults[f"{name} killed"] = (weight, partial(self._strike, choose, self._kill))
            faults[f"{name} frozen"] = (weight, partial(self._strike, choose, self._freeze))
            faults[f"{name} partitioned"] = (weight, partial(self._strike, choose, self._cut))
        return faults

    def _strike(
        self,
        choose: Callable[[], RedisNode | RabbitNode | None],
        fault: Callable[[RedisNode | RabbitNode], None],
    ) -> None:
        """Cause a fault of one node, then wait until the cluster is whole again: faults do not overlap."""
        node = choose()
        if node is not None:
            fault(node)
        if not until(self._cluster.whole, MENDED, 0.2):
            raise RuntimeError(f"the cluster is not whole {MENDED:g} s after a fault")

    def _kill(self, node: RedisNode | RabbitNode) -> None:
        nodes.kill(node)
        time.sleep(self._how_long())
        node.start()

    def _freeze(self, node: RedisNode | RabbitNode) -> None:
        nodes.freeze(node)
        time.sleep(self._how_long())
        nodes.thaw(node)

    def _cut(self, node: RedisNode | RabbitNode) -> None:
        node.node.cut()
        time.sleep(self._how_long())
        node.node.join()

    def _how_long(self) -> float:
        """Return seconds: half of the faults are over before Sentinel acts, half are not."""
        return self._chance.choice([self._chance.uniform(0.2, 4), self._chance.uniform(7, 12)])
