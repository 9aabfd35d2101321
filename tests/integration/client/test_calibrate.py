"""Calibrating at the terminal, on faces whose distances are known."""

from __future__ import annotations

import json
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client.__main__ import main
from client.calibration import impostors
from faces.store.client import RedisClient
from faces.store.collection import odds
from faces.store.collection.data_version import DataVersion, agree
from tests.support.gaussian import gaussian_share, people
from tests.support.writing import picture

pytestmark = pytest.mark.usefixtures("terminal")

PEOPLE, EACH = 100, 3


def name(number: int) -> str:
    return f"P{number // EACH}/P{number // EACH}_{number % EACH + 1:04}.jpg"


@pytest.fixture
def store(redis: RedisClient) -> RedisClient:
    """Three pictures of each of a hundred people; the names are those of a folder in LFW's layout."""
    agree(redis, DataVersion("test", 0.6))
    faces, _ = people(PEOPLE, EACH)
    for number, face in enumerate(faces):
        redis.ask((1, "SET", name(number), picture(number)), (3, "RPUSH", picture(number), face.tobytes()))
    return redis


@pytest.fixture
def pairs(tmp_path: Path) -> str:
    """As many pairs of one person as of two."""
    same = [f"P{p}\t1\t2" for p in range(PEOPLE)]
    other = [f"P{p}\t1\tP{(p + 7) % PEOPLE}\t3" for p in range(PEOPLE)]
    file = tmp_path / "pairs.txt"
    file.write_text("\n".join(["10\t10", *same, *other, "Absent\t1\t2"]))
    return str(file)


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["calibrate", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_tolerance_is_advised_for_now_and_for_ten_times_the_size(
    store: RedisClient, capsys: pytest.CaptureFixture[str]
) -> None:
    now, best, then, best_then = document(capsys)["advice"]
    assert (now["tolerance"], now["faces"], now["best"]) == (0.6, PEOPLE * EACH, False)
    assert (then["tolerance"], then["faces"]) == (0.6, 10 * PEOPLE * EACH)
    assert best["best"]
    assert best_then["tolerance"] < best["tolerance"]
    assert then["right"] < now["right"]
    assert odds.read(store) is not None
    assert main(["calibrate"]) == 0
    assert "best balance" in capsys.readouterr().out


def test_the_data_alone_tells_what_is_likely(store: RedisClient, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys)["unlabelled"]
    total = PEOPLE * EACH
    assert (found["faces"], found["pairs"], found["every_pair"]) == (total, total * (total - 1) // 2, True)
    assert found["within"] == pytest.approx(PEOPLE * 3 / found["pairs"], rel=0.05)
    low, high = found["false_estimated"]
    assert low / 3 < gaussian_share(0.6) < high
    assert [search["faces"] for search in found["searches"]] == [300, 3000, 30_000, 300_000]
    last = found["searches"][-1]
    assert last["neighbours"] == pytest.approx(found["within"] * 300_000)
    assert last["false_estimated"] == pytest.approx([low * 300_000, high * 300_000])
    assert store is not None


def test_a_sample_comes_with_its_confidence(
    store: RedisClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    every = document(capsys)["unlabelled"]["within"]
    monkeypatch.setattr(impostors.sample, "__defaults__", (20_000, 0))
    found = document(capsys)["unlabelled"]
    low, high = found["within_95"]
    assert not found["every_pair"]
    assert low < found["within"] < high
    width = high - low  # which faces are drawn depends on Redis: one time in twenty it is outside of the 95%
    assert low - width < every < high + width
    assert main(["calibrate"]) == 0
    output = capsys.readouterr()
    assert "95% confidence" in output.out
    assert "Without labels" in output.err


def test_labelled_pairs_measure_it(
    store: RedisClient, pairs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "--pairs", pairs, "--fmr", "0.1")["labelled"]
    assert (found["pairs"], found["absent"], found["of_two_people"]) == (200, 1, 100)
    assert (found["accuracy"], found["true_accepts"], found["false_matches"]) == (1.0, 1.0, 0.0)
    assert 0.6 < found["tolerance_at_fmr"] < 0.82
    store.ask((3, "DEL", picture(0)), (0, "HSET", "meta", "tolerance", "0.05"))
    strict = document(capsys, "--pairs", pairs)["labelled"]
    assert (strict["without_a_face"], strict["accuracy"]) == (2, 0.495)
    assert main(["calibrate", "--pairs", pairs]) == 0
    output = capsys.readouterr()
    assert "49.50%" in output.out
    assert "rests on 0.1 false matches" in output.err


def test_of_several_faces_the_nearest_count(
    store: RedisClient, pairs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    far = np.full(128, 5 / sqrt(128), dtype="<f4").tobytes()
    store.ask(*((3, "LPUSH", picture(number), far) for number in range(0, PEOPLE * EACH, EACH)))
    assert document(capsys, "--pairs", pairs)["labelled"]["accuracy"] == 1.0


def test_plots_are_written(
    store: RedisClient, pairs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawing = tmp_path / "plot.svg"
    assert main(["calibrate", "--plot", str(drawing)]) == 0
    assert "distance of a pair" in drawing.read_text()
    assert main(["calibrate", "--plot", str(drawing), "--pairs", pairs]) == 0
    assert "true accepts" in drawing.read_text()
    assert main(["calibrate", "--plot", str(tmp_path / "none" / "plot.svg")]) == 2
    assert "the plot cannot be written" in capsys.readouterr().err
    assert store is not None


def test_what_cannot_be_measured_is_told(
    redis: RedisClient, pairs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate"]) == 2
    assert "scan some first" in capsys.readouterr().err
    assert main(["calibrate", "--pairs", pairs]) == 2
    assert "Scan the folder that contains Absent/Absent_0001.jpg" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["calibrate", "--fmr", "2"])


def test_few_faces_are_counted_but_not_extrapolated(
    redis: RedisClient, capsys: pytest.CaptureFixture[str]
) -> None:
    vectors = np.zeros((4, 128), dtype="<f4")
    vectors[:, 0] = [0, 0.5, 3, np.nan]
    redis.ask(*((3, "RPUSH", picture(n), vector.tobytes()) for n, vector in enumerate(vectors)))
    redis.ask((3, "RPUSH", picture(9), b"damaged"))
    found = document(capsys)["unlabelled"]
    assert (found["faces"], found["pairs"], found["within"]) == (3, 3, pytest.approx(1 / 3))
    assert found["false_estimated"] is None
    assert main(["calibrate"]) == 0
    assert "too few pairs to tell" in capsys.readouterr().out
