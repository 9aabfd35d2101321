"""A private network on one machine: each node has its own address, names resolve as in the cluster, and links fail.

Linux namespaces, from util-linux and iproute2. `enter` starts this program again in namespaces of its own, so
nothing outside sees the addresses, and everything is gone when it ends. It needs root, or the right to make user
namespaces.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ENTERED = "FACEFLEET_CHAOS_NETWORK"  # tells the program started again that it is inside
GATEWAY = "10.77.0.254"
SETUP = (
    "mount --make-rprivate / && mount -t tmpfs none /mnt"
    ' && printf %s "$HOSTS" >/mnt/hosts && mount --bind /mnt/hosts /etc/hosts'
    f" && echo nameserver {GATEWAY} >/mnt/resolv.conf && mount --bind /mnt/resolv.conf /etc/resolv.conf"
    " && ip link set lo up && ip link add nodes type bridge"
    f" && ip addr add {GATEWAY}/24 dev nodes && ip link set nodes up"
    ' && exec "$@"'
)


def enter(names: Iterable[tuple[str, str]]) -> None:
    """Start this program again in a private network where these names have these addresses; return when inside.

    It gets a process namespace too: however it ends, nothing that it started outlives it.

    Raises:
        SystemExit: what is needed is not installed.
    """
    if os.environ.pop(ENTERED, ""):
        return
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        raise SystemExit("this needs util-linux and iproute2: apt-get install util-linux iproute2")
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in names)]
    os.environ |= {ENTERED: "1", "HOSTS": "".join(f"{line}\n" for line in lines)}
    os.execvp("unshare", [*unshared(), "sh", "-c", SETUP, "sh", *sys.orig_argv])  # noqa: S606 -- as meant


def unshared() -> list[str]:
    """Return the command that starts another one in namespaces of its own."""
    users = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *users, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


class Node:
    """A node of the network with an address; what is started by `command` has it."""

    def __init__(self, number: int, address: str) -> None:
        self.address = address
        self._link = f"node{number}"
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        inside = f"{self._link}in"
        _ip("link", "add", self._link, "type", "veth", "peer", "name", inside)
        _ip("link", "set", self._link, "master", "nodes", "up")
        self._wait_for_holder()
        _ip("link", "set", inside, "netns", str(self._holder.pid))
        for arguments in (
            ["link", "set", "lo", "up"],
            ["addr", "add", f"{address}/24", "dev", inside],
            ["link", "set", inside, "up"],
        ):
            subprocess.run([*self.command(["ip"]), *arguments], check=True)

    def command(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs another one in this node."""
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", *command]

    def cut(self) -> None:
        """Cut the node off from all others; its own processes still reach each other."""
        _ip("link", "set", self._link, "down")

    def join(self) -> None:
        """Connect the node again."""
        _ip("link", "set", self._link, "up")

    def close(self) -> None:
        """Remove the node; its link goes with it."""
        self._holder.kill()
        self._holder.wait()

    def _wait_for_holder(self) -> None:
        """Wait until the holder has its own network: until then the link would come back to ours."""
        ours, theirs = Path("/proc/self/ns/net"), Path(f"/proc/{self._holder.pid}/ns/net")
        while theirs.readlink() == ours.readlink():
            if self._holder.poll() is not None:
                raise RuntimeError("a network namespace could not be made")


class NameServer:
    """Answers DNS queries for the addresses of names, as a cluster's DNS does; anything else does not exist."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = {name.lower(): socket.inet_aton(address) for name, address in names.items()}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((GATEWAY, 53))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            query, sender = self._socket.recvfrom(4096)
            self._socket.sendto(self._answer(query), sender)

    def _answer(self, query: bytes) -> bytes:
        """Answer a query with one question (RFC 1035, section 4)."""
        labels, at = [], 12
        while length := query[at]:
            labels.append(query[at + 1 : at + 1 + length].decode())
            at += 1 + length
        question = query[12 : at + 5]
        (kind,) = struct.unpack("!H", query[at + 1 : at + 3])
        address = self._names.get(".".join(labels).lower())
        found = [b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 5, 4) + address] if address and kind == 1 else []
        flags = 0x8180 if address else 0x8183
        header = query[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0)
        return header + question + b"".join(found)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
