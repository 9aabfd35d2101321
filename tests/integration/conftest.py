"""Images, built once, and a podman to run them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

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
def rest_image(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Image:
    return storage.build("rest", tmp_path_factory.mktemp("rest"))


@pytest.fixture(scope="session")
def worker_image(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Image:
    return storage.build("worker", tmp_path_factory.mktemp("worker"))


@pytest.fixture(scope="session")
def podman(
    storage: Storage, rest_image: Image, worker_image: Image, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Podman]:
    """podman with our images and stand-ins for the brokers'; skips where the machine runs no container."""
    for command in ("podman", "runc"):
        if shutil.which(command) is None:
            missing(f"{command}: see the packages in test.sh")
    storage.stand_ins(broker_images())
    opened = Podman(storage.options, tmp_path_factory.mktemp("podman"))
    opened.clear()
    tried = opened.tried("run", "--rm", "--pull=never", rest_image.tag, "true")
    if tried.returncode != 0:
        pytest.skip(f"this machine runs no containers: {tried.stderr.strip()[-300:]}")
    yield opened
    opened.clear()
