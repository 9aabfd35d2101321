"""The engine's process, with an engine that does terrible things; and pictures that its quarantine holds."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from faces.config import Settings
from faces.errors import PictureError, PoisonError, SettingError
from local.process import runs, until
from tests.support.drawing import drawing
from tests.support.processes.quick_worker import (
    COMPUTES,
    CRASHES,
    ENGINE,
    HANGS,
    MODEL,
    RAISES,
    WANTS_MEMORY,
)
from worker.health.memory import Memory
from worker.isolation.engine_process import EngineProcess, Fault, start
from worker.isolation.quarantine import Quarantine
from worker.isolation.template_process import TemplateLost, TemplateProcess
from worker.isolation.wire import FoundFaces
from worker.metrics import Metrics

GOOD = [drawing(seed, (120, 80)) for seed in range(3)]


def load_nothing(_: Settings) -> None:
    raise SettingError("no such model")


def crash_at_start(_: Settings) -> None:
    os._exit(3)


@pytest.fixture(scope="module")
def template() -> Iterator[TemplateProcess]:
    with closing(TemplateProcess(Settings(), ENGINE)) as process:
        assert start(process).model == MODEL
        yield process


@pytest.fixture
def engine(template: TemplateProcess) -> Iterator[EngineProcess]:
    process = EngineProcess(template)
    yield process
    process.renew()


def test_faces_and_errors_come_back_in_order(engine: EngineProcess) -> None:
    answer = engine.find([GOOD[0], b"no picture", GOOD[1]], memory=0, timeout=30)
    first, wrong, last = answer.results
    assert isinstance(first, FoundFaces)
    assert isinstance(last, FoundFaces)
    assert isinstance(wrong, PictureError)
    assert wrong.code == "not_a_picture"
    assert first.faces[0]["box"] == {"left": 0, "top": 0, "right": 119, "bottom": 79}
    assert [len(encoding) for encoding in first.encodings] == [512]
    assert first.encodings == last.encodings
    assert [name for name, _ in answer.stages] == ["decode"] * 3


@pytest.mark.parametrize(
    ("width", "kind", "reason"),
    [
        (CRASHES, "crash", "SIGSEGV"),
        (HANGS, "hang", "0.5 s"),
        (WANTS_MEMORY, "memory", "out of memory"),
        (RAISES, "failed", "nobody has foreseen"),
    ],
)
def test_it_says_how_it_failed_and_goes_on(engine: EngineProcess, width: int, kind: str, reason: str) -> None:
    engine.find(GOOD, memory=0, timeout=30)
    before = engine.pid
    bad = drawing(0, (width, 80))
    with pytest.raises(Fault, match=reason) as caught:
        engine.find([GOOD[0], GOOD[1], bad, GOOD[2]], memory=0, timeout=0.5 if width == HANGS else 30)
    assert (caught.value.kind, caught.value.at) == (kind, 2)
    assert len(engine.find(GOOD, memory=0, timeout=30).results) == len(GOOD)
    assert engine.pid != before


def test_waiting_for_a_processor_is_no_hang(engine: EngineProcess) -> None:
    """The child shares a processor with nine others, so that 0.2 s of computing take it two seconds."""
    engine.find(GOOD, memory=0, timeout=30)
    processor = min(os.sched_getaffinity(0))
    os.sched_setaffinity(engine.pid, {processor})
    with ExitStack() as running:
        for _ in range(9):
            busy = running.enter_context(subprocess.Popen(["sh", "-c", "while :; do :; done"]))
            running.callback(busy.kill)
            os.sched_setaffinity(busy.pid, {processor})
        begun = time.monotonic()
        (result,) = engine.find([drawing(0, (COMPUTES, 80))], memory=0, timeout=0.5).results
        assert isinstance(result, FoundFaces)
        assert time.monotonic() - begun > 0.5, "it waited longer than a picture may take"


def test_its_memory_is_limited(engine: EngineProcess) -> None:
    large = drawing(0, (5000, 4000))
    (result,) = engine.find([large], memory=0, timeout=60).results
    assert isinstance(result, FoundFaces)
    with pytest.raises(Fault) as caught:
        engine.find([large], memory=1, timeout=60)
    assert caught.value.kind == "memory"


def test_a_child_that_was_killed_is_replaced(engine: EngineProcess) -> None:
    engine.find(GOOD, memory=0, timeout=30)
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(Fault, match="SIGKILL"):
        engine.find(GOOD, memory=0, timeout=30)
    assert len(engine.find(GOOD, memory=0, timeout=30).results) == len(GOOD)


def test_a_template_that_was_killed_is_replaced() -> None:
    with closing(TemplateProcess(Settings(), ENGINE)) as template:
        start(template)
        engine = EngineProcess(template)
        engine.find(GOOD, memory=0, timeout=30)
        child = engine.pid
        os.kill(template._process.pid, signal.SIGKILL)
        assert until(lambda: not runs(child), 60), "its children end with it"
        with pytest.raises(Fault, match="SIGKILL"):
            engine.find(GOOD, memory=0, timeout=30)
        assert len(engine.find(GOOD, memory=0, timeout=30).results) == len(GOOD)


def test_an_engine_that_cannot_be_forked_is_loaded_again() -> None:
    with closing(TemplateProcess(Settings(), ENGINE)) as template:
        template.wait()
        template.forks = False
        template.replace()
        engine = EngineProcess(template)
        with pytest.raises(Fault, match="SIGSEGV"):
            engine.find([drawing(0, (CRASHES, 80))], memory=0, timeout=30)
        assert len(engine.find(GOOD, memory=0, timeout=30).results) == len(GOOD)


def test_no_secret_leaves_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "a secret")
    settings = Settings.read(os.environ)
    with closing(TemplateProcess(settings, ENGINE)) as process:
        process.wait()
        environ = Path(f"/proc/{process._process.pid}/environ").read_bytes()
    assert b"PATH=" in environ
    assert b"a secret" not in environ
    assert settings.redis_password == "a secret"  # noqa: S105 -- a made-up one
    assert settings.without_secrets().redis_password == ""


def test_a_setting_that_cannot_be_used_is_told() -> None:
    with (
        closing(TemplateProcess(Settings(), f"{__name__}:load_nothing")) as template,
        pytest.raises(SettingError, match="no such model"),
    ):
        start(template)


def test_a_process_that_ends_while_loading_is_told() -> None:
    with (
        closing(TemplateProcess(Settings(), f"{__name__}:crash_at_start")) as template,
        pytest.raises(TemplateLost, match="ended while loading"),
    ):
        start(template)


def test_quarantine_tries_each_alone_and_says_what_it_was(template: TemplateProcess) -> None:
    quarantine = Quarantine(EngineProcess(template, nice=10), Memory(0), Metrics(), timeout=0.5)
    pictures = {"good": GOOD[0], "crashes": drawing(0, (CRASHES, 80)), "hangs": drawing(0, (HANGS, 80))}
    for picture_id, data in pictures.items():
        quarantine.put(picture_id, data)
    assert len(quarantine) == 3
    assert "hangs" in quarantine
    results = {}
    assert until(lambda: bool(results.update(quarantine.collect()) or len(results) == 3), 60)
    assert isinstance(results["good"], FoundFaces)
    assert isinstance(results["crashes"], PoisonError)
    assert getattr(results["hangs"], "code", None) == "timeout"
    assert len(quarantine) == 0
    assert "hangs" not in quarantine
