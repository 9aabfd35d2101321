"""`python -m rpc.generate`: writes `facefleet_pb2.py` beside `facefleet.proto`. It needs the extra `protoc`.

`local/install.sh`, the image's build and, through `Build`, `pip install` do this by themselves.
"""

from __future__ import annotations

import sys
from pathlib import Path

from grpc_tools import protoc
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent


class Build(build_py):  # type: ignore[misc]  # setuptools has no types
    """Builds a wheel with the messages in it; pyproject.toml names this class."""

    def run(self) -> None:
        """Generate, then build as usual."""
        if main() != 0:
            raise SystemExit("rpc/facefleet.proto cannot be compiled")
        super().run()


def main() -> int:
    """Generate the messages and their types.

    Returns:
        protoc's exit status, which has said what is wrong.
    """
    root = HERE.parent  # so that the module finds itself as `rpc.facefleet_pb2`
    options = [f"--proto_path={root}", f"--python_out={root}", f"--pyi_out={root}"]
    status: int = protoc.main(["protoc", *options, str(HERE / "facefleet.proto")])
    return status


if __name__ == "__main__":
    sys.exit(main())
