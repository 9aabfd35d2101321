"""Images, built once, and a podman to run them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import missing
from tests.support.containers.images import ROOT, Image, Storage, broker_images
from tests.support.containers.podman import Podman


@pytest.fixture(scope="session")
def storage() -> Iterator[Storage]:
    for command in ("buildah", "mmdebstrap"):
        if shutil.which(command) is None:
            missing(f"{command}: apt-get install {command}")
    if os.geteuid() != 0:
        missing("root, to build images")
    opened = Storage(ROOT / "var" / "images")
    yield opened
    opened.tidy()


@pytest.fixture(scope="session")
def images(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    """Our images, and stand-ins for the brokers', made at once: most of it is waiting for packages."""
    storage.base("rest")  # which is also the worker's
    with ThreadPoolExecutor() as pool:
        stand_ins = pool.submit(storage.stand_ins, broker_images())
        built = {
            name: pool.submit(storage.build, name, tmp_path_factory.mktemp(name))
            for name in ("rest", "worker")
        }
        stand_ins.result()
        return {name: image.result() for name, image in built.items()}


@pytest.fixture(scope="session")
def rest_image(images: dict[str, Image]) -> Image:
    return images["rest"]


@pytest.fixture(scope="session")
def worker_image(images: dict[str, Image]) -> Image:
    return images["worker"]


@pytest.fixture(scope="session")
def podman(
    storage: Storage, rest_image: Image, worker_image: Image, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Podman]:
    """podman with our images and stand-ins for the brokers'; skips where the machine runs no container."""
    for command in ("podman", "runc"):
        if shutil.which(command) is None:
            missing(f"{command}: see the packages in test.sh")
    opened = Podman(storage.options, tmp_path_factory.mktemp("podman"))
    opened.clear()
    tried = opened.tried("run", "--rm", "--pull=never", rest_image.tag, "true")
    if tried.returncode != 0:
        pytest.skip(f"this machine runs no containers: {tried.stderr.strip()[-300:]}")
    yield opened
    opened.clear()
