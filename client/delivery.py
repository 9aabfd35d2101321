"""Pictures on their way to the server and through the fleet, with progress bars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from client.idle_timeout import IdleTimeout
from client.sending import Picture, send, watch
from client.server import Server
from client.sources import Source
from client.terminal import bar


@dataclass
class Delivery:
    """Sends pictures and follows them; `pictures` has each one's state, in the order in which they were sent."""

    server: Server
    idle_timeout: IdleTimeout
    pictures: list[Picture] = field(default_factory=list)

    def send(self, sources: Iterable[Source], count: int | None, *, threads: int, largest: int) -> None:
        """Send pictures, up to `largest` bytes each; `count` is how many, None if that is not known yet."""
        self.idle_timeout.renew()
        with bar(count, "sending") as progress:
            for picture in send(self.server, sources, self.idle_timeout, threads=threads, largest=largest):
                self.pictures.append(picture)
                progress.update()

    def wait(self) -> None:
        """Wait until the accepted pictures are done or failed.

        Raises:
            ServerError: none finished before the timeout.
        """
        places = defaultdict(list)
        for number, picture in enumerate(self.pictures):
            if picture.hash:
                places[picture.hash].append(number)
        self.idle_timeout.renew()
        with bar(len(places), "processing") as progress:
            for h, finished in watch(self.server, list(places), self.idle_timeout):
                progress.update()
                for number in places[h]:
                    sent = self.pictures[number]
                    self.pictures[number] = replace(finished, name=sent.name, new=sent.new)
