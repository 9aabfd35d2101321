"""The README's curl lines, run as they stand there."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.e2e.conftest import Fleet
from tests.support.servers.file_server import put, serving

README = Path(__file__).parents[2] / "README.md"
FIELD = re.compile(r'"(\w+)":')
EXAMPLE = re.compile(r"^\$ (curl .*)\n(.*)$", re.MULTILINE)


def test_the_examples_answer_as_the_readme_says(fleet: Fleet, photographs: Path) -> None:
    fleet.start_all(FETCH_ALLOW="127.0.0.1")
    examples = EXAMPLE.findall(README.read_text())
    assert [re.search(r":5000/(\w+)", command)[1] for command, _ in examples] == [  # type: ignore[index]
        *("scan", "scan", "match", "status")
    ]
    with serving(photographs) as web:
        places = {"http://localhost:5000": fleet.url, "https://example.org": web}
        answers = []
        for number, (command, expected) in enumerate(examples):
            if number == 2:
                fleet.wait()
            answers.append((run(put(command, places), photographs), put(expected, places)))
    for answer, expected in answers[:3]:
        assert json.loads(answer) == json.loads(expected)
    status, shown = answers[3]
    assert json.loads(status)["state"] == "done"
    assert set(FIELD.findall(shown)) <= set(FIELD.findall(status))


def run(command: str, folder: Path) -> str:
    """Run a line of the README."""
    words = ["bash", "-c", command.replace("curl", "curl -sS")]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout
