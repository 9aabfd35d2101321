"""Sends what appears in a folder and follows it until it is done."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from client.errors import ServerError, UsageError
from client.idle_timeout import IdleTimeout
from client.sending import Picture, ask_after, send
from client.server import Server
from client.sources import Source, hash_of, pictures_at
from client.watching.aftermath import Aftermath
from client.watching.record import Entry, Record
from client.watching.report import Report
from client.watching.settling import Settling
from client.watching.stamp import Stamp

BATCH = 64  # files sent before the fleet is asked about earlier ones
PATIENCE = 30.0  # seconds to repeat requests that the server cannot take now
LATER = {"unavailable", "request_timeout"}  # nothing about the picture: it is sent again
SERVER, FOLDER = "the server", "the folder"  # the troubles that are not one file's


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The watched folder, the suffixes of pictures in it, and the size in bytes up to which they are sent."""

    path: Path
    suffixes: Collection[str]
    largest: int

    def pictures(self, path: Path) -> Iterator[Source]:
        """Yield the pictures at a path in the folder."""
        return pictures_at(path, self.path, self.suffixes)

    def file(self, name: str) -> Path:
        """Return the file that is sent under a name."""
        return self.path / name

    def name(self, file: Path) -> str:
        """Return the name that a file is sent under."""
        return file.relative_to(self.path).as_posix()


class Watcher:
    """Sends each complete file once and follows it: call `look` with what may have changed, and `step` often."""

    def __init__(
        self,
        server: Server,
        folder: Folder,
        record: Record,
        settling: Settling,
        *,
        aftermath: Aftermath | None = None,
        threads: int = 4,
    ) -> None:
        self.report = Report()
        self._server, self._folder, self._record, self._settling = server, folder, record, settling
        self._aftermath, self._threads = aftermath, threads
        self._complete: deque[tuple[str, Stamp]] = deque()
        self._accepted: dict[str, list[str]] = defaultdict(list)
        self._turn = 0
        for name, picture in record.accepted():
            self._accepted[picture].append(name)

    @property
    def busy(self) -> bool:
        """Whether files wait to be sent, or pictures to be done."""
        return bool(self._settling or self._complete or self._accepted)

    def look(self, paths: Iterable[Path]) -> None:
        """Look for new and changed files at these paths."""
        if not self._folder.path.is_dir():
            self.report.trouble(FOLDER, f"the folder {self._folder.path} is gone")
            return
        self.report.resolved(FOLDER)
        for path in paths:
            for source in self._folder.pictures(path):
                self._look_at(source.name)

    def step(self) -> bool:
        """Send what is complete, ask about what was accepted, and return whether anything moved on.

        Raises:
            UsageError: nothing can be sent with this API key, or the record cannot be written.
        """
        self._complete.extend((self._folder.name(path), stamp) for path, stamp in self._settling.complete())
        batch = [self._complete.popleft() for _ in range(min(BATCH, len(self._complete)))]
        sent = self._send({name: stamp for name, stamp in batch if self._is_new(name, stamp)})
        return self._ask() or sent

    def _look_at(self, name: str) -> None:
        path = self._folder.file(name)
        stamp = Stamp.of(path)
        if stamp is None:
            return
        entry = self._record.get(name)
        if entry is None or entry.stamp != stamp:
            self._settling.add(path, stamp)
        elif entry.state == "done":
            self._put_away(name, entry)

    def _is_new(self, name: str, stamp: Stamp) -> bool:
        """Tell whether a file has other content than what was sent. One that was only touched has not."""
        entry = self._record.get(name)
        if entry is None or entry.hash is None or entry.hash != hash_of(self._folder.file(name)):
            return True
        self._record.put(name, replace(entry, stamp=stamp))
        return False

    def _send(self, stamps: Mapping[str, Stamp]) -> bool:
        sources = [Source(name, self._folder.file(name)) for name in stamps]
        patience, largest, moved, later = IdleTimeout(PATIENCE), self._folder.largest, False, False
        for picture in send(self._server, sources, patience, threads=self._threads, largest=largest):
            moved |= self._sent(picture, stamps[picture.name])
            later |= picture.code in LATER
        if moved and not later:
            self.report.resolved(SERVER)
        return moved

    def _sent(self, picture: Picture, stamp: Stamp) -> bool:
        """Record what the server has answered; what it cannot take now is sent again."""
        match picture.code:
            case "forbidden":
                raise UsageError(f"nothing can be sent with this API key: {picture.reason}")
            case "unreadable" | "internal":  # the next look through the folder finds it, unless it is gone
                if self._folder.file(picture.name).exists():
                    self.report.trouble(picture.name, f"{picture.name}: {picture.reason}")
                return False
            case code if code in LATER:
                self._complete.append((picture.name, stamp))
                self.report.trouble(SERVER, picture.reason or "")
                return False
        self.report.resolved(picture.name)
        self._record.put(picture.name, Entry(stamp, picture.hash, picture.state))
        if picture.hash is None:
            self.report.finished(picture)
        else:
            self._accepted[picture.hash].append(picture.name)
        return True

    def _ask(self) -> bool:
        """Ask about accepted pictures; return whether one is finished."""
        if not self._accepted:
            return False
        try:
            finished = ask_after(self._server, list(self._accepted), self._turn, IdleTimeout(PATIENCE))
        except ServerError as error:
            self.report.trouble(SERVER, str(error))
            return False
        self._turn = 0 if finished else self._turn + 1
        for picture_id, picture in finished.items():
            for name in self._accepted.pop(picture_id):
                self._finished(replace(picture, name=name))
        return bool(finished)

    def _finished(self, picture: Picture) -> None:
        entry = self._record.get(picture.name)
        if entry is None or entry.hash != picture.hash:  # the file has changed and was sent anew
            return
        entry = replace(entry, state=picture.state)
        self._record.put(picture.name, entry)
        self.report.finished(picture)
        if picture.state == "done":
            self._put_away(picture.name, entry)

    def _put_away(self, name: str, entry: Entry) -> None:
        """Delete or move the file of a picture that is done, unless it has changed since it was sent."""
        path = self._folder.file(name)
        if self._aftermath is None or Stamp.of(path) != entry.stamp:
            return
        try:
            self._aftermath(path, name, entry.hash or "")
        except OSError as error:
            self.report.trouble(name, f"{name} stays where it is: {error.strerror or error}")
            return
        self.report.resolved(name)
        self._record.remove(name)
