"""The page's own files: served under a version for good, compressed, and naming nothing on another host."""

from __future__ import annotations

import gzip
import re
from os.path import normpath
from pathlib import PurePosixPath

import pytest
from flask.testing import FlaskClient

from rest.page import files
from rest.page.screens import SCREENS
from tests.support.server import problem

HTML = {"Accept": "text/html"}


@pytest.mark.parametrize("path", [re.sub("<.*>", "17", screen.path) for screen in SCREENS])
def test_every_screen_names_only_files_that_there_are(client: FlaskClient, path: str) -> None:
    page = client.get(path, headers=HTML)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "'unsafe" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?! type=\"module\" src=)|<style| style=| on\w+=", page.text)
    named = re.findall(r'(?:src|href)="(/page/[^"]+)"', page.text)
    assert named
    for name in named:
        assert client.get(name).status_code == 200


@pytest.mark.parametrize("name", sorted(files.contents()))
def test_no_file_names_another_host(name: str) -> None:
    text = files.contents()[name].decode()
    if name == "pictures/samples.json":
        return  # what the server fetches for those who click on it
    hosts = set(re.findall(r"https?://([\w.]+)", text)) - {"www.w3.org", "example.org"}
    assert not hosts
    assert "innerHTML" not in text


def test_modules_import_and_fetch_only_files_that_there_are() -> None:
    there = files.contents()
    for name, data in there.items():
        for imported in re.findall(r'^import .* from "([^"]+)";$', data.decode(), re.MULTILINE):
            assert normpath(PurePosixPath(name).parent / imported) in there, (name, imported)
        for fetched in re.findall(r"dataset\.static}/([\w./]+)", data.decode()):
            assert fetched in there, (name, fetched)


def test_a_file_is_kept_for_good_under_its_version_and_asked_for_again_under_another(
    client: FlaskClient,
) -> None:
    now = client.get(f"/page/{files.version()}/parts/app.css")
    assert "immutable" in now.headers["Cache-Control"]
    assert client.get("/page/0123456789ab/parts/app.css").headers["Cache-Control"] == "no-cache"
    again = client.get(
        f"/page/{files.version()}/parts/app.css", headers={"If-None-Match": now.headers["ETag"]}
    )
    assert again.status_code == 304


def test_a_file_is_compressed_for_those_who_take_it_so(client: FlaskClient) -> None:
    path = f"/page/{files.version()}/parts/app.css"
    plain, packed = client.get(path), client.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert plain.headers["ETag"] != packed.headers["ETag"]


@pytest.mark.parametrize("name", ["app.css", "parts/nothing.js", "parts/../../screens.py", "..%2fscreens.py"])
def test_other_files_are_not_there(client: FlaskClient, name: str) -> None:
    assert problem(client.get(f"/page/{files.version()}/{name}")) == (404, "not_found")
