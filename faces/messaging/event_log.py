"""Log lines on the topic exchange `logs`: one JSON object each, so that people can watch the fleet work.

Routing key: `<hostname>.<part>.<level>`, part `rest`, `rpc`, `worker` or `video`, level `debug` or `info`. Best
effort: a line that cannot be published is dropped, and never fails or delays a job. So lines are sent by a thread
on a connection of its own: RabbitMQ ignores the acknowledgements on a connection that it blocks.
The process's own log has each line too.
"""

from __future__ import annotations

import logging
import queue
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from faces.config import Settings
from faces.documents import to_json
from faces.errors import BrokerError
from faces.messaging.amqp import connect, translated
from faces.messaging.frames import send_all
from faces.messaging.topology import LOGS_EXCHANGE, declare_logs
from faces.process.process_log import about

WAITING = 1000  # lines kept while RabbitMQ is unavailable; later ones are dropped
GATHER = (
    0.01  # seconds; lines of that time are sent together: a thread woken for each takes turns from requests
)
RECONNECT = 2.0  # seconds

log = logging.getLogger(__name__)


def without_secrets(name: str) -> str:
    """Return a picture's name; of a URL without its user, query and fragment: signed URLs grant access."""
    scheme, separator, rest = name.partition("://")
    if not separator:
        return name
    address = re.split(r"[?#]", rest, maxsplit=1)
    host, slash, path = address[0].partition("/")
    hidden = "?..." if len(address) > 1 else ""
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}{hidden}"


class EventLog:
    """Sends log lines. `start()` it once; `close()` sends what waits and stops."""

    def __init__(self, settings: Settings, part: str) -> None:
        self._settings = settings
        self._part = part
        self._host = socket.gethostname()
        self._lines: queue.Queue[tuple[str, str]] = queue.Queue(WAITING)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log lines", daemon=True)

    def start(self) -> EventLog:
        """Start sending."""
        self._thread.start()
        return self

    def debug(self, event: str, **fields: Any) -> None:
        """Report a step, in detail."""
        self._say("debug", event, fields)

    def info(self, event: str, **fields: Any) -> None:
        """Report an outcome."""
        self._say("info", event, fields)

    def close(self, timeout: float = 2.0) -> None:
        """Send the lines that still wait, for at most `timeout` seconds."""
        self._closing.set()
        self._thread.join(timeout)

    def _say(self, level: str, event: str, fields: dict[str, Any]) -> None:
        if "name" in fields:
            fields["name"] = without_secrets(str(fields["name"]))
        key = f"{self._host}.{self._part}.{level}"
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **fields}
        log.log(logging.INFO if level == "info" else logging.DEBUG, event, extra=about(**fields))
        with suppress(queue.Full):
            self._lines.put_nowait((key, to_json(line)))

    def _run(self) -> None:
        while not self._done():
            try:
                self._send_on(connect(self._settings))
            except BrokerError as error:
                log.warning("log lines wait: %s", error)
                self._closing.wait(RECONNECT)
                if self._closing.is_set():
                    return

    def _send_on(self, connection: Any) -> None:
        with translated():
            channel = connection.channel()
            declare_logs(channel)
            while not self._done():
                connection.process_data_events(0)
                send_all(
                    connection, channel, LOGS_EXCHANGE, [(k, line.encode()) for k, line in self._gathered()]
                )
            connection.close()

    def _gathered(self) -> Iterator[tuple[str, str]]:
        """The lines that wait; none if none comes for a while."""
        with suppress(queue.Empty):
            yield self._lines.get(timeout=0.2)
            time.sleep(GATHER)
            for _ in range(WAITING):
                yield self._lines.get_nowait()

    def _done(self) -> bool:
        return self._closing.is_set() and self._lines.empty()
