"""The whole fleet goes over to a model that somebody brings."""

from __future__ import annotations

import sys
from pathlib import Path

from local.process import Process, until
from tests.conftest import environ
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.models.retrained import retrained
from tests.support.photographs import NEAREST_FIRST
from tests.support.rules import faults, read_all


def test_answers_stay_while_all_encodings_change(fleet: Fleet, photographs: Path, tmp_path: Path) -> None:
    store = {"IMAGE_STORE_URL": f"file://{tmp_path}/originals", "ENGINE": "onnxruntime"}
    fleet.start_all(1, **store)
    sent = {n: fleet.scan((photographs / n).read_bytes(), n) for n in (*NEAREST_FIRST, "biden.jpg")}
    fleet.wait()
    before = read_all(fleet.redis)
    brought = retrained(tmp_path / "theirs.dat")  # distances between its encodings are those of dlib's
    command = Process("rebuild", tmp_path)
    command.start(
        [sys.executable, "-m", "client", "rebuild", "--model", f"{brought}-mirror"],
        environ(fleet.settings, tmp_path) | store,
    )
    assert until(lambda: command.exit_code is not None, SECONDS)
    assert command.exit_code == 0, command.last_lines()
    after = read_all(fleet.redis)
    assert faults(after) == []
    assert after.matches == before.matches
    assert after.encodings.keys() == before.encodings.keys()
    assert all(after.encodings[one] != before.encodings[one] for one in before.encodings)
    for name, nearest in NEAREST_FIRST.items():
        assert fleet.match(sent[name]) == nearest
    assert fleet.processes[1].stop()
    worker = fleet.start("worker", MODEL=f"{brought}-mirror", **store)
    late = fleet.scan((photographs / "obama_partial_face.jpg").read_bytes(), "late")
    fleet.wait()
    assert fleet.status(late)["model"].startswith("dlib-resnet-"), worker.last_lines()
    assert set(fleet.match(late)) == set(NEAREST_FIRST)
    assert faults(read_all(fleet.redis)) == []
