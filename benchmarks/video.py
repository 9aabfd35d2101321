"""How fast frames are taken out of videos, and what skipping frames that hardly differ saves and loses.

    python -m benchmarks.video [--photographs FOLDER] [VIDEO...]

Speed: frames of the video handled in a second of processor time, which tells the same on a busy machine, by the
extraction as it runs in the fleet (child process, selection, turning upright, JPEG), beside FFmpeg writing two
JPEGs a second, and FFmpeg decoding only; where `ffmpeg` is not installed, beside PyAV decoding only.

Skipping: every video is extracted at `VIDEO_RATE` without skipping, and all faces in these frames are encoded.
Then, for several limits of change, the frames that are skipped are counted as `saved`. A face seen at a time is
`lost` if the frame that stands for this time has no face within 0.6; a person is lost if all their faces are.
People are the connected components of the faces at 0.5. Without VIDEO, films are made of photographs.
"""

from __future__ import annotations

import argparse
import bisect
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.material.films import held, panned, portraits, unmoved, write
from benchmarks.material.pictures import pictures_in
from faces.config import Settings
from faces.formats.limits import Limits as PictureLimits
from video.extraction import Frame, Limits, extract
from video.selection import CHANGE
from worker.engine.loading import load
from worker.engine.types import Engine
from worker.isolation.view import open_for

LIMITS_TRIED = (3.0, 6.0, CHANGE, 24.0, 48.0)  # grey levels
SAME_FACE, SAME_PERSON = 0.6, 0.5  # distances
SHOT = 4.0  # seconds
SIZE = (854, 480)

Encodings = NDArray[np.float32]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure taking frames out of videos.")
    parser.add_argument("videos", nargs="*", type=Path, metavar="VIDEO")
    parser.add_argument("--photographs", type=Path, default=Path("var/photographs"), metavar="FOLDER")
    args = parser.parse_args()
    settings = Settings.read()
    with tempfile.TemporaryDirectory() as folder:
        videos = args.videos or list(made(args.photographs, Path(folder)))
        speeds(videos, Limits.of(settings), Path(folder))
        skipping(videos, settings)


def made(photographs: Path, folder: Path) -> Iterator[Path]:
    """Films of photographs: with a camera that moves, one held in a hand, and one that stands still."""
    shots = portraits(photographs, [path.name for path in pictures_in(photographs)], SHOT)
    yield write(folder / "moving.mp4", panned(shots, SIZE))
    yield write(folder / "held.mp4", held(shots, SIZE))
    yield write(folder / "still.mp4", unmoved(shots, SIZE))


def speeds(videos: Sequence[Path], limits: Limits, folder: Path) -> None:
    """Print the frames that each way decodes in a second."""
    print(f"{'frames per cpu second':24}{'frames':>8}{'facefleet':>11}{'peer':>8}{'ratio':>7}   peer")
    for video in videos:
        count = decode(video)
        ours = count / timed(partial(take, video, limits))
        for name, peer in peers(video, folder).items():
            theirs = count / timed(peer)
            print(f"{video.name:24}{count:8}{ours:11.0f}{theirs:8.0f}{ours / theirs:7.2f}   {name}")


def peers(video: Path, folder: Path) -> dict[str, Callable[[], object]]:
    """What is measured beside ours."""
    found: dict[str, Callable[[], object]] = {"PyAV, decoding only": partial(decode, video)}
    if shutil.which("ffmpeg"):
        command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", str(video)]
        frames = [*command, "-vf", "fps=2", "-q:v", "2", str(folder / "%05d.jpg")]
        found["ffmpeg, decoding only"] = partial(subprocess.run, [*command, "-f", "null", "-"], check=True)
        found["ffmpeg, two JPEGs a second"] = partial(subprocess.run, frames, check=True)
    return found


def timed(work: Callable[[], object]) -> float:
    """Seconds of processor time, of this process and those that it starts; the best of three."""
    return min(_timed(work) for _ in range(3))


def _timed(work: Callable[[], object]) -> float:
    begun = _spent()
    work()
    return _spent() - begun


def _spent() -> float:
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in times)


def take(video: Path, limits: Limits) -> list[Frame]:
    """Take the frames out as the fleet does."""
    with video.open("rb") as file:
        return [event for event in extract(file, limits) if isinstance(event, Frame)]


def decode(video: Path) -> int:
    """Decode a video and do nothing with it; the number of its frames."""
    with av.open(str(video)) as file:
        stream = file.streams.video[0]
        stream.thread_type = "AUTO"
        return sum(1 for _ in file.decode(stream))


def skipping(videos: Sequence[Path], settings: Settings) -> None:
    """Print what each limit saves and loses."""
    engine, limits = load(settings), PictureLimits.of(settings)
    print(
        f"\n{'change':24}{'limit':>8}{'taken':>7}{'saved':>7}{'faces':>7}{'lost':>7}{'people':>8}{'lost':>6}"
    )
    for video in videos:
        every = take(video, replace(Limits.of(settings), change=0.0))
        known = {frame.data: encodings(engine, limits, frame.data) for frame in every}
        for change in LIMITS_TRIED:
            taken = take(video, replace(Limits.of(settings), change=change))
            known |= {
                frame.data: encodings(engine, limits, frame.data)
                for frame in taken
                if frame.data not in known
            }
            print(f"{video.name:24}{change:8.0f}{compared(every, taken, known)}")


def encodings(engine: Engine, limits: PictureLimits, data: bytes) -> Encodings:
    """The faces of a frame, an encoding a row."""
    (faces,) = engine.find([open_for(engine, data, limits)])
    return np.array([face.encoding for face in faces], np.float32).reshape(-1, 128)


def compared(every: Sequence[Frame], taken: Sequence[Frame], known: Mapping[bytes, Encodings]) -> str:
    """What the frames taken show of all that is seen."""
    times = [frame.seconds for frame in taken]
    found = []
    for frame in every:
        shown = known[taken[bisect.bisect_right(times, frame.seconds) - 1].data]
        found += [bool((distances <= SAME_FACE).any()) for distances in apart(known[frame.data], shown)]
    faces = np.concatenate([known[frame.data] for frame in every])
    people = components(apart(faces, faces) <= SAME_PERSON)
    lost = sum(not any(found[at] for at in person) for person in people)
    saved, gone = 1 - len(taken) / len(every), 1 - sum(found) / max(1, len(found))
    return f"{len(taken):7}{saved:7.0%}{len(found):7}{gone:7.1%}{len(people):8}{lost:6}"


def apart(some: Encodings, others: Encodings) -> NDArray[np.float32]:
    """Distances between all pairs."""
    distances: NDArray[np.float32] = np.linalg.norm(some[:, None] - others[None], axis=2)
    return distances


def components(joined: NDArray[np.bool_]) -> list[list[int]]:
    """Connected components of a graph."""
    left, found = set(range(len(joined))), []
    while left:
        person, border = [], [left.pop()]
        while border:
            at = border.pop()
            person.append(at)
            near = {int(other) for other in np.flatnonzero(joined[at])} & left
            left -= near
            border += near
        found.append(person)
    return found


if __name__ == "__main__":
    main()
