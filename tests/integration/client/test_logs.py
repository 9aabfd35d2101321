"""`facefleet logs` on a real broker, also when that goes away."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from client import tail
from client.__main__ import main
from client.tail import Line, follow
from faces.config import Settings
from faces.messaging.amqp import connect
from faces.messaging.event_log import EventLog
from faces.messaging.topology import LOGS_EXCHANGE
from local.process import free_port, until
from local.rabbitmq import RabbitServer


class Tail:
    """Follows on a thread of its own until closed."""

    def __init__(self, settings: Settings, binding: str = "#") -> None:
        self.lines: queue.Queue[Line] = queue.Queue()
        self.told: list[str] = []
        self._stopping = threading.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(settings, binding), daemon=True)
        self._thread.start()
        assert self._listening.wait(60)

    def _run(self, settings: Settings, binding: str) -> None:
        with closing(follow(settings, binding, self.told.append)) as lines:  # type: ignore[type-var]  # a generator
            for line in lines:
                self._listening.set()
                if line is not None:
                    self.lines.put(line)
                if self._stopping.is_set():
                    return

    def next(self) -> Line:
        return self.lines.get(timeout=60)

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(60)
        assert not self._thread.is_alive()


def publish(settings: Settings, key: str, body: bytes) -> None:
    with closing(connect(settings)) as connection:
        connection.channel().basic_publish(LOGS_EXCHANGE, key, body)


def test_lines_of_the_fleet_and_of_strangers_arrive(settings: Settings) -> None:
    with closing(Tail(settings)) as followed:
        progress = EventLog(settings, "worker").start()
        progress.info("done", name="a.jpg")
        progress.close()
        line = followed.next()
        assert line.key.endswith(".worker.info")
        assert b'"done"' in line.body
        publish(settings, "their.own.key", b"\xff plain")
        assert followed.next() == Line("their.own.key", b"\xff plain")


def test_a_binding_chooses_lines(settings: Settings) -> None:
    with closing(Tail(settings, "#.worker.info")) as followed:
        for key in ("a.b.rest.info", "a.b.worker.debug", "a.b.worker.info"):
            publish(settings, key, b"x")
        assert followed.next().key == "a.b.worker.info"
        assert followed.lines.empty()


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[RabbitServer]:
    """A broker that a test may stop."""
    server = RabbitServer(tmp_path / "rabbitmq", free_port(), free_port(), free_port())
    server.start()
    yield server
    server.stop()


def test_it_goes_on_when_the_broker_was_away(
    own_broker: RabbitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "RECONNECT", 0.2)
    settings = replace(Settings(), rabbitmq_host="127.0.0.1", rabbitmq_port=own_broker.port)
    with closing(Tail(settings)) as followed:
        own_broker.stop()
        assert until(lambda: bool(followed.told), 60)
        own_broker.start()
        assert until(lambda: "reconnected" in followed.told, 60)
        publish(settings, "k", b"after")
        assert followed.next() == Line("k", b"after")
    assert followed.told[0].endswith("; reconnecting")


@pytest.mark.parametrize("raw", [False, True])
def test_the_command_prints_lines_until_it_is_interrupted(
    raw: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("RABBITMQ_PORT", str(settings.rabbitmq_port))
    body = b'{"event": "done", "name": "a\\u001b.jpg"}'

    def once(*arguments: object) -> Iterator[Line | None]:
        for line in follow(*arguments):  # type: ignore[arg-type]  # passed on as they came
            if line is None:
                publish(settings, "host.worker.info", body)
            else:
                yield line
                raise KeyboardInterrupt

    monkeypatch.setattr("client.commands.logs.follow", once)
    assert main(["logs", "host.worker.info", *(["--raw"] if raw else [])]) == 0
    output = capfdbinary.readouterr().out
    assert output == body + b"\n" if raw else b"host.worker.info  done  name=a\\x1b.jpg\n" in output


@pytest.mark.parametrize("options", [["--failures"], ["--hash", "ab"], ["--failures", "--hash", "ab"]])
def test_the_command_prints_only_what_is_asked_for(
    options: list[str], monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    bodies = [
        b"of a stranger",
        b'{"event": "done", "hash": "ab1"}',
        b'{"event": "failed", "hash": "ab1"}',
        b'{"event": "failed", "hash": "cd1"}',
    ]
    lines = [None, *(Line("host.worker.info", body) for body in bodies)]
    monkeypatch.setattr("client.commands.logs.follow", lambda *_: iter(lines))
    assert main(["logs", "--raw", *options]) == 0
    fits = {"--failures": b'"failed"', "--hash": b'"ab1"'}
    wanted = [body for body in bodies if all(fits.get(option, b"") in body for option in options)]
    assert capfdbinary.readouterr().out.splitlines() == wanted
