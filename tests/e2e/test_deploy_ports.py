"""A port that was free when it was chosen and is taken when a part wants it."""

from __future__ import annotations

import re
from pathlib import Path

from local.process import free_port
from tests.support.processes.deployment import Deployment


def test_a_part_whose_port_is_taken_from_under_it_moves_to_another(tmp_path: Path) -> None:
    variable = "RABBITMQ_DIST_PORT"  # the others do so too, yet see it later
    ports = {name: free_port() for name in ("REDIS_PORT", "RABBITMQ_PORT", "REST_PORT", "RPC_PORT")}
    deployment = Deployment(tmp_path, **ports)
    deployment.module = ["tests.support.processes.stolen_port", variable]
    try:
        written = deployment.up()
        (stolen,) = re.findall(r"stolen: (\d+)", written)
        assert "took a port first" in written
        assert deployment.port(variable) != int(stolen)
        assert deployment.run("status")[0] == 0
    finally:
        deployment.run("stop")
