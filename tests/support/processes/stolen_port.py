"""`python -m local`, with another program that takes one of the ports right after it was chosen."""

from __future__ import annotations

import socket
import sys
from typing import Any

from local import __main__, places, system


class Thief:
    """Chooses as the system does, and takes one of the ports the first time."""

    def __init__(self, variable: str) -> None:
        self._variable = variable
        self._socket: socket.socket | None = None

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        chosen, moved = places.choose(*arguments, **options)
        if self._socket is None:
            self._socket = socket.create_server(("127.0.0.1", chosen.port(self._variable)))
            sys.stdout.write(f"stolen: {chosen.port(self._variable)}\n")
        return chosen, moved


if __name__ == "__main__":
    vars(system)["choose"] = Thief(sys.argv.pop(1))
    sys.exit(__main__.main())
