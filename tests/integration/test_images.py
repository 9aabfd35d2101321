"""What is in both images, built from the Dockerfiles as they are."""

from __future__ import annotations

import json

from faces.version import VERSION
from tests.support.containers.images import REVISION, Image


def test_the_servers_image_has_nothing_that_computes(rest_image: Image) -> None:
    packages = {path.name for path in (rest_image.root / "opt/venv/lib/python3.11/site-packages").iterdir()}
    assert "flask" in packages
    assert not {"numpy", "dlib", "onnxruntime", "numba", "pip", "setuptools", "grpc_tools"} & packages
    assert (rest_image.root / "app/rpc/facefleet_pb2.py").exists()
    assert not (rest_image.root / "app/worker").exists()


def test_the_workers_image_has_its_models_and_nothing_that_may_not_be_sold(worker_image: Image) -> None:
    assert len(list((worker_image.root / "app/var/models").glob("*.onnx"))) == 2
    shapes = {path.name for path in worker_image.root.rglob("shape_predictor_*.dat")}
    assert shapes == {"shape_predictor_5_face_landmarks.dat"}


def test_images_say_what_they_were_made_of(rest_image: Image, worker_image: Image) -> None:
    for image in (rest_image, worker_image):
        labels = image.config["Labels"]
        assert labels["org.opencontainers.image.version"] == VERSION
        assert labels["org.opencontainers.image.revision"] == REVISION


def test_images_carry_a_bill_of_materials(rest_image: Image, worker_image: Image) -> None:
    for image, package in ((rest_image, "pkg:pypi/flask@"), (worker_image, "pkg:pypi/onnxruntime@")):
        bill = json.loads((image.root / "app/sbom.json").read_text())
        purls = [component["purl"] for component in bill["components"]]
        assert bill["metadata"]["component"]["version"] == VERSION
        assert any(purl.startswith(package) for purl in purls)
        assert any(purl.startswith("pkg:deb/debian/libc6@") for purl in purls)
