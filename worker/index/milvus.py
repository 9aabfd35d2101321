"""Faces in Milvus, for more than a worker's memory holds. It proposes candidates; the matching rule decides.

Imported only where INDEX_URL is set: nobody else needs the client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from grpc import RpcError
from numpy.typing import NDArray
from pymilvus import DataType, MilvusClient
from pymilvus.exceptions import MilvusException

from faces.errors import MismatchError, StoreError
from worker.index.index import MAX_FACES
from worker.index.layout import DIMENSIONS

MAX_HITS = 16384  # Milvus returns at most for one face
QUERIES = 16  # faces in one request: the answer has up to 70 bytes a hit
NAMED = 500  # pictures in one expression
TIMEOUT = 30.0  # seconds for one request
MARK = -1  # the row that is no face: its line is the journal's, negative, so that no search finds it


class Milvus:
    """One collection. Its rows are faces: the picture's hash, the journal's line that committed it, the encoding.

    What was written is found by every search that begins later, in any process: the consistency level is Strong.
    The index is FLAT: it leaves out nothing that lies within the radius.
    """

    def __init__(self, url: str, token: str, tolerance: float) -> None:
        self.name = ""
        self._url = url
        self._token = token
        self._tolerance = tolerance
        self._client: Any = None

    def open(self, name: str, *, empty: bool) -> None:
        """Use this collection, and create it if it is to be empty.

        Raises:
            StoreError: Milvus is unavailable.
            MismatchError: the collection should exist and does not.
        """
        with self._translated():
            if self._client is None:
                self._client = MilvusClient(uri=self._url, token=self._token, timeout=TIMEOUT)
            if not (empty or self._client.has_collection(name)):
                raise MismatchError(
                    f"Milvus has no collection {name}: set INDEX_URL to the server that has it; or, to copy all "
                    "faces again, stop the workers and delete the key `indexed` from Redis db 0"
                )
            self._prepare(name)
        self.name = name

    def add(self, pictures: Iterable[tuple[int, bytes, tuple[bytes, ...]]]) -> None:
        """Add pictures: line, digest, encodings. Existing rows stay as they are."""
        rows = [
            {
                "face": line * (MAX_FACES + 1) + number,
                "line": line,
                "picture": digest.hex(),
                "encoding": np.frombuffer(encoding, "<f4"),
            }
            for line, digest, encodings in pictures
            for number, encoding in enumerate(encodings)
        ]
        with self._translated():
            if rows:
                self._client.upsert(self.name, rows, timeout=TIMEOUT)

    def remove(self, pictures: Sequence[bytes], before: int) -> None:
        """Remove the rows of pictures that come from lines before this one."""
        with self._translated():
            for first in range(0, len(pictures), NAMED):
                named = ", ".join(f"'{digest.hex()}'" for digest in pictures[first : first + NAMED])
                earlier = f"picture in [{named}] and line < {before}"
                self._client.delete(self.name, filter=earlier, timeout=TIMEOUT)

    def mark(self) -> tuple[int, str] | None:
        """The last mark, if any."""
        with self._translated():
            rows = self._client.get(self.name, [MARK], output_fields=["line", "picture"], timeout=TIMEOUT)
        return (-rows[0]["line"], rows[0]["picture"]) if rows else None

    def set_mark(self, end: int, fingerprint: str) -> None:
        """Store the journal line that rows may reach, and the journal's fingerprint there, 64 characters."""
        nowhere = np.zeros(DIMENSIONS, np.float32)
        row = {"face": MARK, "line": -end, "picture": fingerprint, "encoding": nowhere}
        with self._translated():
            self._client.upsert(self.name, [row], timeout=TIMEOUT)

    def near(self, faces: NDArray[np.float32], before: int) -> set[bytes]:
        """Pictures from lines before this one: all that match one of the faces, (n, 128), and some that do not."""
        found: set[str] = set()
        with self._translated():
            for first in range(0, len(faces), QUERIES):
                found |= self._search(faces[first : first + QUERIES], 0, before)
        return {bytes.fromhex(picture) for picture in found}

    def _search(self, faces: NDArray[np.float32], first: int, end: int) -> set[str]:
        if first >= end:
            return set()
        hits = self._client.search(
            self.name,
            data=list(faces),
            limit=MAX_HITS,
            filter=f"line >= {first} and line < {end}",
            search_params={"metric_type": "L2", "params": {"radius": self._radius(faces)}},
            output_fields=["picture"],
            consistency_level="Strong",
            timeout=TIMEOUT,
        )
        found = {hit["entity"]["picture"] for near in hits for hit in near}
        full = [number for number, near in enumerate(hits) if len(near) == MAX_HITS]
        if full and end - first > 1:  # there may be more of them: each half of the lines alone
            middle = (first + end) // 2
            found |= self._search(faces[full], first, middle) | self._search(faces[full], middle, end)
        return found

    def _radius(self, faces: NDArray[np.float32]) -> float:
        """Milvus's distance is the square, in float32, perhaps by way of |a|^2 - 2ab + |b|^2.

        128 roundings of 2^-24, in each of the terms, come to less than 2e-5 of |a|^2 + |b|^2.
        """
        longest = float(np.sqrt((faces.astype(np.float64) ** 2).sum(axis=1).max()))
        return self._tolerance**2 + 2e-5 * (longest**2 + (longest + self._tolerance) ** 2)

    def _prepare(self, name: str) -> None:
        """Create what is missing; each step by itself, as another worker may have stopped between them."""
        client = self._client
        if not client.has_collection(name):
            schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("face", DataType.INT64, is_primary=True)
            schema.add_field("line", DataType.INT64)
            schema.add_field("picture", DataType.VARCHAR, max_length=64)
            schema.add_field("encoding", DataType.FLOAT_VECTOR, dim=DIMENSIONS)
            client.create_collection(name, schema=schema, consistency_level="Strong")
        if not client.list_indexes(name):
            index = client.prepare_index_params()
            index.add_index("encoding", index_type="FLAT", metric_type="L2")
            client.create_index(name, index)
        client.load_collection(name)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (MilvusException, RpcError) as error:
            raise StoreError(f"Milvus is not reachable or not ready: {error}") from error
