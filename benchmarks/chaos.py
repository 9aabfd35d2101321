"""Whether nothing is lost while everything is killed.

    python -m benchmarks.chaos [--replicated] [--pictures 2000] [--kills 100] [--seed 1] [--workers 2] [--folder F]

Pictures stream into a whole system, each sent until it is accepted and some erased again, while workers, server,
broker, Redis and the network between them are killed, frozen and cut at random. In the end every accepted picture
must be done or failed, none that was erased may be back, the databases must agree with brute force, and no message
may be left. Exit code 1 otherwise.

With `--replicated` it is the production topology, with its configuration files: three RabbitMQ nodes, three Redis
servers with Sentinel, and HAProxy, in a private network (`benchmarks.system.network`).
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import requests
from PIL import Image

from benchmarks.system import network, replicated
from benchmarks.system.fleet import Fleet, running
from benchmarks.system.sabotage import ReplicatedFaults, Saboteur, SingleFaults
from client.checking.faults import Faults
from client.commands.check import check
from client.terminal import table
from faces.messaging.queues import depths
from faces.picture_id import picture_id_of
from faces.store.collection import inspection
from faces.store.pictures import queries
from local.process import until

SENDERS = 4
PHOTOGRAPHS = Path(__file__).parents[1] / "var" / "photographs"
THUMBNAIL = (220, 220)  # pixels: large enough for a face, small enough for thousands of them
EVERY_FOURTH = 4
ERASE_EVERY = 20  # pictures: each of these is erased again, done or not
PATIENCE = 300.0  # seconds after the last fault for everything to be done


def pictures(count: int, seed: int, *, faces: bool = True) -> list[bytes]:
    """Different small pictures; with `faces`, every fourth shows one, if the sample photographs are there.

    Those of one photograph show the same face: bytes behind the end tell them apart.
    """
    photographs = [_thumbnail(path) for path in sorted(PHOTOGRAPHS.glob("*.jpg"))] if faces else []
    made = []
    for number in range(seed, seed + count):
        shows_face = bool(photographs) and number % EVERY_FOURTH == 0
        picture = photographs[number // EVERY_FOURTH % len(photographs)] if shows_face else _drawing(number)
        made.append(picture + number.to_bytes(4, "big"))
    return made


class Sender:
    """Sends pictures, each until it is accepted; as many as `allow` has let through."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._allowed = threading.Semaphore(0)
        self.answers: Counter[str] = Counter()
        self.erased: list[str] = []

    def allow(self, count: int) -> None:
        """Let so many more pictures through."""
        if count:
            self._allowed.release(count)

    def send(self, picture: bytes, number: int) -> None:
        """Send a picture until it is accepted."""
        self._allowed.acquire()
        while True:
            answer = self._once(picture, number)
            self.answers[answer] += 1
            if answer in {"200", "202"}:
                break
            time.sleep(0.2)
        if number % ERASE_EVERY == 0:
            self._erase(picture_id_of(picture))

    def _once(self, picture: bytes, number: int) -> str:
        try:
            url = f"{self._url}/scan/image/{number}.jpg"
            return str(requests.post(url, data=picture, timeout=30).status_code)
        except requests.RequestException:
            return "no answer"

    def _erase(self, picture_id: str) -> None:
        """Erase a picture, asking until the server says that it is gone; 404: an earlier request did it."""
        url = f"{self._url}/v1/pictures/{picture_id}"
        while True:
            with suppress(requests.RequestException):
                if requests.delete(url, timeout=30).status_code in {204, 404}:
                    self.erased.append(picture_id)
                    return
            time.sleep(0.2)


