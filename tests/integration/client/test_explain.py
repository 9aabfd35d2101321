"""Why pictures match, told at the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client.__main__ import main
from faces.odds import Odds
from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from faces.store.collection import odds
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult
from tests.support.writing import Writer, picture

pytestmark = pytest.mark.usefixtures("terminal")

GROUP, ALONE, TWINS = picture(1), picture(2), picture(3)


def at(*places: float) -> tuple[bytes, ...]:
    """Faces that lie along one axis."""
    rows = np.zeros((len(places), 128), dtype="<f4")
    rows[:, 0] = places
    return tuple(row.tobytes() for row in rows)


def box(left: int) -> dict[str, int]:
    return {"left": left, "top": 2, "right": left + 10, "bottom": 12}


@pytest.fixture
def seeded(redis: RedisClient) -> Writer:
    """A group of two faces; its second is that of ALONE, and near to both of TWINS, one of them not indexed."""
    writer = Writer(redis)
    unseen = {"box": box(0), "indexed": False}
    shown: dict[str, tuple[list[dict[str, Any]], tuple[bytes, ...]]] = {
        GROUP: ([{"box": box(10)}, unseen, {"box": box(20)}], at(9, 1)),
        ALONE: ([{"box": box(30)}], at(1)),
        TWINS: ([{"box": box(40)}, {"box": box(50)}], at(1.5, 0.75)),
    }
    for number, (one, (faces, encodings)) in enumerate(shown.items()):
        accept(redis, one, f"name {number}\x1b")
        writer.commit([DetectionResult(one, faces, encodings)])
    return writer


def test_each_edge_has_its_faces_boxes_and_distances(
    seeded: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["match", "--explain", "--json", GROUP]) == 0
    found = json.loads(capsys.readouterr().out)
    matches = {edge["hash"]: edge for edge in found.pop("matches")}
    assert found == {"hash": GROUP, "names": ["name 0\x1b"], "model": "test", "tolerance": 0.6}
    assert matches[ALONE]["names"] == ["name 1\x1b"]
    assert matches[ALONE]["pairs"] == [
        {
            "face": 1,
            "box": box(20),
            "other_face": 0,
            "other_box": box(30),
            "distance": 0.0,
            "probability": None,
        }
    ]
    assert matches[TWINS]["pairs"] == [
        {
            "face": 1,
            "box": box(20),
            "other_face": 1,
            "other_box": box(50),
            "distance": 0.25,
            "probability": None,
        },
        {
            "face": 1,
            "box": box(20),
            "other_face": 0,
            "other_box": box(40),
            "distance": 0.5,
            "probability": None,
        },
    ]
    assert len(matches) == len(seeded.known) == 2


def test_a_table_for_people(seeded: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", "--explain", ALONE]) == 0
    captured = capsys.readouterr()
    output = captured.out
    lines = [line.split() for line in output.splitlines()]
    assert lines[:2] == [["model", "test"], ["tolerance", "0.6"]]
    assert ["name", "0\\x1b", "0", "30,2-40,12", "1", "20,2-30,12", "0.0000", "unknown"] in lines
    assert ["0", "30,2-40,12", "0", "40,2-50,12", "0.5000", "unknown"] in lines
    assert "\x1b" not in output
    assert "not measured yet" in captured.err
    assert seeded is not None


def test_the_nearest_comes_first_with_its_odds(seeded: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    odds.keep(seeded.redis, Odds("test", 3, 5.0, 1.0, 1e3))
    assert main(["match", "--explain", "--json", GROUP]) == 0
    edges = json.loads(capsys.readouterr().out)["matches"]
    assert [edge["hash"] for edge in edges] == [ALONE, TWINS]
    chances = [pair["probability"] for edge in edges for pair in edge["pairs"]]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.99
    assert chances[2] < 0.1
    assert main(["match", "--explain", GROUP]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[-3][-3:] == ["0.0000", "over", "99%"]
    assert lines[-1][-2:] == ["0.5000", f"{chances[2]:.0%}"]


def test_a_picture_is_found_by_its_name(seeded: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", "--explain", "--json", "name 0\x1b"]) == 0
    assert json.loads(capsys.readouterr().out)["hash"] == GROUP
    assert main(["match", "--explain", "nobody"]) == 2
    assert "nor the name of a picture" in capsys.readouterr().err


def test_the_tolerance_is_that_of_the_data(seeded: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    seeded.redis.ask((0, "HSET", "meta", "tolerance", "0.3"))
    assert main(["match", "--explain", "--json", ALONE]) == 0
    twins = {edge["hash"]: edge["pairs"] for edge in json.loads(capsys.readouterr().out)["matches"]}[TWINS]
    assert [pair["distance"] for pair in twins] == [0.25]


def test_an_edge_without_ground_is_told(seeded: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    seeded.redis.ask((0, "HSET", "meta", "tolerance", "0.1"))
    assert main(["match", "--explain", TWINS]) == 1
    assert f"a match with {ALONE}: run facefleet check" in capsys.readouterr().err


def test_a_damaged_encoding_is_told(seeded: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    seeded.redis.ask((3, "LSET", ALONE, 0, b"short"))
    assert main(["match", "--explain", GROUP]) == 2
    assert f"{ALONE} has a damaged encoding" in capsys.readouterr().err


def test_a_picture_without_a_match_has_its_reason(
    redis: RedisClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.jpg").write_bytes(b"bytes")
    path = str(tmp_path / "new.jpg")
    assert main(["match", "--explain", path]) == 0
    assert "scan it first" in capsys.readouterr().err
    accept(redis, picture_id_of(b"bytes"), "new.jpg")
    assert main(["match", "--explain", path, "--json"]) == 0
    output = capsys.readouterr()
    assert "not processed yet" in output.err
    assert json.loads(output.out)["matches"] == []
