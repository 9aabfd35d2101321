"""Both images, built from the Dockerfiles as they are, do the main job with nothing writable but /tmp."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from faces.config import Settings
from faces.store import queries
from faces.store.client import RedisClient
from local.process import Process, free_port, until
from tests.conftest import missing
from tests.support.images import ROOT, Image, Storage

SECONDS = 60.0  # for anything to happen on a busy machine
PICTURES = ("obama.jpg", "obama2.jpg", "biden.jpg")


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    for command in ("buildah", "mmdebstrap"):
        if shutil.which(command) is None:
            missing(f"{command}: apt-get install {command}")
    if os.geteuid() != 0:
        missing("root, to change the root of a process")
    opened = Storage(ROOT / "var" / "images")
    yield opened
    opened.tidy()


@pytest.fixture(scope="module")
def rest_image(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Image:
    return storage.build("rest", tmp_path_factory.mktemp("rest"))


@pytest.fixture(scope="module")
def worker_image(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Image:
    return storage.build("worker", tmp_path_factory.mktemp("worker"))


@dataclass
class Running:
    """A server, a worker and a tailer, each from its image."""

    rest: Process
    worker: Process
    logs: Process
    settings: Settings
    variables: dict[str, str]


@pytest.fixture
def running(rest_image: Image, worker_image: Image, settings: Settings, tmp_path: Path) -> Iterator[Running]:
    settings = replace(settings, rest_port=free_port())
    variables = {
        "REDIS_HOST": settings.redis_host,
        "REDIS_PORT": str(settings.redis_port),
        "RABBITMQ_HOST": settings.rabbitmq_host,
        "RABBITMQ_PORT": str(settings.rabbitmq_port),
        "REST_PORT": str(settings.rest_port),
        "METRICS_PORT": str(free_port()),
        "API_KEYS": "off",
    }
    processes = Running(
        rest_image.start(rest_image.command, variables, tmp_path / "rest"),
        worker_image.start(
            worker_image.command, variables | {"METRICS_PORT": str(free_port())}, tmp_path / "worker"
        ),
        worker_image.start(
            [*worker_image.config["Entrypoint"], "python", "-m", "client", "logs"],
            variables,
            tmp_path / "logs",
        ),
        settings,
        variables,
    )
    yield processes
    for process in (processes.rest, processes.worker, processes.logs):
        process.kill()


def answers(settings: Settings) -> bool:
    try:
        return requests.get(settings.server, timeout=5).ok
    except requests.ConnectionError:
        return False


def send(settings: Settings, name: str, data: bytes) -> str:
    answer = requests.post(f"{settings.server}/scan/image/{name}", data=data, timeout=30)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["hash"])


def compiled(folder: Path) -> dict[str, int]:
    """Numba's cached code: files and when they were written."""
    return {str(p.relative_to(folder)): p.stat().st_size for p in folder.rglob("*") if p.is_file()}


def test_pictures_go_through_both_images(
    running: Running, worker_image: Image, photographs: Path, tmp_path: Path
) -> None:
    assert until(lambda: answers(running.settings), SECONDS), running.rest.last_lines()
    sent = {name: send(running.settings, name, (photographs / name).read_bytes()) for name in PICTURES}
    with closing(RedisClient(running.settings)) as redis:
        assert until(lambda: queries.counts(redis).done == len(PICTURES), SECONDS), running.worker.last_lines(
            40
        )
    found = requests.get(f"{running.settings.server}/match/{sent['obama.jpg']}", timeout=30).json()
    assert found == ["obama2.jpg"]
    assert until(lambda: "obama2.jpg" in running.logs.log.read_text(), SECONDS), running.logs.last_lines()
    assert compiled(tmp_path / "worker/tmp/numba") == compiled(worker_image.root / "opt/numba"), (
        "the build has not compiled everything that a worker calls"
    )


def test_processes_end_when_they_are_told(running: Running) -> None:
    assert until(lambda: answers(running.settings), SECONDS), running.rest.last_lines()
    assert until(lambda: "ready" in running.worker.log.read_text(), SECONDS), running.worker.last_lines()
    for process in (running.rest, running.worker, running.logs):
        process.kill(signal.SIGTERM)
        assert until(process.ended, SECONDS), process.last_lines()
        assert process.exit_code == 0, process.last_lines()


def test_images_tell_how_their_process_is(
    running: Running, rest_image: Image, worker_image: Image, tmp_path: Path
) -> None:
    for image, process in ((rest_image, running.rest), (worker_image, running.worker)):

        def well(image: Image = image) -> bool:
            return image.run(image.health_check, running.variables, tmp_path / image.name) == 0

        assert until(well, SECONDS, pause=1.0), process.last_lines()
    running.rest.stop()
    assert rest_image.run(rest_image.health_check, running.variables, tmp_path / "rest") != 0


def test_the_servers_image_has_nothing_that_computes(rest_image: Image) -> None:
    packages = {path.name for path in (rest_image.root / "opt/venv/lib/python3.11/site-packages").iterdir()}
    assert "flask" in packages
    assert not {"numpy", "dlib", "onnxruntime", "numba", "pip", "setuptools"} & packages
    assert not (rest_image.root / "app/worker").exists()


def test_the_workers_image_has_its_models_and_nothing_that_may_not_be_sold(worker_image: Image) -> None:
    assert len(list((worker_image.root / "app/var/models").glob("*.onnx"))) == 2
    shapes = {path.name for path in worker_image.root.rglob("shape_predictor_*.dat")}
    assert shapes == {"shape_predictor_5_face_landmarks.dat"}
