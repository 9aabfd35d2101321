"""`facefleet people`: who is in the pictures. Works directly on Redis; changes are made by the groups process."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from datetime import datetime

from client import people_asked
from client.errors import UsageError
from client.people_named import examples, face_named, person_named, picture_names
from client.terminal import note, printable, table
from faces.config import Settings
from faces.documents import to_json
from faces.parsers import positive
from faces.store.client import RedisClient
from faces.store.people import appearances, directory, statements
from faces.store.people.directory import Person
from faces.store.people.statements import Kind, NewStatement

HELP = "list, name, merge and correct the people in the pictures"
PERSON = "a person's id, or a name that only one person has"
FACE = "a picture's hash or name; with :N if several of its faces are possible"


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="people and unnamed groups, largest first")
    listing.add_argument("--hidden", action="store_true", help="list hidden people instead")
    showing = actions.add_parser("show", help="the faces of a person, most typical first")
    asking = actions.add_parser("suggestions", help="people who may be the same, most useful first")
    asking.add_argument("--ask", action="store_true", help="ask about each of them")
    recalling = actions.add_parser("history", help="all statements, latest first")
    for counted in (listing, showing, asking, recalling):
        counted.add_argument("-n", type=positive, default=20, metavar="N", help="at most (%(default)s)")
        counted.add_argument("--json", action="store_true", help="write a JSON list")
    naming = actions.add_parser("name", help="name a person")
    merging = actions.add_parser(
        "merge", help="state that several are one person, who keeps the first one's id"
    )
    parting = actions.add_parser("separate", help="state that two are different people")
    hiding = actions.add_parser("hide", help="hide a person from lists")
    unhiding = actions.add_parser("unhide", help="show a hidden person again")
    for about in (showing, naming, merging, parting, hiding, unhiding):
        about.add_argument("person", metavar="PERSON", help=PERSON)
    naming.add_argument("name", metavar="NAME", help='the name; "" removes it')
    merging.add_argument("others", nargs="+", metavar="OTHER", help=PERSON)
    parting.add_argument("other", metavar="OTHER", help=PERSON)
    for action, about_faces in _OF_FACES.items():
        changing = actions.add_parser(action, help=about_faces)
        changing.add_argument("person", metavar="PERSON", help=PERSON)
        changing.add_argument("faces", nargs="+", metavar="FACE", help=FACE)
    actions.add_parser("why", help="why a face is in its group").add_argument(
        "face", metavar="FACE", help=FACE
    )
    undoing = actions.add_parser("undo", help="withdraw a statement")
    undoing.add_argument(
        "number", type=positive, nargs="?", metavar="N", help="as history shows it; default: the latest"
    )


def run(args: Namespace, settings: Settings) -> int:
    """Run the action."""
    with closing(RedisClient(settings)) as redis:
        return _ACTIONS[args.action](args, redis)


def _list(args: Namespace, redis: RedisClient) -> int:
    page = directory.people(redis, most=args.n, hidden=args.hidden)
    if args.json:
        print(to_json([asdict(person) for person in page.people]))
        return 0
    rows = [(p.id, p.count, p.name or None, examples(redis, p)) for p in page.people]
    print(table(rows, ("id", "faces", "name", "for example")))
    if page.total > len(page.people):
        note(f"{page.total - len(page.people):,} more; -n sets how many are listed")
    return 0


def _show(args: Namespace, redis: RedisClient) -> int:
    person = person_named(redis, args.person)
    found = appearances.faces(redis, person)[: args.n]
    names = picture_names(redis, [face.picture_id for face in found])
    if args.json:
        print(to_json([asdict(face) | {"names": names[face.picture_id]} for face in found]))
        return 0
    note(_described(person))
    rows = [(f"{f.picture_id}:{f.index}", f"{f.distance:.3f}", ", ".join(names[f.picture_id])) for f in found]
    print(table(rows, ("face", "distance", "names")))
    return 0


def _suggestions(args: Namespace, redis: RedisClient) -> int:
    found = directory.suggestions(redis, most=args.n)
    if args.json:
        print(to_json([asdict(suggestion) for suggestion in found]))
    elif args.ask:
        people_asked.ask(redis, found)
    else:
        rows = [
            (
                s.first.id,
                s.first.name or None,
                s.first.count,
                s.second.id,
                s.second.name or None,
                s.second.count,
                f"{s.distance:.3f}",
                s.faces,
            )
            for s in found
        ]
        headings = ("id", "name", "faces", "id", "name", "faces", "distance", "settles")
        print(table(rows, headings))
    return 0


def _history(args: Namespace, redis: RedisClient) -> int:
    found = statements.history(redis, most=args.n)
    if args.json:
        print(to_json([asdict(statement) for statement in found]))
        return 0
    rows = [
        (
            str(s.number),
            datetime.fromtimestamp(s.time).astimezone().isoformat(sep=" ", timespec="seconds"),
            s.kind,
            " ".join(s.people),
            s.name or f"{len(s.faces)} faces" * bool(s.faces) or None,
            "withdrawn" if s.withdrawn else None,
        )
        for s in found
    ]
    print(table(rows, ("number", "time", "kind", "people", "about", "")))
    return 0


def _name(args: Namespace, redis: RedisClient) -> int:
    person = person_named(redis, args.person)
    _submit(redis, "name", [person], name=args.name)
    next_ones = directory.suggestions(redis, about=person.id)
    if args.name and next_ones:
        ids = ", ".join(({s.first.id, s.second.id} - {person.id}).pop() for s in next_ones)
        note(f"may also be {args.name}: {ids}; answer with facefleet people merge or separate")
    return 0


def _merge(args: Namespace, redis: RedisClient) -> int:
    for other in args.others:
        _submit(redis, "same", [person_named(redis, args.person), person_named(redis, other)])
    return 0


def _separate(args: Namespace, redis: RedisClient) -> int:
    return _submit(redis, "different", [person_named(redis, args.person), person_named(redis, args.other)])


def _hide(args: Namespace, redis: RedisClient) -> int:
    kind: Kind = "hide" if args.action == "hide" else "show"
    return _submit(redis, kind, [person_named(redis, args.person)])


def _of_faces(args: Namespace, redis: RedisClient) -> int:
    person = person_named(redis, args.person)
    mine = None if args.action == "assign" else person
    faces = [face_named(redis, face, mine) for face in args.faces]
    kinds: dict[str, Kind] = {"reject": "not", "assign": "assign", "split": "split", "cover": "cover"}
    return _submit(redis, kinds[args.action], [person], faces)


def _why(args: Namespace, redis: RedisClient) -> int:
    told = statements.explain(redis, face_named(redis, args.face, None))
    person = directory.person(redis, told["person"])
    if person is not None:
        print(_described(person))
    if told["alone"]:
        print("no other face is near enough")
    else:
        print(f"{told['distance']:.3f} from the other faces of its group")
    if told["statements"]:
        print(f"statements about it: {', '.join(map(str, told['statements']))}")
    rows = [(near["person"], f"{near['distance']:.3f}", printable(near["reason"])) for near in told["near"]]
    if rows:
        print(table(rows, ("also near", "distance", "not joined because")))
    return 0


def _undo(args: Namespace, redis: RedisClient) -> int:
    done = statements.withdraw(redis, args.number)
    note(f"withdrew statement {done.number}: {done.kind} {' '.join(done.people)} {done.name}".rstrip())
    return 0


def _submit(
    redis: RedisClient, kind: Kind, about: list[Person], faces: list[str] | None = None, name: str = ""
) -> int:
    if len({person.id for person in about}) < len(about):
        raise UsageError(f"{about[0].id} is already the same person")
    seen = {person.id: person.version for person in about}
    ids = tuple(person.id for person in about)
    made = statements.submit(
        redis, NewStatement(kind=kind, people=ids, faces=tuple(faces or ()), name=name, seen=seen)
    )
    now = directory.person(redis, made.made or ids[0])
    note(f"statement {made.number}; {_described(now) if now else 'nobody is left'}")
    return 0


def _described(person: Person) -> str:
    named = f" ({person.name})" if person.name else ""
    return f"person {person.id}{named}: {person.count:,} face{'s' * (person.count != 1)}"


_OF_FACES = {
    "reject": "state that faces are not this person",
    "assign": "state that faces are this person",
    "split": "state that faces of this person are somebody else",
    "cover": "choose the face that represents a person",
}
_ACTIONS: dict[str, Callable[[Namespace, RedisClient], int]] = {
    "list": _list,
    "show": _show,
    "suggestions": _suggestions,
    "history": _history,
    "name": _name,
    "merge": _merge,
    "separate": _separate,
    "hide": _hide,
    "unhide": _hide,
    **dict.fromkeys(_OF_FACES, _of_faces),
    "why": _why,
    "undo": _undo,
}
