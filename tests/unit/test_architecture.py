"""What may import what, and who may read the environment or select a database."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import GROUPS, LONGEST

ROOT = Path(__file__).parents[2]
SHIPPED = ("faces", "facefleet", "rest", "rpc", "worker", "groups", "client", "video")
PACKAGES = (*SHIPPED, "local", "benchmarks")
OTHERS = {"rest", "rpc", "worker", "groups", "client", "local", "benchmarks", "tests"}
FORBIDDEN = {
    "faces": OTHERS | {"video", "dlib", "numpy", "flask", "av"},
    "rest": OTHERS - {"rest"} | {"video", "dlib", "numpy", "onnxruntime", "openvino", "numba", "av"},
    "facefleet": OTHERS | {"faces", "dlib", "numpy", "flask"},
    "worker": OTHERS - {"worker"} | {"flask"},
    "groups": OTHERS - {"groups"} | {"dlib", "flask", "pika"},
    "client": OTHERS - {"client", "groups"} | {"dlib", "flask"},
    "local": OTHERS - {"local", "client"} | {"dlib", "flask"},
    "benchmarks": {"rest", "rpc", "tests"},
    "video": OTHERS | {"dlib", "numpy", "flask"},
}
# A second way into the server: it uses what the routes use, and knows nothing of HTTP.
FORBIDDEN["rpc"] = (FORBIDDEN["rest"] - {"rpc"}) | {"flask"}


def sources(package: str) -> Iterator[Path]:
    yield from sorted((ROOT / package).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imported(path: Path) -> set[str]:
    tree = parsed(path)
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in plain | named}


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_what_they_may(package: str) -> None:
    wrong = {str(path): bad for path in sources(package) if (bad := imported(path) & FORBIDDEN[package])}
    assert wrong == {}


@cache
def modules() -> dict[str, set[str]]:
    """Every module of ours, and which others it imports at its top."""
    found = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for package in PACKAGES
        for path in sources(package)
    }
    return {name: _imports(path) & (found.keys() - {name}) for name, path in found.items()}


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in parsed(path).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_no_modules_import_each_other_in_a_circle() -> None:
    TopologicalSorter(modules()).prepare()  # raises CycleError, which names them


@pytest.mark.parametrize(
    ("below", "above"),
    [
        ("faces.store", ("faces.usecases", "faces.messaging", "faces.image_store")),
        (
            "faces.store.collection",
            ("faces.store.access", "faces.store.events", "faces.store.people", "faces.store.pictures"),
        ),
        ("faces.messaging", ("faces.usecases", "faces.image_store")),
        ("faces.process", ("faces.store", "faces.usecases", "faces.messaging", "faces.image_store")),
        ("faces.image_store", ("faces.store", "faces.usecases", "faces.messaging")),
        ("faces.formats", ("faces.store", "faces.usecases", "faces.messaging", "faces.image_store")),
        (
            "worker.engine",
            ("worker.index", "worker.job", "worker.messages", "faces.store", "faces.messaging"),
        ),
        ("worker.index", ("worker.engine", "worker.job", "worker.messages", "faces.messaging")),
        (
            "worker.decoding",
            ("worker.engine", "worker.index", "worker.job", "worker.messages", "faces.store"),
        ),
        ("worker.isolation", ("worker.index", "worker.job", "worker.messages", "faces.messaging")),
        ("worker.job", ("worker.messages", "faces.messaging.amqp")),
        ("rest.auth", ("rest.contract", "rest.v1", "rest.app")),
        ("rest.fetching", ("rest.contract", "rest.v1", "rest.app", "rest.auth", "faces.store")),
        ("rest.events", ("rest.contract", "rest.v1", "rest.app", "rest.parts")),
        ("rest.metrics", ("rest.contract", "rest.v1", "rest.app", "rest.parts")),
        ("rest.rendering", ("rest.contract", "rest.v1", "rest.app", "rest.parts")),
        ("rest.v1.pictures", ("rest.v1.people", "rest.v1.matching", "rest.v1.nouns")),
        ("rpc", ("rest.app", "rest.contract", "rest.parts", "rest.server")),
        (
            "groups.statements",
            ("groups.clustering", "groups.saved", "groups.answering", "groups.checking", "groups.follower"),
        ),
        ("groups.clustering", ("groups.saved", "groups.answering", "groups.checking", "groups.follower")),
        ("groups.saved", ("groups.answering", "groups.checking", "groups.follower")),
        ("groups.answering", ("groups.checking", "groups.follower")),
        ("client.checking", ("client.commands",)),
        ("client.calibration", ("client.commands", "client.checking")),
        ("client.watching", ("client.commands", "client.importing")),
        ("client.importing", ("client.commands", "client.watching")),
    ],
)
def test_rooms_do_not_look_up(below: str, above: tuple[str, ...]) -> None:
    wrong = {
        (module, other)
        for module, others in modules().items()
        if module.startswith(below)
        for other in others
        if other.startswith(above)
    }
    assert wrong == set()


@pytest.mark.parametrize(
    "house",
    ["benchmarks", "client", "faces", "faces.store", "groups", "rest", "rest.v1", "worker", "worker.engine"],
)
def test_rooms_beside_each_other_form_no_circle(house: str) -> None:
    inner = {name: _room(house, name) for name in modules() if _room(house, name)}
    uses: dict[str, set[str]] = {found: set() for found in inner.values()}
    for name, found in inner.items():
        uses[found] |= {inner[other] for other in modules()[name] & inner.keys()} - {found}
    TopologicalSorter(uses).prepare()


def _room(house: str, module: str) -> str:
    """The folder of a house that a module is in, if it is in one."""
    room, _, rest = module.removeprefix(f"{house}.").partition(".")
    return room if rest and module.startswith(f"{house}.") else ""


def only_in(word: str, allowed: str) -> None:
    users = {
        str(path.relative_to(ROOT))
        for package in SHIPPED
        for path in sources(package)
        if word in path.read_text()
    }
    assert users == {allowed}


def test_settings_are_read_in_one_place() -> None:
    only_in("os.environ", "faces/config.py")


def test_databases_are_selected_in_one_place() -> None:
    only_in('"SELECT"', "faces/store/client.py")


def test_videos_are_decoded_by_the_child_alone() -> None:
    users = {
        str(path.relative_to(ROOT))
        for package in SHIPPED
        for path in sources(package)
        if "av" in imported(path)
    }
    assert users == {"video/decoding.py"}
    decoding = {name for name, others in modules().items() if "video.decoding" in others}
    assert decoding == {"video.child"}


def test_dlib_is_imported_by_the_engine_alone() -> None:
    users = {path.parts[len(ROOT.parts) + 1] for path in sources("worker") if "dlib" in imported(path)}
    assert users == {"engine"}


def test_pika_is_imported_at_the_edge_alone() -> None:
    users = [
        str(p.relative_to(ROOT)) for package in SHIPPED for p in sources(package) if "pika" in imported(p)
    ]
    assert sorted(users) == [f"faces/messaging/{name}.py" for name in ("amqp", "confirming", "frames")]


def test_tests_share_only_what_is_in_their_support_package() -> None:
    named = {
        path: re.findall(r"from tests\.[\w.]*\btest_\w+ import", path.read_text())
        for path in sources("tests")
    }
    assert not {path: found for path, found in named.items() if found}


def test_the_order_of_tests_names_files_that_exist() -> None:
    assert [file for file in (*GROUPS, *LONGEST) if not (ROOT / "tests" / file).is_file()] == []
