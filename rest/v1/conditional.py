"""Answers that a browser or client may keep for itself: an ETag, revalidated with each use, never by a proxy."""

from __future__ import annotations

from flask import Response, request


def conditional(response: Response, etag: str | None = None, *, ranges: bool = False) -> Response:
    """Answer 304 where the caller has this content already, and parts of it where it asks for a range.

    Args:
        response: the whole answer.
        etag: the content's version; None: a digest of the content.
        ranges: whether `Range` is honoured.
    """
    if etag is None:
        response.add_etag()
    else:
        response.set_etag(etag)
    response.headers["Cache-Control"] = "private, no-cache"
    length = response.content_length if ranges else None
    response.make_conditional(request, accept_ranges=ranges, complete_length=length)
    return response
