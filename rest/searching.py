"""Asking the workers who is in a picture that is not stored."""

from __future__ import annotations

import queue
import threading
from typing import Any

from faces.config import Settings
from faces.documents import from_json
from faces.errors import PictureError
from faces.messaging.rpc import Requester
from faces.messaging.search import Question
from faces.messaging.topology import SEARCH_SECONDS, SEARCHES
from rest.bounds import Bound
from rest.problems import ProblemError


class Searching:
    """Asks questions on a few connections that it keeps open. Threads may share it."""

    def __init__(self, settings: Settings, bound: Bound) -> None:
        self._settings = settings
        self._bound = bound
        self._idle: queue.LifoQueue[Requester] = queue.LifoQueue()

    def ask(self, question: Question, gone: threading.Event | None = None) -> dict[str, Any]:
        """Give the document that a worker answers with; `gone` is set once nobody waits for it any more.

        Raises:
            PictureError: nothing can be searched for by this.
            ProblemError: `busy`, as many searches are under way as may; `no_worker`, none answered in time.
            BrokerError: RabbitMQ is unavailable, or too many searches wait.
        """
        with self._bound.held():
            requester = self._requester()
            try:
                answer = requester.ask(SEARCHES, question.headers(), question.data, SEARCH_SECONDS, gone)
            finally:
                self._idle.put(requester)
        if answer is None:
            raise ProblemError("no_worker", f"no worker answered the search within {SEARCH_SECONDS} s")
        document: dict[str, Any] = from_json(answer)
        if error := document.get("error"):
            if error["code"] == "unavailable":
                raise ProblemError("unavailable", "the worker that took the search could not answer it")
            raise PictureError(error["reason"], code=error["code"])
        return document

    def close(self) -> None:
        """Close the connections."""
        while not self._idle.empty():
            self._idle.get().close()

    def _requester(self) -> Requester:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return Requester(self._settings)
