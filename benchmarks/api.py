"""`python -m benchmarks.api [FOLDER]`: how fast `/v1` answers.

Reads, beside a bare Flask route in the same run, on a collection of made-up people; the time from a commit to who
listens to events; and, with a folder of pictures, how long a search takes with nothing in the queue and with
pictures waiting, on one worker with the real engine (pictures of at most 320 pixels).
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

from PIL import Image

from benchmarks.commit import BASIS, ready_made
from benchmarks.live import listening, show, writing
from benchmarks.material.pictures import pictures_in
from benchmarks.peers.bare import bare_server
from benchmarks.pipeline import running
from benchmarks.slow_clients import server
from faces.config import Settings
from faces.messaging.amqp import Publisher
from faces.messaging.message import Message, encode
from faces.messaging.topology import PICTURE_KEY, PICTURES_EXCHANGE
from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from faces.store.collection.data_version import agree
from faces.store.people import directory
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import commit
from faces.usecases.publication import accept_and_publish
from local.process import Process, until
from worker.index.face_index import FaceIndex

ROUNDS = 5  # of every read in turn, so that what else the machine does is spread over all
BATCH = 100


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="pictures to search by")
    parser.add_argument("--pictures", type=int, default=1000, help="in the collection that is read")
    parser.add_argument("--requests", type=int, default=200, help="of each kind")
    parser.add_argument("--seconds", type=float, default=10, help="of events")
    parser.add_argument("--waiting", type=int, default=10_000, help="pictures in the queue while searching")
    parser.add_argument("--searches", type=int, default=100)
    options = parser.parse_args()
    with server() as (port, redis_port), tempfile.TemporaryDirectory() as folder:
        settings = replace(Settings(), redis_host="127.0.0.1", redis_port=redis_port)
        with closing(RedisClient(settings)) as redis:
            picture_id = _collect(redis, options.pictures)
            person = _grouped(redis, redis_port, Path(folder), options.pictures)
            with bare_server(Path(folder)) as bare:
                _reads(port, bare, picture_id, person, options.requests // ROUNDS)
            with listening(port, 1) as latencies, writing(redis, 50):
                time.sleep(options.seconds)
            show("event to listener", latencies)
    if options.folder:
        _search(pictures_in(options.folder, 50), options.waiting, options.searches)


def _reads(port: int, bare: int, picture_id: str, person: str, count: int) -> None:
    paths = {
        "GET / (bare Flask)": (bare, "/"),
        "GET /match/HASH": (port, f"/match/{picture_id}"),
        "GET /v1/images/HASH": (port, f"/v1/images/{picture_id}"),
        "GET /v1/images/HASH/matches": (port, f"/v1/images/{picture_id}/matches"),
        "GET /v1/images?limit=50": (port, "/v1/images?limit=50"),
        "GET /v1/people?limit=50": (port, "/v1/people?limit=50"),
        "GET /v1/people/ID/faces": (port, f"/v1/people/{person}/faces"),
    }
    times: dict[str, list[float]] = {what: [] for what in paths}
    for _ in range(ROUNDS):
        for what, (where, path) in paths.items():
            times[what] += _times(where, "GET", path, [b""] * count)
    first = statistics.median(next(iter(times.values())))
    for what, some in times.items():
        show(f"{what:28} x{statistics.median(some) / first:5.1f}", some)


def _collect(redis: RedisClient, count: int) -> str:
    """Commit made-up pictures; gives the hash of one."""
    agree(redis, BASIS)
    known, pictures = FaceIndex(BASIS.tolerance), ready_made(count)
    for first in range(0, count, BATCH):
        batch = pictures[first : first + BATCH]
        for found in batch:
            accept(redis, found.picture_id, found.picture_id[:12])
        known.follow(redis)
        committed = commit(redis, batch, BASIS, lambda: known.place, known.compare(batch).catch_up)
        known.add_committed(batch, committed.mark)
    return pictures[0].picture_id


def _grouped(redis: RedisClient, redis_port: int, folder: Path, faces: int) -> str:
    """Have all faces grouped; gives the id of the largest group."""
    process = Process("groups", folder)
    process.start([sys.executable, "-m", "groups"], {**os.environ, "REDIS_PORT": str(redis_port)})
    try:
        if not until(lambda: sum(p.count for p in directory.people(redis, most=faces).people) == faces, 120):
            raise SystemExit(f"the faces were not grouped:\n{process.last_lines()}")
    finally:
        process.stop()
    return directory.people(redis, most=1).people[0].id


def _search(paths: Sequence[Path], waiting: int, searches: int) -> None:
    pictures = [_small(path) for path in paths]
    with running(1) as system:
        system.take([data + b"stored" for data in pictures])
        show("search, empty queue", _searches(system.url, pictures, searches))
        publisher = Publisher(system.settings)

        def publish(message: Message) -> None:
            publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, *encode(message))

        for number in range(waiting + 500):  # some are done before the search begins
            data = pictures[number % len(pictures)] + b"%d" % number
            accept_and_publish(
                system.redis, publish, None, Message(picture_id_of(data), f"picture {number}", data)
            )
        publisher.close()
        before = queries.counts(system.redis).in_flight
        times = _searches(system.url, pictures, searches)
        after = queries.counts(system.redis).in_flight
        show(f"search, {before:,} to {after:,} waiting", times)


def _small(path: Path) -> bytes:
    """A picture of at most 320 pixels: what counts is how many wait."""
    with Image.open(path) as picture:
        picture.thumbnail((320, 320))
        file = io.BytesIO()
        picture.convert("RGB").save(file, "JPEG")
    return file.getvalue()


def _searches(url: str, pictures: Sequence[bytes], count: int) -> list[float]:
    """Search one after the other; milliseconds."""
    port = int(url.rpartition(":")[2])
    return _times(port, "POST", "/v1/search", [pictures[n % len(pictures)] + b"new" for n in range(count)])


def _times(port: int, method: str, path: str, bodies: Sequence[bytes]) -> list[float]:
    """Send requests one after the other on one connection; milliseconds."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    times = []
    for body in bodies:
        begun = time.monotonic()
        connection.request(method, path, body or None)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"the server answered {answer.status}: {text!r}")
        times.append((time.monotonic() - begun) * 1000)
    connection.close()
    return times


if __name__ == "__main__":
    main()
