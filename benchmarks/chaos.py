"""Whether nothing is lost while everything is killed.

    python -m benchmarks.chaos [--pictures 2000] [--kills 100] [--seed 1] [--workers 2] [--folder F]

Pictures stream into a whole system, each sent until it is accepted, while workers, server, broker, Redis and the
network between them are killed, frozen and cut at random. In the end every accepted picture must be done or failed,
the databases must hold against brute force, and no message may be left. Exit code 1 otherwise.
"""

from __future__ import annotations

import argparse
import io
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import requests
from PIL import Image

from benchmarks.fleet import Fleet, running, signal_group
from client.checking.faults import Faults
from client.commands.check import check
from client.terminal import table
from faces.picture_id import picture_id_of
from faces.queues import depths
from faces.store import queries
from local.process import Process, until

SENDERS = 4
PHOTOGRAPHS = Path(__file__).parents[1] / "var" / "photographs"
THUMBNAIL = (220, 220)  # pixels: large enough for a face, small enough for thousands of them
EVERY_FOURTH = 4
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


class Saboteur:
    """Breaks one thing at a time, and has it mended."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self._fleet = fleet
        self._random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self._ways: dict[str, tuple[int, Callable[[], None]]] = {
            "worker killed": (6, lambda: signal_group(self._worker(), signal.SIGKILL)),
            "worker frozen": (2, lambda: self._freeze(self._worker())),
            "worker told to stop": (1, lambda: signal_group(self._worker(), signal.SIGTERM)),
            "server killed": (3, lambda: signal_group(fleet.rest, signal.SIGKILL)),
            "server frozen": (1, lambda: self._freeze(fleet.rest)),
            "Redis killed": (2, self._kill_redis),
            "Redis frozen": (1, lambda: self._freeze(fleet.redis_server.process)),
            "RabbitMQ killed": (1, self._kill_rabbit),
            "RabbitMQ frozen": (1, lambda: self._freeze(fleet.rabbit.process)),
            "Redis cut off": (2, fleet.redis_proxy.cut),
            "RabbitMQ cut off": (2, fleet.rabbit_proxy.cut),
            "reply to EXEC lost": (3, lambda: fleet.redis_proxy.cut_once_at(b"EXEC", passed_on=True)),
            "cut within EXEC": (1, lambda: fleet.redis_proxy.cut_once_at(b"EXEC", passed_on=False)),
            "cut within a picture": (1, lambda: fleet.rabbit_proxy.cut_once_at(b"\xff\xd8", passed_on=False)),
            "network stalled": (1, self._stall),
        }

    def strike(self) -> None:
        """Do one thing of those that there are."""
        names = list(self._ways)
        (name,) = self._random.choices(names, [self._ways[n][0] for n in names])
        self._ways[name][1]()
        self.done[name] += 1
        time.sleep(self._random.uniform(0, 1))

    def _worker(self) -> Process:
        return self._random.choice(self._fleet.workers)

    def _freeze(self, process: Process) -> None:
        signal_group(process, signal.SIGSTOP)
        time.sleep(self._random.uniform(0.5, 3))
        signal_group(process, signal.SIGCONT)

    def _stall(self) -> None:
        proxy = self._random.choice([self._fleet.redis_proxy, self._fleet.rabbit_proxy])
        proxy.stalled = True
        time.sleep(self._random.uniform(0.5, 3))
        proxy.stalled = False

    def _kill_redis(self) -> None:
        signal_group(self._fleet.redis_server.process, signal.SIGKILL)
        self._fleet.redis_server.process.kill()
        self._fleet.redis_server.start()

    def _kill_rabbit(self) -> None:
        signal_group(self._fleet.rabbit.process, signal.SIGKILL)
        self._fleet.rabbit.process.kill()
        self._fleet.rabbit.start()


class Sender:
    """Sends pictures, each until it is accepted; as many as `allow` has let through."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._allowed = threading.Semaphore(0)
        self.answers: Counter[str] = Counter()

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
                return
            time.sleep(0.2)

    def _once(self, picture: bytes, number: int) -> str:
        try:
            url = f"{self._url}/scan/image/{number}.jpg"
            return str(requests.post(url, data=picture, timeout=30).status_code)
        except requests.RequestException:
            return "no answer"


def sabotaged(fleet: Fleet, sent: Sequence[bytes], kills: int, seed: int) -> tuple[Saboteur, Sender]:
    """Send pictures while things break; return when all are sent and nothing more will break."""
    saboteur, sender = Saboteur(fleet, seed), Sender(fleet.settings.server)
    with ThreadPoolExecutor(SENDERS) as pool:
        sending = [pool.submit(sender.send, picture, number) for number, picture in enumerate(sent)]
        for strike in range(kills):
            sender.allow(len(sent) * (strike + 1) // kills - len(sent) * strike // kills)
            saboteur.strike()
        for done in sending:
            done.result()
    return saboteur, sender


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
    lost = [h for h, s in zip(hashes, queries.statuses(fleet.redis, hashes), strict=True) if s is None]
    wrong += [f"{h} is lost" for h in lost]
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
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        return run(options, options.folder or Path(temporary))


def run(options: argparse.Namespace, folder: Path) -> int:
    """Run in a folder."""
    begun = time.monotonic()
    sent = pictures(options.pictures, options.seed)
    with running(folder, options.workers, PUBLISH_TIMEOUT="5") as fleet:
        saboteur, sender = sabotaged(fleet, sent, options.kills, options.seed)
        wrong = verdict(fleet, sent, sender)
        counts = queries.counts(fleet.redis)
        restarts = sum(fleet.starts.values()) - len(fleet.workers) - 1
    rows: list[tuple[str, object]] = [
        ("pictures", len(sent)),
        ("accepted", counts.accepted),
        ("done", counts.done),
        ("failed", counts.failed),
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
