"""The whole system on one machine: its parts, and how they start and stop."""

from __future__ import annotations

import fcntl
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from faces.config import Settings
from local.health_checks import Part, look
from local.places import PORTS, Places, choose, read
from local.process import Process, free_port, listening, stop_all, until
from local.rabbitmq import RabbitServer
from local.redis import RedisServer
from local.supervisor import GRACE, processes

READY = 120.0  # seconds for all parts; the very first start compiles the kernels
OTHERS = 10.0  # seconds for servers that the environment names
TRIES = 3  # attempts to start before another program takes one of the ports
MAX_DEATHS = 3  # a part that has died this often will not come up by waiting

Say = Callable[[str], None]


class System:
    """RabbitMQ, Redis, the server and the workers, all their files in one folder."""

    def __init__(self, folder: Path, environ: Mapping[str, str], say: Say) -> None:
        self.folder = folder
        self.environment_file = folder / "environment"
        self._environ = environ
        self._say = say
        self._run = folder / "run"
        self._supervisor = Process("supervisor", self._run)

    @property
    def places(self) -> Places:
        """The addresses that the last start chose."""
        return read(self.environment_file)

    def environment(self) -> dict[str, str]:
        """The environment in which our own commands reach the system."""
        return {**self._environ, **self.places.environment}

    def parts(self) -> list[Part]:
        """Return the state of every part."""
        places = self.places
        own = {"rabbitmq": self._rabbit(places).process, "redis": self._redis(places).process}
        servers = {name: process for name, process in own.items() if name in places.ours}
        return look(Settings.read(self.environment()), servers, processes(self._run, places.workers))

    def up(self, workers: int | None = None) -> bool:
        """Start whatever is not running, and wait until everything is ready.

        Returns:
            Whether there was anything to do.

        Raises:
            SettingError: a setting is invalid.
            RuntimeError: a part does not start; the message has the end of its log.
        """
        Settings.read(self._environ)
        with self._alone():
            for _ in range(TRIES - 1):
                try:
                    return self._up(workers)
                except RuntimeError:
                    if not self._lost_a_port():
                        raise
                self._say("Another program took a port first; trying others ...")
                self._stop_parts()
            return self._up(workers)

    def stop(self) -> list[str]:
        """Stop everything of ours, workers after their current picture; return the names of what was running."""
        with self._alone():
            places = self.places
            servers = (self._redis(places), self._rabbit(places))
            ran = [p.name for p in (*self._kept(), *(s.process for s in servers)) if p.pid is not None]
            self._stop_parts()
            for server in servers:
                server.stop()
        return ran

    def _up(self, workers: int | None) -> bool:
        before = self.places
        places = self._choose(before, workers)
        Settings.read({**self._environ, **places.environment})
        places.write(self.environment_file)
        self._expect_others()
        # Workers load their models while the servers start, and wait for them.
        changed = self._supervisor_up(places, fresh=places != before)
        changed |= self._servers_up(places)
        self._wait()
        return changed

    def _lost_a_port(self) -> bool:
        """Tell whether another program has taken a port since we chose it."""
        places = self.places
        down = [server for server in self._servers(places) if server.process.pid is None]
        for server in down:
            server.stop()  # its port mapper may still run
        ports = [places.port(variable) for server in down for variable in PORTS[server.process.name]]
        if any(free_port(port) != port for port in ports):
            return True
        served = {part.name: part.ready for part in self.parts()}
        return any(
            not served[name] and listening(places.port(variable))
            for name, variable in (("rest", "REST_PORT"), ("rpc", "RPC_PORT"))
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Make a concurrent run wait. The lock ends with the process, however that ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say("Another run is in progress; waiting for it ...")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _choose(self, before: Places, workers: int | None) -> Places:
        for server in (self._rabbit(before), self._redis(before)):
            if server.process.pid is None:
                server.stop()  # a killed node leaves its port mapper behind
        own = (self._rabbit(before).process, self._redis(before).process, *processes(self._run, 0))
        running = {process.name for process in own if process.pid is not None}
        places, taken = choose(
            self._environ, before, running=running, workers=workers, images=self.folder / "images"
        )
        for variable, port in taken.items():
            self._say(f"Port {port} is taken; {variable} is {places.environment[variable]} instead")
        return places

    def _expect_others(self) -> None:
        """Wait for the servers that the environment names; they may be starting too."""
        missing: list[Part] = []

        def there() -> bool:
            missing[:] = [part for part in self.parts() if part.state == "away"]
            return not missing

        if not until(there, OTHERS, pause=0.5):
            raise RuntimeError(_complaint(missing[0]))

    def _servers_up(self, places: Places) -> bool:
        down = [server for server in self._servers(places) if not _runs(server)]
        if down:
            self._say(f"Starting {' and '.join(server.process.name for server in down)} ...")
        with ThreadPoolExecutor() as together:
            list(together.map(_restart, down))
        return bool(down)

    def _supervisor_up(self, places: Places, *, fresh: bool) -> bool:
        if self._supervisor.pid is not None and not fresh:
            return False
        if fresh:
            self._stop_parts()  # they would keep the old addresses
        self._say(f"Starting the servers and {places.workers} worker{'s' * (places.workers > 1)} ...")
        command = [sys.executable, "-m", "local.supervisor", str(self._run), str(places.workers)]
        self._supervisor.start(command, self.environment())
        return True

    def _kept(self) -> list[Process]:
        """The server and all existing workers, however many were asked for."""
        names = sorted({file.stem for file in self._run.glob("*.pid")} - {self._supervisor.name})
        return [Process(name, self._run) for name in names]

    def _stop_parts(self) -> None:
        """Stop the supervisor and its processes, and any that a killed supervisor left behind."""
        stop_all([self._supervisor], 2 * GRACE)
        stop_all(self._kept(), GRACE)

    def _wait(self) -> None:
        lives: defaultdict[str, set[int]] = defaultdict(set)

        def settled() -> bool:
            parts = self.parts()
            for part in parts:
                lives[part.name] |= {part.pid} if part.pid else set()
            return all(part.ready for part in parts) or any(len(pids) > MAX_DEATHS for pids in lives.values())

        until(settled, READY, pause=0.2)
        for part in self.parts():
            if not part.ready:
                raise RuntimeError(_complaint(part))

    def _servers(self, places: Places) -> list[RedisServer | RabbitServer]:
        return [s for s in (self._rabbit(places), self._redis(places)) if s.process.name in places.ours]

    def _redis(self, places: Places) -> RedisServer:
        return RedisServer(self.folder / "redis", places.port("REDIS_PORT"))

    def _rabbit(self, places: Places) -> RabbitServer:
        ports = (places.port(v) for v in ("RABBITMQ_PORT", "RABBITMQ_DIST_PORT", "ERL_EPMD_PORT"))
        return RabbitServer(self.folder / "rabbitmq", *ports)


def _runs(server: RedisServer | RabbitServer) -> bool:
    """Tell whether a server is running; one that was just started gets time to answer."""
    return server.process.started_since(server.answers, READY)


def _complaint(part: Part) -> str:
    if part.process is None:
        return f"no answer from {part.name} at {part.address}, which the environment names"
    return f"{part.name} did not start; {part.process.log} ends with:\n{part.process.last_lines(15)}"


def _restart(server: RedisServer | RabbitServer) -> None:
    server.stop()
    server.start()
