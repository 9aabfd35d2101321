"""How the pictures of a `POST /v1/images` are taken, whatever form they come in."""

from __future__ import annotations

import hashlib
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import Annotated, Self

from flask import Response, g, request
from pydantic import BaseModel, Field, ValidationError, model_validator
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import BadRequest

from faces.errors import Permanent, Transient
from faces.store import idempotency
from faces.store.idempotency import KeptAnswer
from faces.store.pictures import queries
from faces.usecases.ingest import Accepted
from rest.answers import answer
from rest.openapi import Parameters
from rest.parts import parts
from rest.problems import ProblemError, invalid_request
from rest.requests import UNLIMITED
from rest.v1.pictures.batches import Batch
from rest.v1.pictures.items import Item, item_of, refused
from rest.v1.pictures.uploads import members, received

LARGEST_FORM = 1 << 30  # bytes of all files of a form together
LARGEST_DOCUMENT = 256 << 10  # bytes of JSON
MAX_URLS = 32
MAX_MEMBERS = 10_000  # pictures in a tar archive
FETCHERS = 8  # URLs fetched at once for one request
LONGEST_KEY = 255  # characters of an Idempotency-Key


class UrlsBody(Parameters):
    """Pictures to fetch: one, or many."""

    url: str | None = None
    urls: Annotated[list[str], Field(min_length=1, max_length=MAX_URLS)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.url is None) == (self.urls is None):
            raise ValueError('send {"url": "https://..."} or {"urls": [...]}')
        return self

    def all(self) -> list[str]:
        """The URLs."""
        return [self.url] if self.url is not None else list(self.urls or ())


class Sent(BaseModel):
    """What became of each picture of a request, in order."""

    items: list[Item]
    accepted: int
    refused: int


def send(name: str | None, wait: float) -> Response:
    """Take the pictures of this request, whatever form they come in."""
    kind = request.mimetype
    if kind == "application/json":
        return _once(lambda: _answered(_urls(), wait), _json_body())
    if kind == "multipart/form-data":
        return _once(lambda: _answered(_form(), wait))
    if kind == "application/x-tar":
        return _once(lambda: _answered(_archive(), wait))
    return _answered(_raw(name), wait)


