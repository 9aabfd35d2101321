"""How many files a server may have open: each connection is one, and a large request another."""

from __future__ import annotations

import resource

FILES = 8192  # a thousand connections, as many listeners, and what they keep in temporary files


def raise_file_limit() -> None:
    """Let this process open as many files as a server may need, as far as it is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
