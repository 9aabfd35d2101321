"""A worker, built from its parts."""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from faces.amqp import Publisher
from faces.config import Settings
from faces.errors import SettingError
from faces.event_log import EventLog
from faces.health import serve
from faces.image_store import open_image_store
from faces.retrier import Retrier
from faces.store.client import RedisClient
from faces.store.data_version import DataVersion, agree
from worker.crops import Crops
from worker.health.memory import OUTGROWN, Memory
from worker.health.vitals import Vitals
from worker.index.face_index import FaceIndex
from worker.index.shared_index import SharedIndex
from worker.index.warm import warm_index
from worker.isolation.engine_process import EngineProcess, start
from worker.isolation.finder import Finder
from worker.isolation.quarantine import NICE, Quarantine
from worker.isolation.template_process import Loaded, TemplateProcess
from worker.job import Jobs
from worker.messages.attempts import Attempts
from worker.messages.batching import Batcher
from worker.messages.consumer import RECONNECT_PAUSE, Consumer
from worker.messages.delivery import Delivery
from worker.messages.outbox import Outbox
from worker.messages.processor import BatchProcessor, build_processor
from worker.messages.search_consumer import SearchConsumer
from worker.metrics import Metrics
from worker.odds import OddsKeeper
from worker.originals import Originals
from worker.presence import Presence
from worker.searcher import Searcher

ENGINE = "worker.engine.loading:load"  # loaded in a process of its own, and nowhere in this one

log = logging.getLogger("worker")


@dataclass(kw_only=True, eq=False)
class Worker:
    """One worker. `run` it once."""

    redis: RedisClient
    event_log: EventLog
    template: TemplateProcess
    loaded: Loaded
    face_index: FaceIndex
    data_version: DataVersion
    consumer: Consumer
    processor: BatchProcessor
    outbox: Outbox
    presence: Presence
    memory: Memory
    metrics: Metrics
    vitals: Vitals
    retrier: Retrier
    stopping: threading.Event

    def run(self) -> int:
        """Read the index, then process pictures until told to stop or until a restart is needed.

        Returns:
            The exit code: 0 after a stop, `memory.OUTGROWN` to be restarted.

        Raises:
            MismatchError: the stored data was made with another model or tolerance.
            SettingError: the index leaves too little memory for pictures.
            Transient: told to stop while waiting for Redis.
        """
        self._read_index()
        self.memory.reserve(self.loaded.data, len(self.face_index))
        self.event_log.start()
        self.outbox.start()
        self.metrics.about(self.data_version.model)
        self.vitals.started()
        log.info("started: %d faces indexed, model %s", len(self.face_index), self.data_version.model)
        computing = threading.Thread(target=self._compute, name="computing", daemon=True)
        computing.start()
        OddsKeeper(self.redis, self.stopping).start()
        self.presence.start()
        self.consumer.run(computing, self.vitals.beat)
        self.presence.close()
        if self.processor.fault is not None:
            raise self.processor.fault
        self.event_log.close()
        self.template.close()
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
    engine: str = ENGINE,
    redis: RedisClient | None = None,
    event_log: EventLog | None = None,
    reconnect_pause: float = RECONNECT_PAUSE,
) -> Worker:
    """Build a worker from the settings, with other parts than its own where given; `engine` is module:function.

    Raises:
        SettingError: a setting cannot be used.
        MismatchError: the engine failed its self-test.
    """
    vitals, metrics = Vitals(), Metrics()
    serve(metrics.registry, settings.metrics_port, healthz=vitals.healthz, readyz=vitals.readyz)
    threadpool_limits(1)  # NumPy's; workers share a machine by cores
    redis = redis or RedisClient(settings)
    event_log = event_log or EventLog(settings, "worker")
    isolated = _start_engine(settings, engine, metrics)
    data_version = DataVersion(isolated.loaded.model, settings.match_tolerance)
    face_index = FaceIndex(settings.match_tolerance, _shared_index(settings, redis))
    deliveries: queue.Queue[Delivery] = queue.Queue()
    searches: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
    retrier = Retrier(stopping)
    outbox, attempts = Outbox(Publisher(settings), retrier), Attempts(redis, retrier)
    searcher = Searcher(
        searches=searches,
        redis=redis,
        face_index=face_index,
        find=isolated.finder.find_now,
        model=data_version.model,
        publisher=Publisher(settings),
    )
    image_store = open_image_store(settings.image_store_url)
    jobs = Jobs(
        redis=redis,
        originals=Originals(image_store),
        crops=Crops(image_store if settings.keeps_crops else None),
        finder=isolated.finder,
        quarantine=isolated.quarantine,
        face_index=face_index,
        data_version=data_version,
        retrier=retrier,
        metrics=metrics,
    )
    processor = build_processor(
        redis=redis,
        batcher=Batcher(deliveries, settings.batch_size),
        attempts=attempts,
        jobs=jobs,
        outbox=outbox,
        event_log=event_log,
        metrics=metrics,
        memory=isolated.memory,
        retrier=retrier,
        stopping=stopping,
        searcher=searcher,
    )
    consumer = Consumer(
        settings,
        deliveries,
        stopping,
        lost=attempts.excuse,
        consuming=vitals.consuming,
        elsewhere=lambda: len(outbox) + isolated.quarantined,
        searches=SearchConsumer(searches, deliveries),
        reconnect_pause=reconnect_pause,
    )
    return Worker(
        redis=redis,
        event_log=event_log,
        template=isolated.template,
        loaded=isolated.loaded,
        face_index=face_index,
        data_version=data_version,
        consumer=consumer,
        processor=processor,
        outbox=outbox,
        presence=Presence(
            redis,
            processor.activity,
            model=data_version.model,
            ready=vitals.state,
            faces=lambda: len(face_index),
        ),
        memory=isolated.memory,
        metrics=metrics,
        vitals=vitals,
        retrier=Retrier(stopping, vitals.beat),
        stopping=stopping,
    )


@dataclass(frozen=True)
class _Isolated:
    """An engine in a process of its own, and what finds faces with it."""

    template: TemplateProcess
    loaded: Loaded
    memory: Memory
    quarantine: Quarantine | None
    finder: Finder

    @property
    def quarantined(self) -> int:
        """Pictures in quarantine."""
        return 0 if self.quarantine is None else len(self.quarantine)


def _start_engine(settings: Settings, engine: str, metrics: Metrics) -> _Isolated:
    """Load an engine, and compile the index's kernels in the meantime.

    Raises:
        SettingError: a setting cannot be used.
        MismatchError: the engine failed its self-test.
    """
    template = TemplateProcess(settings, engine)
    warm_index(settings.match_tolerance)
    loaded = start(template)
    memory, timeout = Memory(settings.worker_memory), settings.picture_timeout
    quarantine = Quarantine(EngineProcess(template, NICE), memory, timeout) if template.forks else None
    finder = Finder(EngineProcess(template), quarantine, memory, metrics, timeout)
    return _Isolated(template, loaded, memory, quarantine, finder)


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
