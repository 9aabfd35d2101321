"""The server, built from its parts: those of the HTTP server, and gRPC's."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from faces.config import Settings
from faces.errors import SettingError
from faces.formats.limits import Limits
from faces.image_store.pictures import open_image_store
from faces.messaging.event_log import EventLog
from faces.messaging.queue_scan import remove_messages_of
from faces.process.health import serve as serve_probes
from faces.store.access.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.usecases.ingest import Ingest
from rest.auth.authenticator import Authenticator
from rest.bounds import Bound, Bounds
from rest.events.follower import Follower
from rest.events.waiting import Waiting
from rest.fetching.fetcher import Fetcher
from rest.health import probed
from rest.metrics.server import Metrics
from rest.publishing import PublisherPool
from rest.searching import Searching
from rpc import facefleet_pb2 as pb
from rpc.health import Vitals, alive
from rpc.service import SCOPES, Facefleet
from rpc.serving import Serving
from rpc.uploading import LARGEST_MESSAGE, Uploads
from rpc.watching import Watching

GRACE = 30.0  # seconds for calls in progress when the server stops
CALLS = 2000  # under way at once, watchers included; beyond that gRPC answers RESOURCE_EXHAUSTED
SERVICE = pb.DESCRIPTOR.services_by_name["Facefleet"]

OPTIONS = {
    "grpc.so_reuseport": 0,  # a port that another server has is an error
    "grpc.max_receive_message_length": LARGEST_MESSAGE + (64 << 10),  # a picture, and its name
    "grpc.max_metadata_size": 8190,  # as a header of HTTP
    "grpc.compression_enabled_algorithms_bitset": 1,  # none: a small message could become a huge one
    "grpc.max_connection_idle_ms": 600_000,
    "grpc.keepalive_time_ms": 60_000,  # so that a watcher whose machine vanished is noticed
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.http2.min_ping_interval_without_data_ms": 10_000,  # clients may look after their connections too
}

log = logging.getLogger(__name__)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM; calls in progress are finished.

    Raises:
        SettingError: the port is taken, or the certificate cannot be used.
    """
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    async with running(settings):
        await stopping.wait()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """Run the server for as long as the context lasts."""
    async with AsyncExitStack() as stack:
        redis, metrics = RedisClient(settings), Metrics("rpc")
        stack.callback(redis.close)
        pool = ThreadPoolExecutor(Bounds.of(settings).threads, "calls")
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        event_log = EventLog(settings, "rpc").start()
        stack.callback(event_log.close)
        follower = Follower(redis).start()
        stack.callback(follower.close)
        publishers = PublisherPool(settings, metrics)
        watching = Watching(redis, follower)
        methods = built(settings, redis, publishers, follower, watching)
        stack.callback(methods.searching.close)
        serving = Serving(Authenticator.of(settings, redis), event_log, metrics, pool)
        vitals = Vitals(redis, publishers, SERVICE.full_name)
        server = assembled(serving, methods, vitals)
        listen(server, settings)
        serve_probes(
            metrics.registry,
            settings.metrics_port,
            healthz=partial(alive, asyncio.get_running_loop()),
            readyz=partial(probed, redis, publishers),
        )
        await vitals.begin()
        await server.start()
        looking = asyncio.create_task(vitals.watch())
        try:
            yield
        finally:
            looking.cancel()
            await vitals.stop()
            watching.close()
            await server.stop(GRACE)


def built(
    settings: Settings,
    redis: RedisClient,
    publishers: PublisherPool,
    follower: Follower,
    watching: Watching,
) -> Facefleet:
    """The methods, with what they work on."""
    bounds = Bounds.of(settings)
    audit_log = AuditLog(redis, settings.audit_length)
    image_store = open_image_store(settings.image_store_url)
    originals = image_store if settings.keeps_originals else None
    return Facefleet(
        settings=settings,
        redis=redis,
        ingest=Ingest(redis, publishers.publish_all, originals, Limits.of(settings), audit_log),
        fetcher=Fetcher(
            admitted=Bound(bounds.fetches, "fetches").held,
            max_bytes=settings.largest_picture,
            total_timeout=settings.fetch_timeout,
            allow=settings.fetch_allow,
        ),
        audit_log=audit_log,
        image_store=image_store,
        waiting=Waiting(redis, follower, Bound(bounds.waits, "waiting calls")),
        searching=Searching(settings, Bound(bounds.searches, "searches")),
        erasures=Bound(bounds.erasures, "erasures"),
        remove_messages=partial(remove_messages_of, settings),
        uploads=Uploads(settings.largest_picture, settings.request_timeout),
        watching=watching,
    )


def assembled(serving: Serving, methods: Facefleet, vitals: Vitals) -> Any:
    """The server of the library, with the health service and reflection."""
    server = grpc.aio.server(
        handlers=[serving.handlers(SERVICE, methods, SCOPES)],
        options=list(OPTIONS.items()),
        maximum_concurrent_rpcs=CALLS,
    )
    health_pb2_grpc.add_HealthServicer_to_server(vitals.servicer, server)
    names = (SERVICE.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    return server


def listen(server: Any, settings: Settings) -> None:
    """Have a server listen where the settings say.

    Raises:
        SettingError: the port is taken, or the certificate cannot be used.
    """
    host = f"[{settings.rest_host}]" if ":" in settings.rest_host else settings.rest_host
    address = f"{host}:{settings.rpc_port}"
    try:
        if settings.rpc_cert:
            pem = Path(settings.rpc_cert).read_bytes()  # each half is found among the other
            server.add_secure_port(address, grpc.ssl_server_credentials([(pem, pem)]))
        else:
            server.add_insecure_port(address)
    except RuntimeError as error:
        certificate = f", and a certificate with its key as RPC_CERT, now {settings.rpc_cert}"
        needed = "a free RPC_PORT" + (certificate if settings.rpc_cert else "")
        raise SettingError(f"cannot listen on {address}: use {needed}") from error
