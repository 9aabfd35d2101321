"""What may import what, and who may read the environment or select a database."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("faces", "rest", "worker", "client")
FORBIDDEN = {
    "faces": {"rest", "worker", "client", "local", "dlib", "numpy", "flask"},
    "rest": {"worker", "client", "local", "dlib", "numpy", "onnxruntime", "openvino", "numba"},
    "worker": {"rest", "client", "local", "flask"},
    "client": {"rest", "worker", "local", "dlib", "flask"},
}


def sources(package: str) -> Iterator[Path]:
    yield from sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in plain | named}


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_what_they_may(package: str) -> None:
    wrong = {str(path): bad for path in sources(package) if (bad := imported(path) & FORBIDDEN[package])}
    assert wrong == {}


def only_in(word: str, allowed: str) -> None:
    users = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in sources(package)
        if word in path.read_text()
    }
    assert users == {allowed}


def test_settings_are_read_in_one_place() -> None:
    only_in("os.environ", "faces/config.py")


def test_databases_are_selected_in_one_place() -> None:
    only_in('"SELECT"', "faces/store/link.py")


def test_dlib_is_imported_by_the_engine_alone() -> None:
    users = {path.parts[len(ROOT.parts) + 1] for path in sources("worker") if "dlib" in imported(path)}
    assert users == {"engine"}


def test_pika_is_imported_at_the_edge_alone() -> None:
    users = [
        str(p.relative_to(ROOT)) for package in PACKAGES for p in sources(package) if "pika" in imported(p)
    ]
    assert users == ["faces/amqp.py"]
