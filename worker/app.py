"""A worker, built from its parts."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from faces.config import Settings
from faces.messaging.event_log import EventLog
from faces.process.health import serve
from faces.process.retrier import Retrier
from faces.store.client import RedisClient
from faces.store.collection.data_version import DataVersion, agree
from worker.health.memory import OUTGROWN, Memory
from worker.health.vitals import Vitals
from worker.index.face_index import FaceIndex
from worker.isolation.template_process import Loaded, TemplateProcess
from worker.messages.consumer import RECONNECT_PAUSE, Consumer
from worker.messages.outbox import Outbox
from worker.messages.processor import BatchProcessor
from worker.metrics import Metrics
from worker.odds import OddsKeeper
from worker.parts import Parts, isolate
from worker.presence import Presence

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
    parts = Parts(
        settings=settings,
        stopping=stopping,
        redis=redis or RedisClient(settings),
        event_log=event_log or EventLog(settings, "worker"),
        vitals=vitals,
        metrics=metrics,
        isolated=isolate(settings, engine, metrics),
    )
    processor = parts.processor()
    return Worker(
        redis=parts.redis,
        event_log=parts.event_log,
        template=parts.isolated.template,
        loaded=parts.isolated.loaded,
        face_index=parts.face_index,
        data_version=parts.data_version,
        consumer=parts.consumer(reconnect_pause),
        processor=processor,
        outbox=parts.outbox,
        presence=parts.presence(processor.activity),
        memory=parts.isolated.memory,
        metrics=metrics,
        vitals=vitals,
        retrier=Retrier(stopping, vitals.beat),
        stopping=stopping,
    )
