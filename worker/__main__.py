"""`python -m worker`: one worker process."""

from __future__ import annotations

import logging
import queue
import signal
import sys
import threading

from threadpoolctl import threadpool_limits

from faces import process_log
from faces.amqp import Publisher
from faces.config import Settings
from faces.errors import MismatchError, SettingError, Transient
from faces.event_log import EventLog
from faces.formats.limits import Limits
from faces.image_store import open_image_store
from faces.metrics import serve
from faces.store.client import RedisClient
from faces.store.data_version import DataVersion, agree
from worker.consumer import Consumer, Delivery
from worker.engine.engine import load
from worker.health.heartbeat import Heartbeat
from worker.health.memory import OUTGROWN, Memory
from worker.health.watchdog import Watchdog
from worker.index.face_index import FaceIndex
from worker.index.shared_index import SharedIndex
from worker.job import Jobs
from worker.metrics import Metrics
from worker.processor import BatchProcessor
from worker.retrier import Retrier
from worker.warm import warm_up

log = logging.getLogger("worker")


def main() -> int:
    """Run until SIGTERM or SIGINT; then finish the pictures in hand and leave the rest queued.

    Returns:
        The exit code: 0 after a stop, 2 where a setting or the stored data forbids a start; `memory.OUTGROWN` and
        `watchdog.OVERRUN` ask for a fresh start.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        settings = Settings.read()
        process_log.install(settings)
        return run(settings, stopping)
    except (SettingError, MismatchError) as error:
        sys.stderr.write(f"worker: {error}\n")
        return 2
    except Transient as error:
        log.warning("stopped while waiting: %s", error)
        return 0


def run(settings: Settings, stopping: threading.Event) -> int:
    """Build a worker from its settings and run it until told to stop, or until it needs a fresh start."""
    heartbeat, metrics = Heartbeat(settings.health_file), Metrics()
    heartbeat.beat()
    serve(metrics.registry, settings.metrics_port)
    deliveries: queue.Queue[Delivery] = queue.Queue()
    redis, retrier = RedisClient(settings), Retrier(stopping, heartbeat.beat)
    threadpool_limits(1)  # NumPy's; workers share a machine by cores
    engine = load(settings)
    face_index = FaceIndex(settings.match_tolerance, shared_index(settings, redis))
    limits = Limits.of(settings)
    warm_up(engine, settings.match_tolerance)
    retrier.until_done(redis.check)
    data_version = DataVersion(engine.model, settings.match_tolerance)
    retrier.until_done(lambda: agree(redis, data_version))
    retrier.until_done(lambda: face_index.follow(redis))
    event_log = EventLog(settings, "worker").start()
    jobs = Jobs(
        redis=redis,
        image_store=open_image_store(settings.image_store_url),
        engine=engine,
        face_index=face_index,
        data_version=data_version,
        limits=limits,
        retrier=retrier,
        metrics=metrics,
        watchdog=Watchdog(settings.picture_timeout),
    )
    processor = BatchProcessor(
        deliveries=deliveries,
        jobs=jobs,
        redis=redis,
        publisher=Publisher(settings),
        event_log=event_log,
        retrier=Retrier(stopping),
        stopping=stopping,
        batch_size=settings.batch_size,
        metrics=metrics,
        memory=Memory(settings.worker_memory),
    )
    computing = threading.Thread(target=processor.run, name="computing", daemon=True)
    computing.start()
    metrics.about(engine.model)
    heartbeat.ready()
    log.info("ready: %d faces known, model %s", len(face_index), engine.model)
    Consumer(settings, deliveries, stopping, processor.excuse_pictures).run(computing, heartbeat.beat)
    processor.raise_fault()
    event_log.close()
    redis.close()
    return 0 if stopping.is_set() else OUTGROWN


def shared_index(settings: Settings, redis: RedisClient) -> SharedIndex | None:
    """The index that workers share, if one is set.

    Raises:
        SettingError: its client is not installed.
    """
    if not settings.index_url:
        return None
    try:
        from worker.index.milvus import Milvus  # noqa: PLC0415 -- nobody else needs the client
    except ImportError as error:
        raise SettingError(
            "INDEX_URL is set, but the client of Milvus is not installed: pip install 'facefleet[milvus]'"
        ) from error
    return SharedIndex(redis, Milvus(settings.index_url, settings.index_token, settings.match_tolerance))


if __name__ == "__main__":
    sys.exit(main())
