"""A worker, built from its parts."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from faces.amqp import Publisher
from faces.config import Settings
from faces.errors import SettingError
from faces.event_log import EventLog
from faces.formats.limits import Limits
from faces.image_store import open_image_store
from faces.metrics import serve
from faces.store.client import RedisClient
from faces.store.data_version import DataVersion, agree
from worker.attempts import Attempts
from worker.batching import Batcher
from worker.consumer import RECONNECT_PAUSE, Consumer
from worker.dead_letters import DeadLetters
from worker.delivery import Delivery
from worker.engine.loading import load
from worker.engine.types import Engine
from worker.health.heartbeat import Heartbeat
from worker.health.memory import OUTGROWN, Memory
from worker.health.watchdog import Watchdog
from worker.index.face_index import FaceIndex
from worker.index.shared_index import SharedIndex
from worker.job import Jobs
from worker.metrics import Metrics
from worker.odds import OddsKeeper
from worker.outbox import Outbox
from worker.processor import BatchProcessor
from worker.retrier import Retrier
from worker.settlement import Settlement
from worker.warm import warm_up

log = logging.getLogger("worker")


@dataclass(kw_only=True, eq=False)
class Worker:
    """One worker. `run` it once."""

    redis: RedisClient
    event_log: EventLog
    face_index: FaceIndex
    data_version: DataVersion
    consumer: Consumer
    processor: BatchProcessor
    outbox: Outbox
    memory: Memory
    metrics: Metrics
    heartbeat: Heartbeat
    retrier: Retrier
    stopping: threading.Event

    def run(self) -> int:
        """Read the index, then process pictures until told to stop or until a restart is needed.

        Returns:
            The exit code: 0 after a stop, `memory.OUTGROWN` to be restarted.

        Raises:
            MismatchError: the stored data was made with another model or tolerance.
            Transient: told to stop while waiting for Redis.
        """
        self._read_index()
        self.event_log.start()
        self.outbox.start()
        self.memory.limit()
        self.metrics.about(self.data_version.model)
        self.heartbeat.ready()
        log.info("ready: %d faces indexed, model %s", len(self.face_index), self.data_version.model)
        computing = threading.Thread(target=self._compute, name="computing", daemon=True)
        computing.start()
        OddsKeeper(self.redis, self.stopping).start()
        self.consumer.run(computing, self.heartbeat.beat)
        if self.processor.fault is not None:
            raise self.processor.fault
        self.event_log.close()
        self.redis.close()
        return 0 if self.stopping.is_set() else OUTGROWN

    def _read_index(self) -> None:
        self.retrier.until_done(self.redis.check)
        self.retrier.until_done(lambda: agree(self.redis, self.data_version))
        self.retrier.until_done(lambda: self.face_index.follow(self.redis))

    def _compute(self) -> None:
        self.processor.run()
        self.outbox.close()


def build(
    settings: Settings,
    stopping: threading.Event,
    *,
    load_engine: Callable[[Settings], Engine] = load,
    redis: RedisClient | None = None,
    event_log: EventLog | None = None,
    reconnect_pause: float = RECONNECT_PAUSE,
) -> Worker:
    """Build a worker from the settings, with other parts than its own where given.

    Raises:
        SettingError: a setting cannot be used.
        MismatchError: the engine failed its self-test.
    """
    heartbeat, metrics = Heartbeat(settings.health_file), Metrics()
    heartbeat.beat()
    serve(metrics.registry, settings.metrics_port)
    threadpool_limits(1)  # NumPy's; workers share a machine by cores
    redis = redis or RedisClient(settings)
    event_log = event_log or EventLog(settings, "worker")
    engine, memory = load_engine(settings), Memory(settings.worker_memory)
    warm_up(engine, settings.match_tolerance)
    data_version = DataVersion(engine.model, settings.match_tolerance)
    face_index = FaceIndex(settings.match_tolerance, _shared_index(settings, redis))
    deliveries: queue.Queue[Delivery] = queue.Queue()
    retrier = Retrier(stopping)
    outbox = Outbox(Publisher(settings), retrier)
    attempts = Attempts(redis, retrier)
    dead_letters = DeadLetters(outbox, event_log, metrics)
    jobs = Jobs(
        redis=redis,
        image_store=open_image_store(settings.image_store_url),
        engine=engine,
        face_index=face_index,
        data_version=data_version,
        limits=Limits.of(settings),
        retrier=retrier,
        metrics=metrics,
        watchdog=Watchdog(settings.picture_timeout),
    )
    settlement = Settlement(
        redis=redis,
        attempts=attempts,
        outbox=outbox,
        dead_letters=dead_letters,
        event_log=event_log,
        metrics=metrics,
        retrier=retrier,
    )
    processor = BatchProcessor(
        batcher=Batcher(deliveries, settings.batch_size),
        dead_letters=dead_letters,
        attempts=attempts,
        jobs=jobs,
        settlement=settlement,
        memory=memory,
        stopping=stopping,
    )
    return Worker(
        redis=redis,
        event_log=event_log,
        face_index=face_index,
        data_version=data_version,
        consumer=Consumer(
            settings,
            deliveries,
            stopping,
            lost=attempts.excuse,
            outbox=outbox.__len__,
            reconnect_pause=reconnect_pause,
        ),
        processor=processor,
        outbox=outbox,
        memory=memory,
        metrics=metrics,
        heartbeat=heartbeat,
        retrier=Retrier(stopping, heartbeat.beat),
        stopping=stopping,
    )


def _shared_index(settings: Settings, redis: RedisClient) -> SharedIndex | None:
    """The index that workers share in Milvus, if `INDEX_URL` is set.

    Raises:
        SettingError: its client is not installed.
    """
    if not settings.index_url:
        return None
    try:
        from worker.index.milvus import Milvus  # noqa: PLC0415 -- nobody else needs the client
    except ImportError as error:
        raise SettingError(
            "INDEX_URL is set, but Milvus's client is not installed: pip install 'facefleet[milvus]'"
        ) from error
    return SharedIndex(redis, Milvus(settings.index_url, settings.index_token, settings.match_tolerance))
