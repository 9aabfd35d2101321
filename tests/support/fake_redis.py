"""A Redis in memory that knows the few commands by which a worker settles a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from faces.errors import StoreError
from faces.store.client import Command
from faces.store.keys import ATTEMPTS, HOME, status_key
from faces.store.pictures.status import Status, pending


class FakeRedis:
    """Strings and hashes of database 0; `failures` are raised first, one for each request."""

    def __init__(self, *picture_ids: str) -> None:
        self.strings = {status_key(p): pending(p).to_json().encode() for p in picture_ids}
        self.hashes: dict[str, dict[str, int]] = {}
        self.failures: list[StoreError] = []

    def status(self, picture_id: str) -> Status | None:
        return Status.from_json(self.strings.get(status_key(picture_id)))

    def attempts(self, picture_id: str) -> int | None:
        return self.hashes.get(ATTEMPTS, {}).get(picture_id)

    @contextmanager
    def session(self) -> Iterator[FakeRedis]:
        yield self

    def ask(self, *commands: Command) -> list[Any]:
        if self.failures:
            raise self.failures.pop(0)
        return [self._answer(*command) for command in commands]

    commit = write = ask

    def confirm(self) -> None:
        """Nothing: there are no replicas."""

    def _answer(self, database: int, name: str, *words: Any) -> Any:
        assert database == HOME
        match name:
            case "GET":
                return self.strings.get(words[0])
            case "MGET":
                return [self.strings.get(key) for key in words]
            case "MSET":
                self.strings |= {
                    key: value.encode() for key, value in zip(words[::2], words[1::2], strict=True)
                }
            case "HINCRBY":
                key, field, step = words
                counts = self.hashes.setdefault(key, {})
                counts[field] = counts.get(field, 0) + step
                return counts[field]
            case "HDEL":
                key, *fields = words
                for field in fields:
                    self.hashes.get(key, {}).pop(field, None)
            case "HVALS":
                return []
            case "WATCH" | "ZREM" | "DEL" | "XADD" | "EVAL":
                return 0
            case "ZSCORE":
                pass
            case _:
                raise AssertionError(f"the fake does not know {name}")
        return None
