"""Encoding all known faces by another model: starts the worker's processes for it, and says how they fare."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from types import TracebackType

from client.errors import UsageError
from client.terminal import bar
from faces.store.client import RedisClient
from faces.store.collection import inspection
from faces.store.keys import ENCODINGS, NEXT_ENCODINGS

MODULE = "worker.reencode"
LISTED = 10
POLL = 0.2  # seconds


class Reencoders:
    """Processes of `worker.reencode`, each with its part of the pictures; they stop when the context ends."""

    def __init__(self, model: str, processes: int) -> None:
        self._names: set[str] = set()
        self._lacking: list[str] = []
        self._caught_up = 0
        command = [sys.executable, "-m", MODULE, "--model", model, "--parts", str(processes)]
        self._processes = [
            subprocess.Popen([*command, "--part", str(part)], stdout=subprocess.PIPE, text=True)  # noqa: S603 -- ours
            for part in range(processes)
        ]
        self._readers = [
            threading.Thread(target=self._read, args=(process,), daemon=True) for process in self._processes
        ]

    def __enter__(self) -> Reencoders:
        """Listen to them."""
        for reader in self._readers:
            reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop them."""
        for process in self._processes:
            process.terminate()
        for process, reader in zip(self._processes, self._readers, strict=True):
            process.wait()
            reader.join()

    def check(self) -> None:
        """See that all of them work, and that they could encode whatever they came to.

        Raises:
            UsageError: a process has ended, or there are pictures that cannot be encoded.
        """
        if any(process.poll() is not None for process in self._processes):
            raise UsageError("the faces could not be encoded: a worker.reencode process failed, see above")
        if self._lacking and self._caught_up == len(self._processes):
            listed = "\n".join(f"  {one}" for one in self._lacking[:LISTED])
            raise UsageError(
                f"{len(self._lacking):,} pictures cannot be encoded again:\n{listed}\n"
                "Erase them and scan them again, then run this command again: it resumes where it was"
            )

    def wait(self, redis: RedisClient) -> str:
        """Wait until they have been through all pictures, with a progress bar.

        Returns:
            The name that the new encodings are kept under.

        Raises:
            UsageError: as `check`.
        """
        with bar(inspection.size(redis, ENCODINGS), "encoding") as progress:
            while self._caught_up < len(self._processes):
                self.check()
                progress.update(inspection.size(redis, NEXT_ENCODINGS) - progress.n)
                time.sleep(POLL)
        self.check()
        (name,) = self._names
        return name

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 -- it is piped
        with process.stdout as lines:
            for line in lines:
                word, _, rest = line.strip().partition(" ")
                if word == "model":
                    self._names.add(rest)
                elif word == "lacking":
                    self._lacking.append(rest)
                elif word == "caught":
                    self._caught_up += 1
