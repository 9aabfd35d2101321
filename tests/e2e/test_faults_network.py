"""What lies between the parts goes away, stalls, and cuts in mid-sentence; and all heals by itself."""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from benchmarks.system.proxy import Proxy
from client.__main__ import main
from client.batches import archive
from faces.config import Settings
from faces.picture_id import picture_id_of
from faces.store.pictures import queries
from local.process import Process, until
from local.rabbitmq import RabbitServer
from tests.conftest import environ
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.drawing import drawing
from tests.support.processes.family import children
from tests.support.processes.workers import quick_worker
from tests.support.rules import faults, read_all

PICTURES = 20
PUBLISH_TIMEOUT = 2.0


class Proxied(Fleet):
    """A fleet whose parts reach Redis and RabbitMQ through proxies; its own link goes past them."""

    def __init__(self, settings: Settings, folder: Path, redis_proxy: Proxy, rabbit: Proxy) -> None:
        super().__init__(settings, folder)
        self.redis_proxy, self.rabbit = redis_proxy, rabbit
        self.direct = settings
        self.settings = replace(self.settings, redis_port=redis_proxy.port, rabbitmq_port=rabbit.port)

    def sent(self, seed: int) -> bool:
        """Send a picture; False if it has to be sent again."""
        with suppress(requests.RequestException):
            answer = requests.post(f"{self.url}/scan/image/{seed}", data=drawing(seed), timeout=60)
            assert answer.status_code in {200, 202, 503}, answer.text
            return answer.ok
        return False

    def sent_together(self, seeds: Iterable[int]) -> bool:
        """Send pictures as an archive; False if some have to be sent again."""
        data = archive({str(seed): drawing(seed) for seed in seeds})
        headers = {"Content-Type": "application/x-tar"}
        with suppress(requests.RequestException):
            answer = requests.post(f"{self.url}/v1/images", data=data, headers=headers, timeout=60)
            assert answer.status_code in {200, 202}, answer.text
            problems = [item["problem"]["code"] for item in answer.json()["items"] if item["problem"]]
            assert set(problems) <= {"unavailable"}
            return not problems
        return False


@pytest.fixture
def proxied(settings: Settings, tmp_path: Path) -> Iterator[Proxied]:
    with Proxy(settings.redis_port) as redis_proxy, Proxy(settings.rabbitmq_port) as rabbit:
        fleet = Proxied(settings, tmp_path, redis_proxy, rabbit)
        fleet.start_all(workers=0, PUBLISH_TIMEOUT=str(PUBLISH_TIMEOUT))
        quick_worker(fleet, tmp_path, PUBLISH_TIMEOUT=str(PUBLISH_TIMEOUT))
        yield fleet
        fleet.stop()


def ended_well(fleet: Fleet, pictures: int) -> None:
    fleet.wait()
    assert queries.counts(fleet.redis) == queries.Counts(pictures, pictures, 0, 0, 0)
    state = read_all(fleet.redis)
    assert faults(state) == []
    assert {len(encodings) for encodings in state.encodings.values()} == {1}


@pytest.mark.parametrize("passed_on", [True, False], ids=["reply lost", "cut within"])
@pytest.mark.parametrize(
    ("which", "words"), [("redis_proxy", b"EXEC"), ("rabbit", b"\xff\xd8")], ids=["transaction", "picture"]
)
def test_what_is_cut_at_the_worst_moment_is_done_once(
    proxied: Proxied, which: str, words: bytes, *, passed_on: bool
) -> None:
    proxy: Proxy = getattr(proxied, which)
    for seed in range(PICTURES):
        if seed % 2:
            proxy.cut_once_at(words, passed_on=passed_on)
        assert until(lambda seed=seed: proxied.sent(seed), SECONDS)  # type: ignore[misc]  # bound at once
    assert proxy.cuts > 2
    ended_well(proxied, PICTURES)


@pytest.mark.parametrize("passed_on", [True, False], ids=["reply lost", "cut within"])
@pytest.mark.parametrize(
    ("which", "words"), [("redis_proxy", b"EXEC"), ("rabbit", b"\xff\xd8")], ids=["transaction", "pictures"]
)
def test_an_archive_cut_at_the_worst_moment_is_done_once(
    proxied: Proxied, which: str, words: bytes, *, passed_on: bool
) -> None:
    proxy: Proxy = getattr(proxied, which)
    for start in range(0, PICTURES, 5):
        proxy.cut_once_at(words, passed_on=passed_on)
        assert until(lambda start=start: proxied.sent_together(range(start, start + 5)), SECONDS)  # type: ignore[misc]  # bound at once
    assert proxy.cuts == PICTURES / 5
    ended_well(proxied, PICTURES)


