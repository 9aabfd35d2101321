"""`python -m worker`: one worker process."""

from __future__ import annotations

import logging
import queue
import signal
import sys
import threading

from threadpoolctl import threadpool_limits

from faces import logs
from faces.amqp import Publisher
from faces.config import Settings
from faces.errors import MismatchError, SettingError, Transient
from faces.images import open_store
from faces.metrics import serve
from faces.picture import Limits
from faces.progress import Progress
from faces.store.basis import Basis, agree
from faces.store.link import Link
from worker.consumer import Consumer, Delivery
from worker.engine.engine import load
from worker.hands import Hands
from worker.health import Pulse
from worker.job import Jobs
from worker.known import Known
from worker.memory import OUTGROWN, Memory
from worker.metrics import Metrics
from worker.patience import Patience
from worker.shared import Shared
from worker.warm import warm_up
from worker.watchdog import Watchdog

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
        logs.install(settings)
        return run(settings, stopping)
    except (SettingError, MismatchError) as error:
        sys.stderr.write(f"worker: {error}\n")
        return 2
    except Transient as error:
        log.warning("stopped while waiting: %s", error)
        return 0


def run(settings: Settings, stopping: threading.Event) -> int:
    """Build a worker from its settings and run it until told to stop, or until it needs a fresh start."""
    pulse, metrics = Pulse(settings.health_file), Metrics()
    pulse.beat()
    serve(metrics.registry, settings.metrics_port)
    deliveries: queue.Queue[Delivery] = queue.Queue()
    link, patience = Link(settings), Patience(stopping, pulse.beat)
    threadpool_limits(settings.engine_threads)  # NumPy's; more of them only get in the way of other workers
    engine = load(settings)
    known = Known(settings.match_tolerance, shared_index(settings, link))
    limits = Limits.of(settings)
    warm_up(engine, settings.match_tolerance)
    patience.until_done(link.check)
    made_with = Basis(engine.model, settings.match_tolerance)
    patience.until_done(lambda: agree(link, made_with))
    patience.until_done(lambda: known.follow(link))
    progress = Progress(settings, "worker").start()
    jobs = Jobs(
        link=link,
        images=open_store(settings.image_store_url),
        engine=engine,
        known=known,
        made_with=made_with,
        limits=limits,
        patience=patience,
        metrics=metrics,
        watchdog=Watchdog(settings.picture_timeout),
    )
    hands = Hands(
        deliveries=deliveries,
        jobs=jobs,
        link=link,
        publisher=Publisher(settings),
        progress=progress,
        patience=Patience(stopping),
        stopping=stopping,
        batch_size=settings.batch_size,
        metrics=metrics,
        memory=Memory(settings.worker_memory),
    )
    computing = threading.Thread(target=hands.run, name="computing", daemon=True)
    computing.start()
    metrics.about(engine.model)
    pulse.ready()
    log.info("ready: %d faces known, model %s", len(known), engine.model)
    Consumer(settings, deliveries, stopping, hands.excuse_pictures).run(computing, pulse.beat)
    hands.raise_fault()
    progress.close()
    link.close()
    return 0 if stopping.is_set() else OUTGROWN


def shared_index(settings: Settings, link: Link) -> Shared | None:
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
    return Shared(link, Milvus(settings.index_url, settings.index_token, settings.match_tolerance))


if __name__ == "__main__":
    sys.exit(main())
