"""`python -m worker.reencode`: encodes known faces by another model, beside the current encodings.

It is started by `facefleet rebuild --model`. It follows the journal: for each picture that lacks encodings by the
new model, the original is fetched from the image store, and the faces that were found before are encoded in the
same order. It writes lines to standard output: `model NAME`, under which the encodings are kept; `lacking ID WHY`
for a picture that cannot be encoded; and `caught up` when it has been through the journal. Then it goes on with
what comes in, until it is told to stop.
"""

from __future__ import annotations

import sys
import threading
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from threadpoolctl import threadpool_limits

from faces.config import Settings
from faces.errors import FacefleetError, PictureError, SettingError
from faces.formats.limits import Limits
from faces.image_store.pictures import ImageStore, open_image_store
from faces.process.until_stopped import when_stopped
from faces.store.client import RedisClient
from faces.store.collection import models
from faces.store.pictures import queries
from worker.decoding.decoder import decode
from worker.engine.loading import load
from worker.engine.types import Box, Engine

POLL = 0.05  # seconds between two looks at the end of the journal


@dataclass(frozen=True, kw_only=True)
class Reencoder:
    """Encodes one part of all pictures: those whose hash, as a number, leaves `part` when divided by `parts`."""

    redis: RedisClient
    image_store: ImageStore
    engine: Engine
    limits: Limits
    part: int = 0
    parts: int = 1

    def run(self, stopping: threading.Event) -> None:
        """Follow the journal until told to stop.

        Raises:
            MismatchError: the model is in use already, or a third one is under way.
            Transient: Redis or the image store is unavailable.
        """
        position, caught_up = 0, False
        while not stopping.is_set():
            before = position
            position, lacking = models.lacking_after(self.redis, before)
            for picture_id in lacking:
                if int(picture_id[:8], 16) % self.parts == self.part:
                    self._encode(picture_id)
            if position == before:
                if not caught_up:
                    _say("caught up")
                caught_up = True
                stopping.wait(POLL)

    def _encode(self, picture_id: str) -> None:
        (status,) = queries.statuses(self.redis, [picture_id])
        if status is None:  # erased meanwhile
            return
        boxes = [Box(**face["box"]) for face in status.faces if face.get("indexed", True)]
        try:
            pixels = decode(self.image_store.get(picture_id), limits=self.limits).pixels
        except PictureError as error:
            _say(f"lacking {picture_id} {error}")
            return
        encodings = [encoding.astype("<f4").tobytes() for encoding in self.engine.encode(pixels, boxes)]
        models.put(self.redis, picture_id, self.engine.model, encodings)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Encode until told to stop; 2 where a setting or the data forbids it."""
    parser = ArgumentParser(
        prog="python -m worker.reencode", description="Encode known faces by another model."
    )
    parser.add_argument("--model", required=True, help="the new model, as MODEL has it")
    parser.add_argument("--part", type=int, default=0, help="which part of the pictures (%(default)s)")
    parser.add_argument("--parts", type=int, default=1, help="of how many (%(default)s)")
    options = parser.parse_args(arguments)
    stopping = threading.Event()
    when_stopped(lambda *_: stopping.set())
    threadpool_limits(1)
    try:
        settings = replace(Settings.read(), model=options.model)
        image_store = open_image_store(settings.image_store_url)
        if image_store is None:
            raise SettingError("IMAGE_STORE_URL is not set: there are no originals to encode")
        engine = load(settings)
        _say(f"model {engine.model}")
        with closing(RedisClient(settings)) as redis:
            Reencoder(
                redis=redis,
                image_store=image_store,
                engine=engine,
                limits=Limits.of(settings),
                part=options.part,
                parts=options.parts,
            ).run(stopping)
    except FacefleetError as error:
        sys.stderr.write(f"reencode: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
