"""The parts of a worker that know each other, and how they are put together."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from functools import cached_property

from faces.config import Settings
from faces.errors import SettingError
from faces.image_store.pictures import open_image_store
from faces.messaging.amqp import Publisher
from faces.messaging.event_log import EventLog
from faces.process.retrier import Retrier
from faces.store.client import RedisClient
from faces.store.collection.data_version import DataVersion
from worker.crops import Crops
from worker.health.memory import Memory
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
from worker.messages.consumer import Consumer
from worker.messages.delivery import Delivery
from worker.messages.outbox import Outbox
from worker.messages.processor import BatchProcessor, build_processor
from worker.messages.search_consumer import SearchConsumer
from worker.metrics import Metrics
from worker.originals import Originals
from worker.presence import Activity, Presence
from worker.searcher import Searcher


@dataclass(frozen=True)
class Isolated:
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


def isolate(settings: Settings, engine: str, metrics: Metrics) -> Isolated:
    """Load an engine, and compile the index's kernels in the meantime.

    Raises:
        SettingError: a setting cannot be used.
        MismatchError: the engine failed its self-test.
    """
    template = TemplateProcess(settings, engine)
    warm_index(settings.match_tolerance)
    loaded = start(template)
    memory, timeout = Memory(settings.worker_memory), settings.picture_timeout
    quarantine = (
        Quarantine(EngineProcess(template, NICE), memory, metrics, timeout) if template.forks else None
    )
    finder = Finder(EngineProcess(template), quarantine, memory, metrics, timeout)
    return Isolated(template, loaded, memory, quarantine, finder)


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """What a worker's parts share; each is made once, when it is first needed.

    Raises, whatever is asked for:
        SettingError: a setting cannot be used.
    """

    settings: Settings
    stopping: threading.Event
    redis: RedisClient
    event_log: EventLog
    vitals: Vitals
    metrics: Metrics
    isolated: Isolated
    deliveries: queue.Queue[Delivery] = field(default_factory=queue.Queue)
    searches: queue.SimpleQueue[Delivery] = field(default_factory=queue.SimpleQueue)

    @cached_property
    def data_version(self) -> DataVersion:
        """What the data is made with."""
        return DataVersion(self.isolated.loaded.model, self.settings.match_tolerance)

    @cached_property
    def face_index(self) -> FaceIndex:
        """All known faces."""
        return FaceIndex(self.settings.match_tolerance, _shared_index(self.settings, self.redis))

    @cached_property
    def retrier(self) -> Retrier:
        """What waits for services, until told to stop."""
        return Retrier(self.stopping)

    @cached_property
    def outbox(self) -> Outbox:
        """Retries and dead letters on their way back to RabbitMQ."""
        return Outbox(Publisher(self.settings), self.retrier)

    @cached_property
    def attempts(self) -> Attempts:
        """How often each picture was tried."""
        return Attempts(self.redis, self.retrier)

    def processor(self) -> BatchProcessor:
        """What takes batches from the deliveries and does them, searches first."""
        return build_processor(
            redis=self.redis,
            batcher=Batcher(self.deliveries, self.settings.batch_size),
            attempts=self.attempts,
            jobs=self._jobs(),
            outbox=self.outbox,
            event_log=self.event_log,
            metrics=self.metrics,
            memory=self.isolated.memory,
            retrier=self.retrier,
            stopping=self.stopping,
            searcher=self._searcher(),
        )

    def consumer(self, reconnect_pause: float) -> Consumer:
        """What receives deliveries; after a lost connection it waits some seconds."""
        return Consumer(
            self.settings,
            self.deliveries,
            self.stopping,
            lost=self.attempts.excuse,
            consuming=self._consuming,
            elsewhere=lambda: len(self.outbox) + self.isolated.quarantined,
            searches=SearchConsumer(self.searches, self.deliveries),
            reconnect_pause=reconnect_pause,
        )

    def presence(self, activity: Activity) -> Presence:
        """What tells others of this worker."""
        return Presence(
            self.redis,
            activity,
            model=self.data_version.model,
            ready=self.vitals.state,
            faces=lambda: len(self.face_index),
        )

    def _consuming(self, consuming: bool) -> None:
        self.vitals.consuming(consuming)
        self.metrics.consuming(consuming)

    def _jobs(self) -> Jobs:
        images = open_image_store(self.settings.image_store_url)
        return Jobs(
            redis=self.redis,
            originals=Originals(images),
            crops=Crops(images if self.settings.keeps_crops else None),
            finder=self.isolated.finder,
            quarantine=self.isolated.quarantine,
            face_index=self.face_index,
            data_version=self.data_version,
            retrier=self.retrier,
            metrics=self.metrics,
        )

    def _searcher(self) -> Searcher:
        return Searcher(
            searches=self.searches,
            redis=self.redis,
            face_index=self.face_index,
            find=self.isolated.finder.find_now,
            model=self.data_version.model,
            publisher=Publisher(self.settings),
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
