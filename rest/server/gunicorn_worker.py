"""gunicorn's threads, of which a request has one only once it has arrived.

gunicorn gives each connection a thread when it opens, so that eight that send nothing, or little, hold up
everybody. Here its loop gathers requests (`rest.server.arrival`), sees answers off to clients that are still
sending, and ends what takes too long. A request too large to be gathered is read by its thread; there are fewer
such threads than threads in all.
"""

from __future__ import annotations

import errno
import socket
import time
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from faces.config import Settings
from rest.bounds import Bounds
from rest.server.arrival import Arrival
from rest.server.arrivals import Arrivals
from rest.server.connection import ClientSocket, Connection
from rest.server.departures import Departures
from rest.server.outgoing import Outgoing
from rest.server.refusals import refuse, status_of
from rest.server.request_deadline import RequestDeadline, TimedReader
from rest.server.takeover import TakenOver, installed
from rest.server.threads import Threads

WORK = 60.0  # seconds; what Redis and RabbitMQ may take of a request is bounded by less, each on its own
LOOK = 0.1  # seconds between looks at what is due; the loop comes by with every request
SPARE = 16  # connections that may still be opened when idle ones begin to make room


class GatheringWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Gives a request a thread when it has arrived."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        settings: Settings = self.app.settings
        self._seconds = settings.request_timeout
        self._whole = 2 * settings.request_timeout + settings.fetch_timeout + WORK
        self._largest = settings.largest_picture
        self._most_large = Bounds.of(settings).large_uploads
        self._large = 0
        self._deadlines: dict[Connection, RequestDeadline] = {}
        self._next_look = 0.0

    def init_process(self) -> None:
        """Begin, in the process that serves."""
        self._arrivals = Arrivals(lambda: self.poller, self._gather)
        self._departures = Departures(lambda: self.poller, self._close)
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application."""
        super().load_wsgi()
        self.wsgi: Any = installed(self.wsgi)

    def get_thread_pool(self) -> Threads:
        """The threads that handle requests."""
        return Threads(self.cfg.threads)

    def enqueue_req(self, conn: Connection) -> None:
        """Have a thread handle a request."""
        self.tpool.submit(partial(self._work, conn))

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection, and gather its first request."""
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno == errno.EMFILE:
                self._make_room()
            elif error.errno not in {errno.EAGAIN, errno.ECONNABORTED}:
                raise
            return
        self.nr_conns += 1
        if self.nr_conns > self.worker_connections - SPARE:
            self._make_room()
        client = ClientSocket(fileno=accepted.detach())
        arrival = Arrival(
            client, largest=self._largest, seconds=self._seconds, idle=float(self.cfg.keepalive)
        )
        self._gather(Connection(self.cfg, client, address, listener.getsockname(), arrival))

    def handle(self, conn: Connection) -> Any:
        """Handle one request, in a thread of the pool; False: the connection ends."""
        deadline = self._deadlines[conn] = RequestDeadline(conn.sock, self._seconds, self._whole)
        try:
            outcome = super().handle(conn)
        except TakenOver as taken:
            return taken
        finally:
            del self._deadlines[conn]
        if deadline.late and not deadline.begun:
            refuse(conn.sock, HTTPStatus.REQUEST_TIMEOUT)
        return outcome and not deadline.late

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """Handle a request whose head was parsed."""
        deadline = self._deadlines[conn]
        deadline.begun = True
        req.body.reader = TimedReader(req.body.reader, deadline)
        if not conn.large:
            req._expected_100_continue = False  # the whole body is here
        connection, conn.sock = conn.sock, Outgoing(conn.sock)
        conn.outgoing = conn.sock
        try:
            return super().handle_request(req, conn)
        finally:
            conn.outgoing.flush()
            conn.sock = connection

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ARG002 -- gunicorn's
        """Log an error and answer it."""
        status = status_of(exc)
        self.log.warning("request from %s refused with %d: %s", addr, status, type(exc).__name__)
        refuse(client, status)

    def _work(self, conn: Connection) -> None:
        """Handle requests, in a thread; gunicorn's loop is woken only if there is something left to do."""
        while True:
            try:
                outcome = self.handle(conn)
            except BaseException as error:  # noqa: BLE001 -- whatever it is ends the connection, not the thread
                outcome = error
            if outcome is not True or conn.large or conn.pending:
                self.method_queue.defer(self.finish_request, conn, outcome)
                return
            conn.renew()
            if self._arrivals.wait_again(conn):
                return
            if not self._has_next(conn):
                self.method_queue.defer(self._gather, conn)
                return

    def _has_next(self, conn: Connection) -> bool:
        """Tell whether the next request is here, and no other connection waits for a thread."""
        if self.tpool.busy or not self._receive(conn):
            return False
        arrival = conn.arrival
        if not arrival.ready or arrival.large or arrival.empty:
            return False
        arrival.hand_over()
        return True

    def finish_request(self, conn: Connection, outcome: object) -> None:
        """Go on with a connection after its request, on gunicorn's loop."""
        self._large -= conn.large
        conn.large = False
        if isinstance(outcome, BaseException):  # taken over, or failed
            self._close(conn)
        elif conn.pending:
            self._departures.send(conn, self._seconds, partial(self._go_on, conn, keep=bool(outcome)))
        else:
            self._go_on(conn, keep=bool(outcome))

    def murder_pending(self) -> None:
        """End what is due; gunicorn's loop comes by here at least once a second."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK
        for deadline in list(self._deadlines.values()):
            deadline.look(now)
        for conn in self._arrivals.late(now):
            self._arrivals.leave(conn)
            if conn.arrival.begun:
                self._turn_away(conn, HTTPStatus.REQUEST_TIMEOUT)
            else:
                self._close(conn)
        self._departures.end_late(now)

    def murder_keepalived(self, force: bool = False) -> None:
        """Close connections on which nothing has come; gunicorn forces it at the end."""
        for conn in self._arrivals.idle() if force else []:
            self._arrivals.leave(conn)
            self._close(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        self._arrivals.hurry(deadline)

    def _go_on(self, conn: Connection, *, keep: bool) -> None:
        """Wait for the next request after an answer, or see the client off."""
        if keep:
            conn.renew()
            self._gather(conn)
        else:
            self._departures.linger(conn)

    def _gather(self, conn: Connection) -> None:
        """Take what is there of a request; have it handled, or wait for more."""
        if not self._receive(conn):
            self._turn_away(conn, HTTPStatus.SERVICE_UNAVAILABLE)
        elif conn.arrival.ready:
            self._submit(conn)
        else:
            self._arrivals.wait(conn)

    def _receive(self, conn: Connection) -> bool:
        """Take what has come; False where it cannot be kept."""
        try:
            conn.arrival.receive()
        except OSError as error:
            self.log.warning(
                "a request is refused: its body cannot be written to a temporary file (%s)", error
            )
            return False
        return True

    def _submit(self, conn: Connection) -> None:
        """Have a thread handle what has arrived."""
        if conn.arrival.empty:
            self._close(conn)
            return
        conn.large = conn.arrival.large
        if conn.large and self._large >= self._most_large:
            conn.large = False
            self._turn_away(conn, HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self._large += conn.large
        conn.arrival.hand_over()
        conn.data_ready = True
        self.enqueue_req(conn)

    def _turn_away(self, conn: Connection, status: HTTPStatus) -> None:
        """Answer a request that no thread handles."""
        refuse(conn.sock, status)
        self._departures.linger(conn)

    def _make_room(self) -> None:
        """Close the connection on which nothing has come for longest."""
        if idle := self._arrivals.idle():
            self._arrivals.leave(idle[0])
            self._close(idle[0])

    def _close(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.unwatch(self.poller)
        conn.arrival.close()
        conn.forget_answer()
        conn.close()
