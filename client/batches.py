"""Pictures that travel together: small files share a request, whose cost is then spread over them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from client.sources import Source

MAX_PICTURES = 32  # pictures in a request
MAX_BYTES = 4 << 20  # of their files together


def batches(sources: Iterable[Source]) -> Iterator[list[Source]]:
    """Group sources in order; a URL, and a file that is large, is alone."""
    batch, size = list[Source](), 0
    for source in sources:
        own = _size(source)
        if batch and (len(batch) == MAX_PICTURES or size + own > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(source)
        size += own
    if batch:
        yield batch


def archive(files: Mapping[str, bytes]) -> bytes:
    """Write files as a tar archive, in order."""
    with io.BytesIO() as written:
        with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, data in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        return written.getvalue()


def _size(source: Source) -> int:
    """Bytes of a file. Whatever cannot share a request is too large for one."""
    if source.data is not None:
        return len(source.data)
    if source.path is None:
        return MAX_BYTES + 1
    with suppress(OSError):  # told where the file is read
        return source.path.stat().st_size
    return 0
