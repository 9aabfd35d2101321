"""Whether a Redis at its memory limit loses nothing.

    python -m benchmarks.memory [--pictures 300] [--workers 1] [--folder F]

Pictures of one person, each of which matches all others, are sent to a whole system while its workers are stopped.
Then Redis gets a limit that their edges exceed, and the workers go on until they reach it. Now a new picture must
be refused, and searching must work; pictures are erased until all others are done, and a new one is sent. Exit code
1 where anything is lost, refused without a reason, or wrong.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

import requests
from redis import Redis

from benchmarks.chaos import PHOTOGRAPHS
from benchmarks.system.fleet import SingleFleet, running, signal_group
from client.checking.faults import Faults
from client.commands.check import check
from client.terminal import table
from faces.store import memory
from faces.store.memory import Memory
from faces.store.pictures import queries
from local.process import until

PATIENCE = 300.0  # seconds
EDGE = 86  # bytes of an edge in one direction
STILL = 12.0  # seconds without a picture done, after which the workers wait: longer than their longest pause


def send(fleet: SingleFleet, picture: bytes, number: int) -> requests.Response:
    """Send a picture of its own bytes."""
    url = f"{fleet.settings.server}/scan/image/{number}.jpg"
    return requests.post(url, data=picture + number.to_bytes(4, "big"), timeout=30)


def come_to_rest(fleet: SingleFleet) -> int:
    """Wait until no more pictures are done; return how many are."""
    done, since = -1, time.monotonic()
    while time.monotonic() - since < STILL:
        now = queries.counts(fleet.redis).done
        if now != done:
            done, since = now, time.monotonic()
        time.sleep(0.1)
    return done


def run(options: argparse.Namespace, folder: Path) -> int:
    """Run in a folder."""
    picture = sorted(PHOTOGRAPHS.glob("*.jpg"))[0].read_bytes()
    with running(folder, options.workers) as fleet:
        for worker in fleet.workers:
            signal_group(worker, signal.SIGSTOP)
        accepted = [send(fleet, picture, number).json()["hash"] for number in range(options.pictures)]
        with Redis(port=fleet.settings.redis_port) as client:
            used = memory.survey(fleet.redis).used
            client.config_set("maxmemory", used + options.pictures**2 * EDGE // 4)
        for worker in fleet.workers:
            signal_group(worker, signal.SIGCONT)
        until(lambda: queries.counts(fleet.redis).done > 0, PATIENCE)
        done = come_to_rest(fleet)
        full = memory.survey(fleet.redis)
        wrong = [] if done < len(accepted) else ["the limit was not reached: give more --pictures"]
        refused = send(fleet, picture, len(accepted))
        wrong += [] if refused.status_code == requests.codes.unavailable else [f"a new one: {refused.text}"]
        refusal = refused.json()["detail"]
        wrong += _used_at_the_limit(fleet, accepted)
        settled = until(lambda: _make_room(fleet, accepted), PATIENCE, 0.5)
        wrong += [] if settled else [f"not settled: {queries.counts(fleet.redis)}"]
        again = send(fleet, picture, options.pictures + 1)
        wrong += [] if again.status_code == requests.codes.accepted else [f"afterwards: {again.text}"]
        until(fleet.settled, PATIENCE)
        counts, faults = queries.counts(fleet.redis), Faults()
        check(fleet.redis, fleet.settings.match_tolerance, faults)
        wrong += [f"starts: {fleet.starts}"] if max(fleet.starts.values()) > 1 else []
        wrong += [f"{counts}"] if counts.unaccounted or counts.failed else []
        wrong += [fault.where for fault in faults.first]
    _show(accepted, refusal, done, full)
    print("\n".join(wrong) if wrong else "nothing was lost, and all rules hold")
    return 1 if wrong else 0


def _used_at_the_limit(fleet: SingleFleet, accepted: list[str]) -> list[str]:
    """Search and ask for a status while Redis is full; return what did not work."""
    wrong = []
    for path in (f"/match/{accepted[0]}", f"/status/{accepted[-1]}"):
        answer = requests.get(fleet.settings.server + path, timeout=30)
        wrong += [] if answer.ok else [f"{path} at the limit: {answer.text}"]
    return wrong


def _make_room(fleet: SingleFleet, accepted: list[str]) -> bool:
    """Erase ten pictures while there is no room for new ones; tell whether there is and all others are done."""
    now = memory.survey(fleet.redis)
    if now.used < (memory.ACCEPT_UP_TO - 0.03) * now.limit:
        return fleet.settled()
    for picture_id in accepted[:10]:
        answer = requests.delete(f"{fleet.settings.server}/v1/pictures/{picture_id}", timeout=60)
        if answer.status_code != requests.codes.no_content:
            raise SystemExit(f"erasing at the limit: {answer.status_code} {answer.text}")
    del accepted[:10]
    return False


def _show(accepted: list[str], refusal: str, done: int, full: Memory) -> None:
    rows: list[tuple[str, object]] = [
        ("limit, bytes", full.limit),
        ("used when full", full.used),
        ("done when full", done),
        ("edges when full", full.edges),
        ("left in the end", len(accepted)),
        *((f"bytes of {part}", size) for part, size in full.parts.items()),
        ("refused with", refusal),
    ]
    print(table(rows))


def main() -> int:
    """Run and judge."""
    parser = argparse.ArgumentParser(description="whether a Redis at its memory limit loses nothing")
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="kept afterwards, with all logs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        return run(options, options.folder or Path(temporary))


if __name__ == "__main__":
    sys.exit(main())
