"""What a release needs, checked and built; RELEASING.md tells the steps.

    python deploy/release.py prepare VERSION    write the version everywhere and date the changelog's section
    python deploy/release.py check              the version is the same everywhere, and nothing is uncommitted
    python deploy/release.py build FOLDER       images, their bills of materials, rendered manifests, release notes

Standard library only. Pushes nothing and makes no tag: the commands for that are printed at the end of `build`.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ("rest", "worker")
OVERLAYS = ("local", "production")
NUMBER = r"\d+\.\d+\.\d+"
STANDS = {  # where the version stands, each a pattern with one group
    "pyproject.toml": rf'^version = "({NUMBER})"$',
    "faces/version.py": rf'^VERSION = "({NUMBER})"$',
    "Dockerfile.rest": rf"(?:^ARG VERSION=|-t facefleet-rest:)({NUMBER})",
    "Dockerfile.worker": rf"(?:^ARG VERSION=|-t facefleet-worker:)({NUMBER})",
    "docker-compose.yml": rf"image: facefleet-\w+:({NUMBER})$",
    "k8s/images/kustomization.yaml": rf"- name: facefleet-\w+\n    newTag: ({NUMBER})$",
    "docs/operations.md": rf"-t facefleet-\w+:({NUMBER})",
}


class UnreadyError(Exception):
    """Why there can be no release yet."""


def versions(root: Path) -> dict[str, set[str]]:
    """Versions by file."""
    return {
        name: set(re.findall(pattern, (root / name).read_text(), re.MULTILINE))
        for name, pattern in STANDS.items()
    }


def version(root: Path) -> str:
    """The one version.

    Raises:
        UnreadyError: there are several, or a file has none.
    """
    found = versions(root)
    (first,) = found["pyproject.toml"]
    for name, there in found.items():
        if there != {first}:
            raise UnreadyError(
                f"{name} has version {', '.join(sorted(there)) or 'none'}, pyproject.toml {first}"
            )
    return first


def notes(root: Path, number: str) -> str:
    """The changelog's section of a version, without its heading.

    Raises:
        UnreadyError: there is none, or it is empty.
    """
    text = (root / "CHANGELOG.md").read_text()
    found = re.search(
        rf"^## {re.escape(number)} - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL
    )
    if not found or not found[1].strip():
        raise UnreadyError(
            f"CHANGELOG.md has no section '## {number} - DATE' with anything in it: run prepare {number}"
        )
    return found[1].strip() + "\n"


def prepare(root: Path, number: str, today: str) -> None:
    """Write a version everywhere, and give the changelog's Unreleased section its name and date."""
    if not re.fullmatch(NUMBER, number):
        raise UnreadyError(f"{number!r} is not a version: write it as 1.2.3")
    if _parts(number) <= _parts(version(root)):
        raise UnreadyError(f"{number} does not come after {version(root)}")
    for name, pattern in STANDS.items():
        path = root / name
        path.write_text(
            re.sub(
                pattern,
                lambda found: found[0].replace(found[1], number),
                path.read_text(),
                flags=re.MULTILINE,
            )
        )
    log = root / "CHANGELOG.md"
    heading = f"## Unreleased\n\n## {number} - {today}\n"
    log.write_text(log.read_text().replace("## Unreleased\n", heading, 1))


def check(root: Path) -> str:
    """See that a release can be built; its version."""
    number = version(root)
    notes(root, number)
    if changed := _said(root, "git", "status", "--porcelain"):
        raise UnreadyError(f"not committed:\n{changed}")
    if _said(root, "git", "tag", "--list", f"v{number}"):
        raise UnreadyError(f"v{number} is released already: run prepare with the next version")
    return number


def build(root: Path, folder: Path, engine: str, platforms: Sequence[str]) -> None:
    """Build everything into a folder."""
    number, revision = check(root), _said(root, "git", "rev-parse", "HEAD")
    folder.mkdir(parents=True)
    for name in IMAGES:
        for platform in platforms:
            tag = f"facefleet-{name}:{number}{_suffix(platform, platforms)}"
            arguments = [
                f"--build-arg=VERSION={number}",
                f"--build-arg=REVISION={revision}",
                f"--platform={platform}",
            ]
            _run(root, engine, "build", f"--file=Dockerfile.{name}", *arguments, f"--tag={tag}", ".")
            bill = _said(root, engine, "run", "--rm", "--entrypoint=cat", tag, "/app/sbom.json")
            (folder / f"{tag.replace(':', '-')}.cdx.json").write_text(bill)
    for name in OVERLAYS:
        rendered = _said(root, "kubectl", "kustomize", f"k8s/overlays/{name}")
        (folder / f"facefleet-{number}-{name}.yaml").write_text(rendered + "\n")
    (folder / "NOTES.md").write_text(notes(root, number))
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in sorted(folder.iterdir())
    ]
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    print(f"Built {number} at {revision} into {folder}. Now, where the images are to go:\n")
    for name in IMAGES:
        for command in _pushes(name, number, platforms):
            print(f"    {engine} {command}")
    print(f"    git tag --annotate v{number} --file={folder}/NOTES.md && git push origin v{number}")


def _suffix(platform: str, platforms: Sequence[str]) -> str:
    """What sets the images of several architectures apart."""
    return "" if len(platforms) == 1 else f"-{platform.rpartition('/')[2]}"


def _pushes(name: str, number: str, platforms: Sequence[str]) -> Iterator[str]:
    """What brings an image to its registry, as one name for all architectures."""
    whole = f"$REGISTRY/facefleet/{name}:{number}"
    suffixes = [_suffix(platform, platforms) for platform in platforms]
    for suffix in suffixes:
        yield f"tag facefleet-{name}:{number}{suffix} {whole}{suffix}"
        yield f"push {whole}{suffix}"
    if len(platforms) > 1:
        yield f"manifest create {whole} {' '.join(whole + suffix for suffix in suffixes)}"
        yield f"manifest push {whole}"


def _parts(number: str) -> tuple[int, ...]:
    return tuple(map(int, number.split(".")))


def _run(root: Path, *command: str) -> None:
    print("+", *command, flush=True)
    subprocess.run(command, cwd=root, check=True)  # noqa: S603 -- our own words


def _said(root: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- our own words
    return done.stdout.strip()


def main() -> None:
    """Do what is asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    deeds = parser.add_subparsers(dest="deed", required=True)
    deeds.add_parser("prepare").add_argument("version")
    deeds.add_parser("check")
    building = deeds.add_parser("build")
    building.add_argument("folder", type=Path)
    building.add_argument("--engine", default="docker", help="docker or podman (%(default)s)")
    about = (
        "once or more; linux/arm64 needs an emulator or a second machine, and was never tested (linux/amd64)"
    )
    building.add_argument("--platform", action="append", help=about)
    args = parser.parse_args()
    try:
        if args.deed == "prepare":
            prepare(ROOT, args.version, datetime.now(UTC).date().isoformat())
        elif args.deed == "check":
            print(f"{check(ROOT)} can be built")
        else:
            build(ROOT, args.folder, args.engine, args.platform or ["linux/amd64"])
    except UnreadyError as error:
        sys.exit(f"release: {error}")


if __name__ == "__main__":
    main()
