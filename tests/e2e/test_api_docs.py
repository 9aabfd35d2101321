"""docs/api.md: its commands, run as they stand there on one fleet, answer what stands under them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.material.films import write
from faces.store.people import directory
from local.process import until
from rest.app import routed
from rest.problems import PROBLEMS
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.films import plain, still
from tests.support.servers.file_server import put, serving

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
MORE = "..."


def examples() -> list[tuple[str, str]]:
    """Every command with the answer that it is shown with."""
    return [found for block in BLOCK.findall(DOCS.read_text()) for found in EXAMPLE.findall(block)]


def shown(text: str) -> Any:
    """An answer as it is shown: JSON in which `...` stands for a value, or for more fields or items."""
    written, open_brackets, quoted, at = "", "", False, 0
    while at < len(text):
        letter = text[at]
        if quoted or not text.startswith(MORE, at):
            quoted ^= letter == '"'
            if not quoted:
                open_brackets = open_brackets + letter if letter in "{[" else open_brackets
                open_brackets = open_brackets[:-1] if letter in "}]" else open_brackets
            written, at = written + letter, at + 1
        else:
            field = open_brackets.endswith("{") and not written.rstrip().endswith(":")
            written, at = written + (f'"{MORE}": "{MORE}"' if field else f'"{MORE}"'), at + len(MORE)
    return json.loads(written)


def fits(answer: Any, expected: Any) -> bool:
    """Tell whether an answer is as it is shown."""
    if expected == MORE:
        return True
    if isinstance(expected, dict):
        wanted = {key: value for key, value in expected.items() if key != MORE}
        complete = MORE in expected or answer.keys() == wanted.keys()
        return complete and all(key in answer and fits(answer[key], wanted[key]) for key in wanted)
    if isinstance(expected, list):
        more = expected[-1:] == [MORE]
        wanted_items = expected[:-1] if more else expected
        enough = len(answer) >= len(wanted_items) if more else len(answer) == len(wanted_items)
        return enough and all(map(fits, answer, wanted_items))
    if isinstance(expected, str) and expected.endswith(MORE):
        return str(answer).startswith(expected.removesuffix(MORE))
    return bool(answer == expected)


def test_every_command_answers_as_shown(fleet: Fleet, photographs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(photographs, folder)
    (folder / "README.txt").write_text("not a picture")
    write(folder / "film.mp4", still([(plain("black"), 1.0)]))
    fleet.start_all(FETCH_ALLOW="127.0.0.1", IMAGE_STORE_URL=f"file://{tmp_path}/images")
    fleet.start("groups")
    assert until(lambda: fleet.stats()["workers"] == 1, 3 * SECONDS), fleet.processes[1].last_lines()
    with serving(photographs) as web:
        places = {"http://localhost:5000": fleet.url, "https://example.org": web}
        for command, expected in examples():
            if "/v1/people" in command:
                assert until(lambda: directory.people(fleet.redis).total == 2, SECONDS), "groups lag behind"
            ran = subprocess.run(
                ["bash", "-c", put(command, places).replace("curl ", "curl -sS ", 1)],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=120,
                check=True,
            )
            if expected.startswith("{"):
                assert fits(json.loads(ran.stdout), shown(put(expected, places))), (command, ran.stdout)
            else:
                assert ran.stdout == expected, command


def test_every_route_of_v1_is_in_the_documentation() -> None:
    text = "".join(file.read_text() for file in DOCS.parent.glob("*.md"))
    for path, item in routed().api_doc["paths"].items():
        (tag, *_), *_ = [operation["tags"] for operation in item.values()]
        if tag not in {"contract", "health"}:
            pattern = re.sub(r"\\{\w+\\}", r"[^\\s/`'?]+", re.escape(path))
            assert re.search(pattern, text), path


def test_every_problem_is_in_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.*) \|$", DOCS.read_text(), re.MULTILINE)
    assert rows == [(code, str(int(status)), meaning) for code, (status, meaning) in PROBLEMS.items()]
