"""What the system makes of ports that it finds taken."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from local.places import PORTS, Places
from local.process import free_port
from local.system import System

SERVERS = frozenset({"redis", "rabbitmq"})


@pytest.mark.parametrize(
    "taken", [None, "REDIS_PORT", "RABBITMQ_PORT", "ERL_EPMD_PORT", "REST_PORT", "RPC_PORT"]
)
def test_a_port_is_lost_if_another_program_sits_at_it(tmp_path: Path, taken: str | None) -> None:
    ports = {variable: str(free_port()) for part in PORTS.values() for variable in part}
    hosts = {"REDIS_HOST": "127.0.0.1", "RABBITMQ_HOST": "127.0.0.1"}
    system = System(tmp_path, {}, lambda _: None)
    Places(ports | hosts, SERVERS, 1).write(system.environment_file)
    with socket.create_server(("127.0.0.1", int(ports.get(taken or "", 0)))):
        assert system._lost_a_port() is (taken is not None)
