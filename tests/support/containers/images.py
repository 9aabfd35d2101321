"""Builds images with buildah, without a daemon and without a registry."""

from __future__ import annotations

import ast
import fcntl
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from configparser import RawConfigParser
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from faces.version import VERSION

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
REVISION = "0123456789abcdef"  # of the tests' images


class Storage:
    """A folder in which buildah and podman keep images, the base image among them."""

    def __init__(self, folder: Path) -> None:
        self.options = [f"--root={folder}/root", f"--runroot={folder}/run", "--storage-driver=overlay"]
        if not self._works():  # such as on an overlay
            self.options[-1] = "--storage-driver=vfs"
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._in_use = (folder / "in-use").open("w")
        fcntl.flock(self._in_use, fcntl.LOCK_SH)

    def build(self, name: str, scratch: Path) -> Image:
        """Build an image of ours from its Dockerfile, as it is, under the name that the manifests give it."""
        base = self.base(name)
        tag = f"facefleet-{name}:{VERSION}"
        options = ["--isolation=chroot", "--layers", "--pull-never", "--format=docker", "--quiet"]
        dockerfile = f"--file={ROOT / f'Dockerfile.{name}'}"
        options += [f"--build-arg=REVISION={REVISION}", f"--build-arg=BASE={base}"]
        options += [dockerfile, f"--tag={tag}"]
        self._buildah("bud", *options, *way_to_packages(scratch), str(ROOT))
        return Image(tag, json.loads(self._buildah("inspect", "--type=image", tag))["Docker"], self)

    def base(self, name: str) -> str:
        """Make the image that a Dockerfile of ours builds on; return its name."""
        base = without_digest(base_of(name))
        self._base("python", base)
        return base

    def stand_ins(self, names: Iterable[str]) -> None:
        """Make an image of Debian's brokers, under the names of those that a registry would give."""
        self._base("brokers", *sorted(names))

    def newer_redis(self, name: str) -> None:
        """Make an image of a later Redis than the stand-in's."""
        self._base("newer-redis", name)

    def mount(self, tag: str) -> Path:
        """The files of an image, unpacked."""
        return Path(self._buildah("mount", self._buildah("from", "--pull-never", tag)))

    def tidy(self) -> None:
        """Free what the runs and earlier builds have taken, unless another process still uses them.

        The last images stay.
        """
        with self._in_use:
            try:
                fcntl.flock(self._in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._buildah("rm", "--all")
            self._buildah("rmi", "--prune")

    def _works(self) -> bool:
        return (
            subprocess.run(["buildah", *self.options, "info"], capture_output=True, check=False).returncode
            == 0
        )

    def _base(self, kind: str, *names: str) -> None:
        driver = self.options[-1].partition("=")[2]
        subprocess.run([HERE / "base_images.sh", self._folder, driver, kind, *names], check=True)

    def _buildah(self, *words: str) -> str:
        done = subprocess.run(["buildah", *self.options, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout.strip()


class Image:
    """A built image: its name, its configuration, and its files."""

    def __init__(self, tag: str, description: dict[str, Any], storage: Storage) -> None:
        self.tag = tag
        self.config: dict[str, Any] = description["config"]
        self._storage = storage

    @cached_property
    def root(self) -> Path:
        """Its files, unpacked."""
        return self._storage.mount(self.tag)

    @property
    def health_check(self) -> list[str]:
        """What tells whether the image's process is well."""
        form, *command = self.config["Healthcheck"]["Test"]
        assert form == "CMD"
        return list(command)


def broker_images() -> list[str]:
    """The images that the manifests take from a registry."""
    images = yaml.safe_load((ROOT / "k8s/images/kustomization.yaml").read_text())["images"]
    names = [f"{image['name']}:{image['newTag']}" for image in images if "facefleet" not in image["name"]]
    return [without_digest(name) for name in names]


def without_digest(text: str) -> str:
    """Names of images without their digests, which no stand-in has."""
    return re.sub(r"@sha256:[a-f0-9]{64}", "", text)


def base_of(name: str) -> str:
    """The image that a Dockerfile of ours builds on."""
    (base,) = re.findall(r"^ARG BASE=(\S+)$", (ROOT / f"Dockerfile.{name}").read_text(), re.MULTILINE)
    return str(base)


def way_to_packages(scratch: Path) -> list[str]:
    """Options that let pip in a build reach packages the way pip of this machine does.

    This machine's configuration is mounted for the time of the build, with the files that it names.
    """
    lines = subprocess.check_output([sys.executable, "-m", "pip", "config", "list"], text=True).splitlines()
    configuration = RawConfigParser()
    folders: set[str] = set()
    for line in sorted(lines, reverse=True):  # so that what the environment says comes last and holds
        name, _, shown = line.partition("=")
        section, _, option = name.rpartition(".")
        section = "global" if section == ":env:" else section
        value = str(ast.literal_eval(shown))
        if not configuration.has_section(section):
            configuration.add_section(section)
        configuration.set(section, option, value)
        folders.update(place for word in value.split() if (place := _local(word)))
    file = scratch / "pip.conf"
    with file.open("w") as written:
        configuration.write(written)
    return [
        f"--volume={file}:/etc/pip.conf:ro",
        *(f"--volume={place}:{place}:ro" for place in sorted(folders)),
    ]


def _local(word: str) -> str | None:
    """The file or folder of this machine that a word of pip's configuration needs."""
    path = Path(word.removeprefix("file://"))
    if not (path.is_absolute() and path.exists()):
        return None
    return str(path.parent if word.startswith("file://") else path)  # an index leads to files beside it
