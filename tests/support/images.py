"""Builds images with buildah, without a daemon and without a registry, and runs processes from them."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

from local.process import Process

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


class Storage:
    """A folder in which buildah keeps images, the base image among them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environ = {**os.environ, "STORAGE_DRIVER": "vfs"}  # the one that works everywhere
        subprocess.run([HERE / "base_image.sh", folder], env=self._environ, check=True)

    def build(self, name: str, scratch: Path) -> Image:
        """Build an image from its Dockerfile, as it is."""
        options = ["--isolation=chroot", "--pull-never", "--format=docker", "--quiet"]
        tag = f"facefleet/{name}:test"
        dockerfile = f"--file={ROOT / f'Dockerfile.{name}'}"
        self._buildah("bud", *options, *way_to_packages(scratch), dockerfile, f"--tag={tag}", str(ROOT))
        container = self._buildah("from", "--pull-never", tag)
        return Image(
            name,
            json.loads(self._buildah("inspect", "--type=image", tag))["Docker"],
            Path(self._buildah("mount", container)),
        )

    def tidy(self) -> None:
        """Free what the runs and earlier builds have taken; the last images stay."""
        self._buildah("rm", "--all")
        self._buildah("rmi", "--prune")

    def _buildah(self, *words: str) -> str:
        command = ["buildah", f"--root={self._folder}/root", f"--runroot={self._folder}/run", *words]
        done = subprocess.run(command, env=self._environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout.strip()


class Image:
    """A built image: its configuration, and its files unpacked."""

    def __init__(self, name: str, description: dict[str, Any], root: Path) -> None:
        self.name = name
        self.config: dict[str, Any] = description["config"]
        self.root = root

    @property
    def command(self) -> list[str]:
        """What the image runs by itself."""
        return [*(self.config.get("Entrypoint") or []), *self.config["Cmd"]]

    @property
    def health_check(self) -> list[str]:
        """What tells whether the image's process is well."""
        form, *command = self.config["Healthcheck"]["Test"]
        assert form == "CMD"
        return list(command)

    def start(self, command: Sequence[str], variables: dict[str, str], folder: Path) -> Process:
        """Start a process in the image; `folder` takes its log and is the place of its /tmp."""
        process = Process(self.name, folder)
        process.start(self._inside(command, variables, folder), os.environ)
        return process

    def run(self, command: Sequence[str], variables: dict[str, str], folder: Path) -> int:
        """Run a process in the image to its end, and give its exit code."""
        return subprocess.run(self._inside(command, variables, folder), check=False).returncode

    def _inside(self, command: Sequence[str], variables: dict[str, str], folder: Path) -> list[str]:
        tmp = folder / "tmp"
        tmp.mkdir(parents=True, exist_ok=True)
        tmp.chmod(0o1777)
        environment = [*self.config["Env"], *(f"{name}={value}" for name, value in variables.items())]
        runner = str(HERE / "run_image.sh")
        place = [str(self.root), str(tmp), self.config["User"], self.config["WorkingDir"]]
        return [runner, *place, *environment, *command]


def way_to_packages(scratch: Path) -> list[str]:
    """Options that let pip in a build reach packages the way pip of this machine does.

    The configuration in force here is mounted for the time of the build, with the files that it names.
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