def test_whatever_goes_away_and_comes_back_pictures_go_on(proxied: Proxied) -> None:
    numbers = count()

    def sent_at_last() -> bool:
        seed = next(numbers)
        return until(lambda: proxied.sent(seed), SECONDS)

    for proxy in (proxied.redis_proxy, proxied.rabbit):
        assert sent_at_last()
        proxy.delay = 0.02
        assert sent_at_last()
        proxy.delay = 0.0
        proxy.refusing = True
        proxy.cut()
        assert not proxied.sent(999)
        proxy.refusing = False
        assert sent_at_last()
    proxied.rabbit.stalled = True  # nothing passes, and no connection ends
    assert not proxied.sent(999)
    proxied.rabbit.stalled = False
    assert sent_at_last()
    ended_well(proxied, next(numbers))


@pytest.mark.parametrize("how", ["network", "broker"])
def test_a_broker_that_falls_silent_costs_a_refusal_in_time_and_nothing_is_half_accepted(
    proxied: Proxied, rabbit_server: RabbitServer, how: str
) -> None:
    def silent(now: bool) -> None:
        if how == "network":
            proxied.rabbit.stalled = now
        else:
            rabbit_server.process.kill(signal.SIGSTOP if now else signal.SIGCONT)

    assert until(lambda: proxied.sent(0), SECONDS)
    proxied.wait()
    silent(True)
    try:
        for seed in (1, 2):  # on the connection that has fallen silent, and on one that does not come about
            answer = requests.post(f"{proxied.url}/scan/image/{seed}", data=drawing(seed), timeout=60)
            assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5")
            assert answer.elapsed.total_seconds() < PUBLISH_TIMEOUT + 1.5
            assert proxied.status(picture_id_of(drawing(seed)))["state"] == "unknown"
        assert queries.counts(proxied.redis) == queries.Counts(1, 1, 0, 0, 0)
        begun = time.monotonic()
        assert requests.get(f"{proxied.url}/readyz", timeout=60).json()["rabbitmq"] == "away"
        assert time.monotonic() - begun < PUBLISH_TIMEOUT + 1.5
    finally:
        silent(False)
    assert until(
        lambda: proxied.sent(2), SECONDS
    )  # 1 is not sent again; its message may have come through or not
    proxied.wait()
    counts = queries.counts(proxied.redis)
    assert (counts.accepted, counts.unaccounted) == (counts.done, 0)
    assert faults(read_all(proxied.redis)) == []


def test_pictures_whose_server_was_killed_before_publishing_are_found_and_done(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = environ(fleet.settings, tmp_path) | {
        "REST_PORT": str(fleet.settings.rest_port),
        "IMAGE_STORE_URL": f"file://{tmp_path}/images",
    }
    doomed = Process("doomed", tmp_path)
    doomed.start([sys.executable, "-m", "tests.support.processes.crashing_rest"], variables)
    fleet.processes.append(doomed)
    assert until(fleet._answers, SECONDS)
    lost = {name: drawing(seed) for seed, name in enumerate(["a", "b", "c"])}
    headers = {"Content-Type": "application/x-tar"}
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{fleet.url}/v1/images", data=archive(lost), headers=headers, timeout=60)
    assert queries.counts(fleet.redis) == queries.Counts(3, 0, 0, 0, 3)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main(["reconcile", "--older", "0", "--requeue", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert sorted(picture["names"] for picture in found["stranded"]) == [["a"], ["b"], ["c"]]
    quick_worker(fleet, tmp_path, IMAGE_STORE_URL=f"file://{tmp_path}/images")
    ended_well(fleet, 3)


def test_a_full_image_store_refuses_pictures_and_takes_them_when_there_is_room(
    fleet: Fleet, tmp_path: Path
) -> None:
    images = tmp_path / "images"
    rest = fleet.start("rest", IMAGE_STORE_URL=f"file://{images}")
    assert until(fleet._answers, SECONDS)
    assert rest.pid is not None
    large = drawing(size=(900, 900), kind="BMP")
    for pid in children(rest.pid):  # as full a disk as a process without privileges can have
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
    answer = requests.post(f"{fleet.url}/scan/image/large", data=large, timeout=60)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5")
    assert queries.counts(fleet.redis) == queries.Counts(0, 0, 0, 0, 0)
    assert [path for path in images.rglob("*") if path.is_file()] == []
    for pid in children(rest.pid):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert fleet.scan(large, "large") == picture_id_of(large)
    quick_worker(fleet, tmp_path, IMAGE_STORE_URL=f"file://{images}")
    ended_well(fleet, 1)
