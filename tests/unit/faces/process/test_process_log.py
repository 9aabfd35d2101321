"""The process's own log: JSON for programs, text for a person, and nobody's name breaks a line of either."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from faces.config import Settings
from faces.process.process_log import about, install

log = logging.getLogger("tests.logs")


class Terminal(io.StringIO):
    """A stream that a person watches."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    root.handlers = []  # or those of pytest would be closed
    yield
    root.handlers, root.level = before


def written(stream: io.StringIO, how: str = "auto", level: str = "info") -> str:
    install(replace(Settings(), log_format=how, log_level=level), stream)
    log.debug("detail")
    log.info("done %d", 2, extra=about(hash="ab", name='a "b"\x1b[2J\n.jpg'))
    return stream.getvalue()


@pytest.mark.parametrize(("stream", "how"), [(io.StringIO(), "auto"), (Terminal(), "json")])
def test_json_has_the_fields_beside_the_event(stream: io.StringIO, how: str) -> None:
    (line,) = written(stream, how).splitlines()
    document = json.loads(line)
    assert document.pop("time")[-6:] == "+00:00"
    assert document == {
        "level": "info",
        "logger": "tests.logs",
        "event": "done 2",
        "hash": "ab",
        "name": 'a "b"\x1b[2J\n.jpg',
    }


@pytest.mark.parametrize(("stream", "how"), [(Terminal(), "auto"), (io.StringIO(), "text")])
def test_text_is_one_readable_line(stream: io.StringIO, how: str) -> None:
    (line,) = written(stream, how).splitlines()
    assert line[12:] == ' INFO    done 2  hash="ab"  name="a \\"b\\"\\u001b[2J\\n.jpg"'
    assert line.isprintable()


def test_an_event_cannot_break_a_line_of_text() -> None:
    stream = Terminal()
    install(Settings(), stream)
    log.info("%s", 'GET /"\n\x1b[31m')
    assert stream.getvalue()[12:] == ' INFO    GET /"\\n\\u001b[31m\n'


def test_a_traceback_belongs_to_its_line() -> None:
    stream = io.StringIO()
    install(Settings(), stream)
    try:
        raise ValueError("why")
    except ValueError:
        log.exception("a request failed", extra=about(request_id="r"))
    (line,) = stream.getvalue().splitlines()
    document = json.loads(line)
    assert document["request_id"] == "r"
    assert document["error"].endswith("ValueError: why")


def test_the_level_is_that_of_the_settings() -> None:
    assert "detail" in written(io.StringIO(), level="debug")
    assert written(io.StringIO(), level="error") == ""
