"""Pictures a second through the whole system, from POST to committed, beside a plain loop.

    python -m benchmarks.pipeline FOLDER [--pictures 100] [--workers CORES] [--rounds 3] [--peer loop|engine]

The system: its own Redis and RabbitMQ, the server, one worker process a core, pictures posted by a few threads.
The peer, on the same pictures in the same number of processes: `loop` is load_image_file and face_encodings of
face_recognition with its defaults; `engine` is the worker's own engine without anything around it. Rounds of
both alternate, and the ratio of each pair counts, so that a machine that slows down slows both.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.material.pictures import pictures_in
from benchmarks.system.servers import leading_to, servers
from faces.config import Settings
from faces.formats.limits import Limits
from faces.store.client import RedisClient
from faces.store.pictures import queries
from local.process import Process, listening, until
from worker.engine.engine import load
from worker.engine.library import load_library
from worker.engine.types import Engine
from worker.isolation.view import open_for

SENDERS = 4


@dataclass(frozen=True)
class System:
    """A running system of the benchmark's own."""

    url: str
    redis: RedisClient
    workers: Sequence[Process]
    settings: Settings
    others: Mapping[str, Process]  # server, redis, rabbitmq

    def take(self, pictures: Sequence[bytes], until_settled: Sequence[str] = ()) -> float:
        """Send pictures and wait until all are committed; give the seconds that took.

        Given `until_settled`, hashes of pictures, only these are waited for.
        """
        begun = time.monotonic()
        shares = [list(enumerate(pictures))[sender::SENDERS] for sender in range(SENDERS)]
        with ThreadPoolExecutor(SENDERS) as senders:
            list(senders.map(self._send, shares))
        if not until(lambda: self.settled(until_settled), 3600, pause=0.05):
            raise SystemExit("the system did not finish within an hour")
        return time.monotonic() - begun

    def settled(self, picture_ids: Sequence[str]) -> bool:
        """Tell whether these pictures, or all there are, are done or failed."""
        if not picture_ids:
            return queries.counts(self.redis).in_flight == 0
        statuses = queries.statuses(self.redis, picture_ids)
        return all(status is not None and status.state != "pending" for status in statuses)

    def _send(self, pictures: Sequence[tuple[int, bytes]]) -> None:
        """Send pictures one after the other on one connection; a plain client costs the cores little."""
        address = urlsplit(self.url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=60)
        for number, picture in pictures:
            connection.request("POST", f"/scan/image/{number}", picture)
            answer = connection.getresponse()
            if answer.status >= 400:
                raise SystemExit(f"the server answered {answer.status}: {answer.read()!r}")
            answer.read()
        connection.close()


@contextmanager
def running(workers: int, worker: str = "worker", **more: str) -> Iterator[System]:
    """Run a system in a temporary folder, its workers from the module `worker`, with more variables."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis_server, rabbit = stack.enter_context(servers(folder))
        settings = leading_to(redis_server, rabbit)
        variables = {
            "REDIS_PORT": str(redis_server.port),
            "RABBITMQ_PORT": str(rabbit.port),
            "REST_PORT": str(settings.rest_port),
            "LOG_LEVEL": "warning",
        }
        processes = []
        for number, part in enumerate(["rest"] + [worker] * workers):
            process = Process(f"{part}{number}", folder)
            process.start([sys.executable, "-m", part], {**os.environ, **variables, **more})
            stack.callback(process.stop)
            processes.append(process)
        if not until(lambda: listening(settings.rest_port), 60):
            raise SystemExit("the server did not start")
        redis = RedisClient(settings)
        stack.callback(redis.close)
        others = {"server": processes[0], "redis": redis_server.process, "rabbitmq": rabbit.process}
        yield System(settings.server, redis, processes[1:], settings, others)


def loop(paths: Sequence[Path]) -> int:
    """Find the faces of pictures with face_recognition, as its documentation shows."""
    face_recognition = load_library()  # with its models; only the peer's processes need them
    return sum(len(face_recognition.face_encodings(face_recognition.load_image_file(path))) for path in paths)


def engine_alone(paths: Sequence[Path]) -> int:
    """Find the faces of pictures with the worker's engine alone, as many at once as a worker takes."""
    settings, engine = Settings.read(), loaded_engine()
    batch, limits = settings.batch_size, Limits.of(settings)
    faces = 0
    for start in range(0, len(paths), batch):
        opened = [open_for(engine, path.read_bytes(), limits) for path in paths[start : start + batch]]
        faces += sum(len(found) for found in engine.find(opened))
    return faces


@cache
def loaded_engine() -> Engine:
    """The engine of this process."""
    return load(Settings.read())


def through_peer(pool: multiprocessing.pool.Pool, peer: str, paths: Sequence[Path], processes: int) -> float:
    """Have the peer's processes do their shares; give the seconds until the last has ended."""
    begun = time.monotonic()
    shares = [paths[number::processes] for number in range(processes)]
    pool.map({"loop": loop, "engine": engine_alone}[peer], shares, chunksize=1)
    return time.monotonic() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="pictures a second through the whole system")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", choices=["loop", "engine"], default="loop")
    options = parser.parse_args()
    paths = pictures_in(options.folder, options.pictures)
    data = [path.read_bytes() for path in paths]
    context = multiprocessing.get_context("spawn")
    with running(options.workers) as system, context.Pool(options.workers) as pool:
        system.take([picture + b"warm" for picture in data[:8]])
        through_peer(pool, options.peer, paths[:8], options.workers)
        ratios = []
        for number in range(options.rounds):
            theirs = through_peer(pool, options.peer, paths, options.workers)
            # a byte behind the end makes another picture of it, with the same faces
            ours = system.take([picture + bytes([number]) for picture in data])
            ratios.append(theirs / ours)
            print(
                f"round {number + 1}: system {len(data) / ours:6.2f} pictures/s, "
                f"{options.peer} {len(data) / theirs:6.2f} pictures/s, ratio {ratios[-1]:.2f}",
                flush=True,
            )
        failed = queries.counts(system.redis).failed
    print(
        f"{len(data)} pictures, {options.workers} workers: median ratio {statistics.median(ratios):.2f}"
        f" (min {min(ratios):.2f}, max {max(ratios):.2f}), {failed} failed"
    )


if __name__ == "__main__":
    main()
