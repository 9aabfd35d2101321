"""What Milvus has of a picture, where INDEX_URL is set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from faces.config import Settings
from faces.errors import SettingError, StoreError
from faces.store.collection.copying import NAMED

TIMEOUT = 30.0  # seconds for one request


def residue(settings: Settings, picture_id: str) -> Iterator[str]:
    """The collections that have a face of a picture, those of earlier rebuilds included.

    Raises:
        SettingError: the client of Milvus is not installed.
        StoreError: Milvus is unavailable.
    """
    if not settings.index_url:
        return
    try:
        from grpc import RpcError  # noqa: PLC0415 -- nobody else needs the client
        from pymilvus import MilvusClient, MilvusException  # noqa: PLC0415 -- as above
    except ImportError as error:
        raise SettingError(
            "INDEX_URL is set, but the client of Milvus is not installed: pip install 'facefleet[milvus]'"
        ) from error
    try:
        address = {"uri": settings.index_url, "token": settings.index_token}
        with closing(MilvusClient(**address, timeout=TIMEOUT)) as client:
            for name in filter(lambda name: name.startswith(NAMED), client.list_collections()):
                client.load_collection(name)
                named = f"picture == '{picture_id}'"
                if client.query(name, named, output_fields=["line"], limit=1, timeout=TIMEOUT):
                    yield f"Milvus, collection {name}"
    except (MilvusException, RpcError) as error:
        raise StoreError(f"Milvus is not reachable or not ready: {error}") from error
