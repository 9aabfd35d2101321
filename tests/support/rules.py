"""The rules of the databases, checked by brute force on everything that Redis holds at one instant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from faces.store.client import RedisClient

DUMP = """
local function members(db, read)
    redis.call('SELECT', db)
    local found = {}
    for _, key in ipairs(redis.call('KEYS', '*')) do
        found[#found + 1] = {key, read(key)}
    end
    return found
end
return {
    members(1, function(key) return redis.call('GET', key) end),
    members(2, function(key) return redis.call('SMEMBERS', key) end),
    members(3, function(key) return redis.call('LRANGE', key, 0, -1) end),
    members(4, function(key) return redis.call('SMEMBERS', key) end),
    (function()
        redis.call('SELECT', 0)
        local totals = redis.call('HMGET', 'counts', 'accepted', 'done', 'failed', 'erased')
        return {totals, redis.call('ZCARD', 'inflight'), redis.call('HGET', 'meta', 'tolerance')}
    end)()
}
"""


@dataclass(frozen=True)
class Databases:
    """Everything in Redis at one instant."""

    names: Mapping[str, str]
    hashes: Mapping[str, set[str]]
    encodings: Mapping[str, tuple[bytes, ...]]
    matches: Mapping[str, set[str]]
    totals: tuple[int, ...]
    in_flight: int
    tolerance: float


def read_all(redis: RedisClient) -> Databases:
    """Read all databases in one step: a script runs alone."""
    (dump,) = redis.ask((0, "EVAL", DUMP, 0))
    names, hashes, encodings, matches, (totals, in_flight, tolerance) = dump
    return Databases(
        {k.decode(): v.decode() for k, v in names},
        {k.decode(): _texts(v) for k, v in hashes},
        {k.decode(): tuple(v) for k, v in encodings},
        {k.decode(): _texts(v) for k, v in matches},
        tuple(int(total or 0) for total in totals),
        int(in_flight),
        float(tolerance or 0.5),
    )


def faults(found: Databases, tolerance: float | None = None) -> list[str]:
    """Every way in which the rules do not hold, by default at the tolerance that the data names."""
    tolerance = found.tolerance if tolerance is None else tolerance
    wrong = [
        f"name {n} is not among those of {h}"
        for n, h in found.names.items()
        if n not in found.hashes.get(h, ())
    ]
    wrong += [
        f"{h} claims the name {n}"
        for h, names in found.hashes.items()
        for n in names
        if found.names.get(n) != h
    ]
    wrong += [f"edges of {h} differ from brute force" for h in _wrong_edges(found, tolerance)]
    accepted, *ended = found.totals
    if accepted != sum(ended) + found.in_flight:
        wrong.append(f"accepted {accepted} is not {ended} and {found.in_flight} in flight")
    return wrong


def brute_force(encodings: Mapping[str, tuple[bytes, ...]], tolerance: float) -> dict[str, set[str]]:
    """Which pictures have a pair of faces within the tolerance: every face against every face, in float64."""
    owners = [h for h, faces in encodings.items() for _ in faces]
    vectors = np.array(
        [np.frombuffer(e, "<f4") for faces in encodings.values() for e in faces], dtype=np.float64
    )
    edges: dict[str, set[str]] = {h: set() for h in encodings}
    for number, vector in enumerate(vectors):
        near = np.sqrt(((vectors - vector) ** 2).sum(axis=1)) <= tolerance
        edges[owners[number]] |= {owners[i] for i in np.flatnonzero(near)} - {owners[number]}
    return edges


def _wrong_edges(found: Databases, tolerance: float) -> list[str]:
    expected = brute_force(found.encodings, tolerance)
    everyone = expected.keys() | found.matches.keys()
    return [h for h in everyone if expected.get(h, set()) != found.matches.get(h, set())]


def _texts(values: list[Any]) -> set[str]:
    return {value.decode() for value in values}
