"""A watched folder on a real fleet: whatever is killed, each picture is sent, done and put away once."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path

from faces.store.pictures import queries
from local.process import Process, until
from tests.conftest import environ
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.photographs import NEAREST_FIRST, OBAMA
from tests.support.rules import faults, read_all


def start(fleet: Fleet, inbox: Path, done: Path) -> Process:
    """Start the command."""
    watcher = Process("watch", inbox.parent)
    command = ["watch", str(inbox), "--move-to", str(done), "--settle", "1", "--poll", "5"]
    watcher.start(
        [sys.executable, "-m", "client", *command],
        environ(fleet.settings, inbox.parent) | {"REST_PORT": str(fleet.settings.rest_port)},
    )
    fleet.processes.append(watcher)
    return watcher


def test_each_picture_is_sent_and_put_away_once(fleet: Fleet, photographs: Path, tmp_path: Path) -> None:
    inbox, done = tmp_path / "inbox", tmp_path / "done"
    inbox.mkdir()
    shutil.copy(photographs / OBAMA[0], inbox)
    (inbox / "words.jpg").write_text("not a picture")
    watcher = start(fleet, inbox, done)  # before the server
    fleet.start("rest")
    assert until(lambda: queries.counts(fleet.redis).in_flight == 1, SECONDS), watcher.last_lines()
    watcher.kill()

    whole = (photographs / OBAMA[1]).read_bytes()
    slow = (inbox / OBAMA[1]).open("wb")
    slow.write(whole[: len(whole) // 2])
    slow.flush()
    watcher = start(fleet, inbox, done)
    fleet.start("worker")
    assert until((done / OBAMA[0]).exists, SECONDS), watcher.last_lines()
    slow.write(whole[len(whole) // 2 :])
    slow.close()
    (tmp_path / "album").mkdir()
    shutil.copy(photographs / OBAMA[2], tmp_path / "album")
    (tmp_path / "album").rename(inbox / "album")
    assert until(lambda: (done / OBAMA[1]).exists() and (done / "album" / OBAMA[2]).exists(), SECONDS)
    watcher.kill(signal.SIGTERM)
    assert until(watcher.ended, SECONDS)
    assert watcher.exit_code == 0

    assert [path.name for path in inbox.rglob("*.jpg")] == ["words.jpg"]
    assert watcher.log.read_text().count("not_a_picture") == 1
    state = read_all(fleet.redis)
    assert faults(state) == []
    assert state.names.keys() == {OBAMA[0], OBAMA[1], f"album/{OBAMA[2]}"}
    assert fleet.match(state.names[OBAMA[0]]) == [
        {OBAMA[2]: f"album/{OBAMA[2]}"}.get(name, name) for name in NEAREST_FIRST[OBAMA[0]]
    ]
