"""Pictures with their people's names through a real fleet, killed in the middle."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from faces.store.people import directory, statements
from faces.store.pictures import queries
from groups.checking.faults import faults
from local.process import Process, until
from tests.conftest import environ
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.servers.compreface import Collection, serving

KEY = "00000000-0000-0000-0000-000000000002"


def command(fleet: Fleet, folder: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The words and the environment of `facefleet import`."""
    words = [sys.executable, "-m", "client", "import", *arguments, "--json"]
    return words, environ(fleet.settings, folder) | {"REST_PORT": str(fleet.settings.rest_port)}


def imported(fleet: Fleet, folder: Path, *arguments: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Import; what became of each person, and the reason for each picture left out."""
    words, environment = command(fleet, folder, *arguments)
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS * 2
    )
    document = json.loads(done.stdout or "{}")
    assert document, done.stderr
    assert done.returncode == bool(document["left"])
    left = {one["name"]: one["reason"] for one in document["left"]}
    return {one["name"]: one for one in document["people"]}, left


def test_a_folder_and_compreface_become_people(fleet: Fleet, photographs: Path, tmp_path: Path) -> None:
    album = tmp_path / "album"
    for name in ("obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png", "chelsea.png"):
        person = (
            "Barack Obama" if name.startswith("obama") else "Joe Biden" if name == "biden.jpg" else "Eileen"
        )
        (album / person).mkdir(parents=True, exist_ok=True)
        shutil.copy(photographs / name, album / person)

    fleet.start("rest")
    fleet.start("groups")
    assert until(fleet._answers, SECONDS)
    assert until(lambda: statements.groups_process_runs(fleet.redis), SECONDS)
    doomed = Process("import", tmp_path)
    doomed.start(*command(fleet, tmp_path, "folders", str(album)))
    assert until(lambda: queries.counts(fleet.redis).in_flight == 5, SECONDS), doomed.last_lines()
    doomed.kill()
    fleet.start("worker")

    found, left = imported(fleet, tmp_path, "folders", str(album))
    assert {name: one["already"] + one["stated"] for name, one in found.items()} == {
        "Barack Obama": 2,
        "Joe Biden": 1,
    }
    assert left.keys() == {"Eileen/astronaut.png", "Eileen/chelsea.png"}
    assert "2 faces were found" in left["Eileen/astronaut.png"]
    assert left["Eileen/chelsea.png"] == "no face was found"
    before = statements.history(fleet.redis)
    again, _ = imported(fleet, tmp_path, "folders", str(album))
    assert {name: one["stated"] for name, one in again.items()} == {"Barack Obama": 0, "Joe Biden": 0}
    assert statements.history(fleet.redis) == before

    (tmp_path / "key").write_text(KEY)
    collection = Collection(
        KEY,
        {("Barack Obama", "6b135f5b-a365-4522-b1f1-4c9ac2dd0728"): (photographs / "obama3.jpg").read_bytes()},
    )
    with serving(collection) as address:
        more = [
            "compreface",
            address,
            "--key-file",
            str(tmp_path / "key"),
            "--into",
            str(tmp_path / "examples"),
        ]
        found, left = imported(fleet, tmp_path, *more)
    assert left == {}
    assert found["Barack Obama"]["id"] == again["Barack Obama"]["id"]
    assert [person.count for person in directory.named(fleet.redis, "Barack Obama")] == [3]
    assert queries.counts(fleet.redis).done == 6
    assert until(lambda: faults(fleet.redis) == [], SECONDS)
