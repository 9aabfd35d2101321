"""The release command: one version everywhere, notes from the changelog, nothing built that is not committed."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
BUILDER = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$1" in run) echo '{"bomFormat": "CycloneDX"}' ;; esac
"""


@pytest.fixture(scope="module")
def release() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", ROOT / "deploy/release.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(release: ModuleType, tmp_path: Path) -> Path:
    """A repository with the files of ours that a release reads, committed."""
    root = tmp_path / "tree"
    for name in (*release.STANDS, "CHANGELOG.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "k8s", root / "k8s", dirs_exist_ok=True)
    git(root, "init", "-q")
    commit(root)
    return root


def git(root: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", "as it is")


def test_the_version_is_the_same_everywhere(release: ModuleType) -> None:
    assert release.version(ROOT)


def test_a_release_is_prepared_and_built(
    release: ModuleType, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release.prepare(tree, "7.8.9", "2030-01-02")
    assert all(found == {"7.8.9"} for found in release.versions(tree).values())
    with pytest.raises(release.UnreadyError, match="not committed"):
        release.check(tree)
    commit(tree)
    calls = tmp_path / "calls"
    builder = tmp_path / "builder"
    builder.write_text(BUILDER)
    builder.chmod(0o755)
    monkeypatch.setenv("CALLS", str(calls))
    release.build(tree, tmp_path / "out", str(builder), ["linux/amd64"])
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made == {
        "facefleet-rest-7.8.9.cdx.json",
        "facefleet-worker-7.8.9.cdx.json",
        "facefleet-7.8.9-local.yaml",
        "facefleet-7.8.9-production.yaml",
        "NOTES.md",
        "SHA256SUMS",
    }
    assert "facefleet-worker:7.8.9" in (tmp_path / "out/facefleet-7.8.9-production.yaml").read_text()
    assert (tmp_path / "out/NOTES.md").read_text().startswith("### Added")
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=tree, text=True).strip()
    assert calls.read_text().count(f"--build-arg=REVISION={head}") == 2
    git(tree, "tag", "v7.8.9")
    with pytest.raises(release.UnreadyError, match="released already"):
        release.check(tree)


def test_what_is_to_be_pushed_was_built(
    release: ModuleType,
    tree: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """For two architectures, an image each and a manifest that has the name of the version."""
    release.prepare(tree, "7.8.9", "2030-01-02")
    commit(tree)
    builder = tmp_path / "builder"
    builder.write_text(BUILDER)
    builder.chmod(0o755)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    release.build(tree, tmp_path / "out", str(builder), ["linux/amd64", "linux/arm64"])
    built = re.findall(r"--tag=(\S+)", (tmp_path / "calls").read_text())
    said = capsys.readouterr().out
    assert re.findall(r"builder tag (\S+)", said) == built
    assert len(built) == 4
    pushed = re.findall(r"builder push (\S+)", said)
    for name in ("rest", "worker"):
        whole = f"$REGISTRY/facefleet/{name}:7.8.9"
        assert f"manifest create {whole} {whole}-amd64 {whole}-arm64" in said
        assert f"manifest push {whole}\n" in said
        assert {f"{whole}-amd64", f"{whole}-arm64"} <= set(pushed)


def test_versions_that_differ_are_named(release: ModuleType, tree: Path) -> None:
    file = tree / "k8s/images/kustomization.yaml"
    file.write_text(file.read_text().replace("newTag: " + release.version(ROOT), "newTag: 0.0.9", 1))
    with pytest.raises(release.UnreadyError, match=r"k8s/images/kustomization\.yaml has version 0\.0\.9"):
        release.check(tree)


@pytest.mark.parametrize("wrong", ["0.0.1", "1.2", "v2.0.0"])
def test_a_version_that_cannot_come_next_is_refused(release: ModuleType, tree: Path, wrong: str) -> None:
    with pytest.raises(release.UnreadyError, match=wrong):
        release.prepare(tree, wrong, "2030-01-02")


def test_a_release_without_notes_is_refused(release: ModuleType, tree: Path) -> None:
    with pytest.raises(release.UnreadyError, match="CHANGELOG"):
        release.notes(tree, "9.9.9")


def test_releasing_names_every_step(release: ModuleType) -> None:
    assert os.access(ROOT / "RELEASING.md", os.R_OK)
    text = (ROOT / "RELEASING.md").read_text()
    for deed in ("prepare", "check", "build"):
        assert f"deploy/release.py {deed}" in text
