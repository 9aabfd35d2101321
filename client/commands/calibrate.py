"""`facefleet calibrate`: how many matches are wrong, and which tolerance suits the collection."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from client.calibration import advice, answers, labelled, named_people, plots
from client.calibration.impostors import GAMMA, NORMAL, Sample, Tail, fit, sample
from client.calibration.labelled import Compared
from client.calibration.verification import Pair, read_pairs
from client.errors import UsageError
from client.terminal import bar, note, table
from faces.config import Settings
from faces.documents import to_json
from faces.odds import Odds
from faces.store.client import RedisClient
from faces.store.collection import inspection
from faces.store.collection import odds as store_odds
from faces.store.keys import ENCODING_BYTES, ENCODINGS

HELP = "estimate how many matches are wrong, and which tolerance suits the collection now and at ten times its size"
GROWTH = (1, 10, 100, 1000)
CAVEATS = (
    "Without labels nobody knows which matches are right: these are estimates from the distances themselves.",
    "They hold where many people have few pictures each, and may be off several times over: --pairs measures them.",
    "A larger collection is assumed to be like this one, with more people (docs/odds.md).",
)


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """What the distances alone tell; pairs of numbers are the least and the most."""

    faces: int
    pairs: int
    every_pair: bool
    tolerance: float
    median: float
    within: float
    within_95: tuple[float, float]
    false_estimated: tuple[float, float] | None
    fmr: float
    tolerance_estimated: tuple[float, float] | None
    searches: list[Search]


@dataclass(frozen=True, slots=True)
class Search:
    """What a search of one face among so many gives: faces within the tolerance, and how many of them falsely."""

    faces: int
    neighbours: float
    false_estimated: tuple[float, float] | None


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    about = (
        "LFW's file of pairs, `Person 1 2` or `Person 1 Other 3`, of pictures named Person/Person_0001.jpg"
    )
    labels = parser.add_mutually_exclusive_group()
    labels.add_argument("--pairs", type=Path, metavar="FILE", help=about)
    about = "compare the faces of the people that users have named"
    labels.add_argument("--people", action="store_true", help=about)
    about = "compare the faces that answers to suggestions, and merges by hand, were about"
    labels.add_argument("--answers", action="store_true", help=about)
    about = "find the tolerance with this share of false matches (%(default)g)"
    parser.add_argument("--fmr", type=share, default=1e-3, metavar="SHARE", help=about)
    about = "plot the distances; for labelled pairs, true accepts against false matches"
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help=about)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: Namespace, settings: Settings) -> int:
    """Measure and print."""
    pairs = read_pairs(args.pairs) if args.pairs else None
    with closing(RedisClient(settings)) as redis:
        tolerance = inspection.tolerance(inspection.stored_version(redis)) or settings.match_tolerance
        faces, owners = _read(redis)
        trial, caveat = _labelled(redis, args, pairs)
        odds = _measured_odds(redis, tolerance)
    drawn = sample(faces, owners)
    if not len(drawn.distances):
        raise UsageError("there are no two pictures with faces to compare: scan some first")
    tails = [tail for power in (GAMMA, NORMAL) if (tail := fit(drawn.distances, power))]
    found = measured(len(faces), drawn, tails, tolerance, args.fmr)
    known = labelled.measured(trial, tolerance, args.fmr) if trial else None
    if args.plot:
        _write(args.plot, plots.roc({"pairs": trial.trial}) if trial else _drawing(drawn, tails, tolerance))
    if args.json:
        advised = [asdict(choice) for choice in advice.choices(odds, tolerance)] if odds else []
        documents = {"unlabelled": asdict(found), "labelled": asdict(known) if known else None}
        print(to_json({**documents, "advice": advised}))
    else:
        _show(found)
        if odds:
            print("\n" + table(advice.rows(advice.choices(odds, tolerance))))
        if known:
            print("\n" + table(labelled.rows(known)))
            for text in labelled.warnings(known):
                note(text)
        if caveat:
            note(caveat)
    return 0


def _labelled(
    redis: RedisClient, args: Namespace, pairs: Sequence[Pair] | None
) -> tuple[Compared | None, str | None]:
    """The labelled pairs that were asked for, and how far they can be trusted."""
    if args.people:
        return named_people.compare(redis), named_people.CAVEAT
    if args.answers:
        return answers.compare(redis), answers.CAVEAT
    return (None if pairs is None else labelled.compare(redis, pairs)), None


def measured(faces: int, drawn: Sample, tails: Sequence[Tail], tolerance: float, fmr: float) -> Unlabelled:
    """What a sample and the tails fitted to it tell. False ones are never more than all within the tolerance."""
    within = drawn.share(tolerance)
    bounds = drawn.bounds(tolerance)
    false = _span([min(tail.share(tolerance), bounds[1]) for tail in tails])
    return Unlabelled(
        faces=faces,
        pairs=len(drawn.distances),
        every_pair=drawn.every,
        tolerance=tolerance,
        median=float(np.median(drawn.distances)),
        within=within,
        within_95=bounds,
        false_estimated=false,
        fmr=fmr,
        tolerance_estimated=_span([tail.tolerance(fmr) for tail in tails]),
        searches=[
            Search(faces * times, within * faces * times, _times(false, faces * times)) for times in GROWTH
        ],
    )


def _measured_odds(redis: RedisClient, tolerance: float) -> Odds | None:
    """Measure the odds of matches now, and keep them for all; None where nothing says which model encodes."""
    model = inspection.stored_version(redis)[1]
    odds = None if model is None else store_odds.measure(redis, model.decode(), tolerance)
    store_odds.keep(redis, odds)
    return odds


def _read(redis: RedisClient) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Every face, (n, 128), and the number of its picture, (n,); what cannot be compared is left out."""
    found: dict[bytes, list[bytes]] = {}
    with bar(inspection.size(redis, ENCODINGS), "reading faces") as progress:
        for keys in inspection.keys(redis, ENCODINGS):
            for key, encodings in zip(keys, inspection.encodings(redis, keys), strict=True):
                found[key] = [encoding for encoding in encodings if len(encoding) == ENCODING_BYTES]
            progress.update(len(keys))
    joined = b"".join(encoding for encodings in found.values() for encoding in encodings)
    faces = np.frombuffer(joined, dtype="<f4").reshape(-1, ENCODING_BYTES // 4)
    owners = np.repeat(np.arange(len(found)), [len(encodings) for encodings in found.values()])
    sound = np.isfinite(faces).all(axis=1)
    return faces[sound], owners[sound]


def _show(found: Unlabelled) -> None:
    print(table(_rows(found)) + "\n")
    heads = ("faces", "neighbours of a face", "of them false, estimated")
    searches = (
        (s.faces, f"{s.neighbours:,.2f}", _shown(s.false_estimated, "{:,.2f}")) for s in found.searches
    )
    print(table([heads, *searches]))
    for caveat in CAVEATS:
        note(caveat)


def _rows(found: Unlabelled) -> Iterator[tuple[str, object]]:
    yield "faces", found.faces
    yield "pairs compared", found.pairs
    yield "which", "every pair of different pictures" if found.every_pair else "drawn at random"
    yield "tolerance", found.tolerance
    yield "median distance", f"{found.median:.3f}"
    yield "pairs within the tolerance", f"{found.within:.4%}"
    if not found.every_pair:
        yield "of all pairs, 95% confidence", _shown(found.within_95, "{:.4%}")
    yield "false matches, estimated", _shown(found.false_estimated, "{:.4%}")
    yield f"tolerance for {found.fmr:g} of them, estimated", _shown(found.tolerance_estimated, "{:.3f}")


def _shown(span: tuple[float, float] | None, form: str) -> str:
    if span is None:
        return "too few pairs to tell"
    low, high = (form.format(end) for end in span)
    return low if low == high else f"{low} to {high}"


def _span(values: Sequence[float]) -> tuple[float, float] | None:
    return (min(values), max(values)) if values else None


def _times(span: tuple[float, float] | None, factor: int) -> tuple[float, float] | None:
    return span and (span[0] * factor, span[1] * factor)


def _drawing(drawn: Sample, tails: Sequence[Tail], tolerance: float) -> str:
    return plots.distribution(drawn.distances, tails[-1] if tails else None, tolerance)


def _write(path: Path, drawing: str) -> None:
    try:
        path.write_text(drawing)
    except OSError as error:
        raise UsageError(f"the plot cannot be written to {path}: {error.strerror}") from error


def share(value: str) -> float:
    """A share, neither nothing nor all."""
    number = float(value)
    if not 0 < number < 1:
        raise ValueError("write a share above 0 and below 1")
    return number
