"""The script that runs commands at `maxmemory` too.

There Redis rejects whatever takes memory, and any MULTI. Since Redis 7.0 a script may say that it runs all the
same. This one runs commands, and then others if the replies to the first still have a digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

SCRIPT = """#!lua flags=allow-oom
local at = 1
local function run()
    local replies = {}
    for n = 1, tonumber(ARGV[at]) do
        local size = tonumber(ARGV[at + 2])
        redis.call('SELECT', ARGV[at + 1])
        replies[n] = redis.call(unpack(ARGV, at + 3, at + 2 + size))
        at = at + 2 + size
    end
    at = at + 1
    return replies
end
local seen = run()
local digest = redis.sha1hex(cmsgpack.pack(seen))
if ARGV[at] == '' then return {digest, seen} end
if ARGV[at] ~= digest then return false end
at = at + 1
return {digest, run()}
"""


def call(
    reads: Sequence[tuple[Any, ...]], digest: bytes, commands: Sequence[tuple[Any, ...]] = ()
) -> tuple[Any, ...]:
    """Return the EVAL that runs `reads`, and `commands` if the replies have this digest; empty: `reads` alone.

    Redis answers with the digest of the replies to `reads` and the replies to what ran last; nil if they differ.
    """
    return ("EVAL", SCRIPT, 0, *_counted(reads), digest, *(_counted(commands) if digest else ()))


def _counted(commands: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
    """Yield how many commands there are, and of each the database, how many words, and the words."""
    yield len(commands)
    for database, *words in commands:
        yield from (database, len(words), *words)
