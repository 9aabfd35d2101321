from __future__ import annotations

from pathlib import Path

import pytest

from local.rabbitmq import server_script


def test_a_server_that_is_named_is_the_one_that_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "rabbitmq-server"
    monkeypatch.setenv("LOCAL_RABBITMQ", str(script))
    with pytest.raises(RuntimeError, match=r"LOCAL_RABBITMQ is '.*': it must be an executable"):
        server_script()
    script.touch(0o700)
    assert server_script() == str(script)
