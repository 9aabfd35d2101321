"""All routes of `/v1`."""

from __future__ import annotations

from rest.openapi import Routes
from rest.v1.images import images

NOUNS: tuple[Routes, ...] = (images,)