def _once(work: Callable[[], Response], body: bytes = b"") -> Response:
    """Do a request with an Idempotency-Key once; a second one gets the first one's answer."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return work()
    if not 0 < len(key) <= LONGEST_KEY:
        raise BadRequest(f"Idempotency-Key must have 1 to {LONGEST_KEY} characters")
    key = hashlib.sha256(key.encode()).hexdigest()
    shape = f"{request.method} {request.full_path} {request.mimetype}".encode()
    digest = hashlib.sha256(shape + body).hexdigest()
    redis = parts().redis
    before = idempotency.begin(redis, g.key, key, digest)
    if before is not None:
        return _replayed(before, digest)
    try:
        response = work()
    except BaseException:
        idempotency.forget(redis, g.key, key)
        raise
    idempotency.end(
        redis, g.key, key, KeptAnswer(digest, response.status_code, response.get_data(as_text=True))
    )
    return response


def _replayed(before: KeptAnswer, digest: str) -> Response:
    if before.request != digest:
        raise ProblemError("idempotency_key_reused", "this Idempotency-Key was used for another request")
    if not before.status:
        raise ProblemError(
            "in_progress", "a request with this Idempotency-Key is in progress: ask again later"
        )
    response = Response(before.body, before.status, mimetype="application/json")
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _answered(items: Iterable[Item], wait: float) -> Response:
    found = list(items)
    if not found:
        raise ProblemError("empty", "there is no picture in the request")
    bad = sum(item.problem is not None for item in found)
    if wait:
        _await(found, wait)
    finished = all(
        item.problem or item.new is False or item.state in {"done", "failed", "damaged"} for item in found
    )
    g.outcome = {"accepted": len(found) - bad, "refused": bad}
    sent = Sent(items=found, accepted=len(found) - bad, refused=bad)
    response = answer(sent, HTTPStatus.OK if finished else HTTPStatus.ACCEPTED)
    if len(found) == 1 and found[0].location:
        response.headers["Location"] = found[0].location
    return response


def _await(items: Sequence[Item], seconds: float) -> None:
    """Wait for pictures, `seconds` for all of them together."""
    deadline = time.monotonic() + seconds
    for item in items:
        if item.hash is None:
            continue
        try:
            status = parts().waiting.wait_for(item.hash, max(0.0, deadline - time.monotonic()))
        except ProblemError:  # as many requests wait as may: what was sent is accepted all the same
            return
        if status is not None:
            item.state = status.state
            item.faces = len(status.faces) if status.state == "done" else None


def _raw(name: str | None) -> Iterator[Item]:
    g.about = {"name": name} if name else {}
    request.max_content_length = UNLIMITED  # bounded by `received`, which says so
    with received(request.stream, parts().settings.largest_picture) as data:
        accepted = parts().ingest.accept(data, name, request_id=g.request_id, key=g.key)
    yield item_of(name, accepted)


def _form() -> Iterator[Item]:
    request.max_content_length = LARGEST_FORM
    files = [file for _, file in request.files.items(multi=True)]
    if len(files) == 1:
        name = files[0].filename or None
        yield item_of(name, _take_file(files[0], name))
        return
    with Batch() as batch:
        for file in files:
            batch.add(file.filename or None, file.stream)
            if batch.full:
                yield from batch.take()
        yield from batch.take()


def _take_file(file: FileStorage, name: str | None) -> Accepted:
    with received(file.stream, parts().settings.largest_picture) as data:
        return parts().ingest.accept(data, name, request_id=g.request_id, key=g.key)


def _archive() -> Iterator[Item]:
    """Take the files of a tar archive as they arrive; what came whole before it breaks off is taken."""
    request.max_content_length = UNLIMITED  # each picture is bounded, and so is their number
    come, end = 0, None
    with Batch() as batch:
        try:
            for name, file in members(request.stream):
                if come == MAX_MEMBERS:
                    end = refused(None, "too_large", f"the first {come:,} pictures were taken: send the rest")
                    break
                come += 1
                batch.add(name, file)
                if batch.full:
                    yield from batch.take()
        except tarfile.TarError as error:
            detail = f"not a tar archive, or one that is cut short: {error}"
            if not come:
                raise ProblemError("bad_archive", detail) from error
            end = refused(None, "bad_archive", detail)
        yield from batch.take()
    if end is not None:
        yield end


def _json_body() -> bytes:
    request.max_content_length = LARGEST_DOCUMENT
    body: bytes = request.get_data()
    return body


def _urls() -> Iterator[Item]:
    try:
        body = UrlsBody.model_validate(request.get_json(silent=True))
    except ValidationError as error:
        raise BadRequest(response=invalid_request(error)) from error
    if body.url is not None:
        yield item_of(body.url, _take_url(body.url, parts().fetcher.fetch))
        return
    urls, fetch = body.all(), parts().fetcher.fetch
    with ThreadPoolExecutor(FETCHERS) as pool:
        for start in range(0, len(urls), FETCHERS):
            some = urls[start : start + FETCHERS]
            new = [url for url in some if queries.picture_named(parts().redis, url) is None]
            fetched = {url: pool.submit(fetch, url) for url in new}
            yield from (_tried(url, _fetched_by(fetched)) for url in some)


def _fetched_by(futures: Mapping[str, Future[bytes]]) -> Callable[[str], bytes]:
    return lambda url: futures[url].result()


def _take_url(url: str, fetch: Callable[[str], bytes]) -> Accepted:
    return parts().ingest.accept_url(url, fetch, request_id=g.request_id, key=g.key)


def _tried(url: str, fetch: Callable[[str], bytes]) -> Item:
    """Take one URL of several; what is wrong with it is wrong with it alone."""
    try:
        return item_of(url, _take_url(url, fetch))
    except (Permanent, Transient) as error:
        return item_of(url, error)
