"""The routes of `/v1`, one file a noun."""

from rest.openapi import Routes

NOUNS: tuple[Routes, ...] = ()
