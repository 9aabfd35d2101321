"""Writes the software bill of materials of the image that it runs in: CycloneDX 1.5, on standard output.

    python deploy/sbom.py NAME VERSION

Lists the Python packages on `sys.path` and Debian's. Standard library only: it runs in every image's build.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import quote

Component = dict[str, str]
DPKG = Path("/var/lib/dpkg/status")


def component(kind: str, name: str, version: str) -> Component:
    """One package with its package URL (https://github.com/package-url/purl-spec)."""
    purl = f"pkg:{kind}/{quote(name, safe='/')}@{quote(version)}"
    return {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}


def python_packages() -> Iterator[Component]:
    """What Python can import."""
    for found in distributions():
        yield component("pypi", found.name.lower().replace("_", "-"), found.version)


def debian_packages(status: str) -> Iterator[Component]:
    """What dpkg has installed."""
    for stanza in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != " ")
        if fields.get("Status", "").endswith(" installed"):
            yield component("deb", f"debian/{fields['Package']}", fields["Version"])


def bill(name: str, version: str) -> dict[str, object]:
    """The whole document."""
    packages = [*python_packages(), *(debian_packages(DPKG.read_text()) if DPKG.exists() else ())]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": name, "version": version}},
        "components": sorted(
            {package["purl"]: package for package in packages}.values(), key=lambda package: package["purl"]
        ),
    }


if __name__ == "__main__":
    json.dump(bill(*sys.argv[1:]), sys.stdout, indent=1)