def sabotaged(fleet: Fleet, saboteur: Saboteur, sent: Sequence[bytes], kills: int) -> Sender:
    """Send pictures while things break; return when all are sent and nothing more will break."""
    sender = Sender(fleet.settings.server)
    with ThreadPoolExecutor(SENDERS) as pool:
        sending = [pool.submit(sender.send, picture, number) for number, picture in enumerate(sent)]
        for strike in range(kills):
            sender.allow(len(sent) * (strike + 1) // kills - len(sent) * strike // kills)
            saboteur.strike()
        for done in sending:
            done.result()
    return sender


def verdict(fleet: Fleet, sent: Sequence[bytes], sender: Sender) -> list[str]:
    """Everything that is not as it must be."""
    empty = until(
        lambda: fleet.settled() and not any(depth.ready for depth in depths(fleet.settings)), PATIENCE, 0.5
    )
    wrong = [] if empty else [f"not settled: {queries.counts(fleet.redis)}, {depths(fleet.settings)}"]
    counts = queries.counts(fleet.redis)
    if counts.accepted != len(sent) or counts.unaccounted:
        wrong.append(f"{len(sent)} pictures were accepted, and the counts are {counts}")
    hashes = [picture_id_of(picture) for picture in sent]
    missing = {h for h, s in zip(hashes, queries.statuses(fleet.redis, hashes), strict=True) if s is None}
    wrong += [f"{h} is lost" for h in missing.difference(sender.erased)]
    for picture_id in sender.erased:
        wrong += [
            f"{picture_id} was erased and is back: {p}" for p in inspection.residue(fleet.redis, picture_id)
        ]
    wrong += [
        f"the server has answered {a}" for a in sender.answers if a not in {"200", "202", "503", "no answer"}
    ]
    faults = Faults()
    check(fleet.redis, fleet.settings.match_tolerance, faults)
    return wrong + [fault.where for fault in faults.first]


def main() -> int:
    """Run and judge."""
    parser = argparse.ArgumentParser(description="whether nothing is lost while everything is killed")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="kept afterwards, with all logs")
    parser.add_argument("--replicated", action="store_true", help="the production topology")
    options = parser.parse_args()
    if options.replicated:
        network.enter(replicated.names())
    with tempfile.TemporaryDirectory() as temporary:
        return run(options, options.folder or Path(temporary))


@contextmanager
def system(options: argparse.Namespace, folder: Path) -> Iterator[tuple[Fleet, Saboteur]]:
    """Run the system that was asked for, and what breaks it."""
    chance = random.Random(options.seed)
    if options.replicated:
        with replicated.running(folder, options.workers, PUBLISH_TIMEOUT="5") as (fleet, cluster):
            yield fleet, Saboteur(ReplicatedFaults(fleet, cluster, chance).all(), chance)
    else:
        with running(folder, options.workers, PUBLISH_TIMEOUT="5") as single:
            yield single, Saboteur(SingleFaults(single, chance).all(), chance)


def run(options: argparse.Namespace, folder: Path) -> int:
    """Run in a folder."""
    begun = time.monotonic()
    sent = pictures(options.pictures, options.seed)
    with system(options, folder) as (fleet, saboteur):
        sender = sabotaged(fleet, saboteur, sent, options.kills)
        wrong = verdict(fleet, sent, sender)
        counts = queries.counts(fleet.redis)
        restarts = sum(fleet.starts.values()) - len(fleet.workers) - 1
    rows: list[tuple[str, object]] = [
        ("pictures", len(sent)),
        ("accepted", counts.accepted),
        ("done", counts.done),
        ("failed", counts.failed),
        ("erased", counts.erased),
        ("lost", counts.unaccounted + counts.in_flight),
        *sorted(saboteur.done.items()),
        ("starts of server and workers after the first", restarts),
        *((f"answers: {answer}", count) for answer, count in sorted(sender.answers.items())),
        ("seconds", round(time.monotonic() - begun)),
        ("faults", len(wrong)),
    ]
    print(table(rows))
    print("\n".join(wrong) if wrong else "nothing was lost, and all rules hold")
    return 1 if wrong else 0


def _thumbnail(path: Path) -> bytes:
    file = io.BytesIO()
    with Image.open(path) as image:
        image.thumbnail(THUMBNAIL)
        image.convert("RGB").save(file, "JPEG", quality=90)
    return file.getvalue()


def _drawing(seed: int) -> bytes:
    file = io.BytesIO()
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(blocks).resize((96, 72)).save(file, "JPEG")
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
