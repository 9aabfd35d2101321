"""All routes of `/v1`."""

from __future__ import annotations

from rest.openapi import Routes
from rest.v1.administration.audit_entries import audit_entries
from rest.v1.administration.dead_letters import dead_letters
from rest.v1.administration.failures import failures
from rest.v1.administration.keys import keys
from rest.v1.administration.stats import stats
from rest.v1.events.events import events
from rest.v1.events.watches import watches
from rest.v1.events.webhooks import webhooks
from rest.v1.matching.compare import compare
from rest.v1.matching.encodings import encodings
from rest.v1.matching.matches import matches
from rest.v1.matching.search import search
from rest.v1.people.people import people
from rest.v1.people.statements import statements
from rest.v1.people.suggestions import suggestions
from rest.v1.people.why import why
from rest.v1.pictures.images import images
from rest.v1.pictures.names import names
from rest.v1.pictures.pictures import pictures
from rest.v1.pictures.statuses import statuses
from rest.v1.videos.videos import videos

NOUNS: tuple[Routes, ...] = (
    images,
    pictures,
    matches,
    compare,
    encodings,
    names,
    statuses,
    failures,
    stats,
    events,
    watches,
    webhooks,
    search,
    videos,
    dead_letters,
    keys,
    audit_entries,
    people,
    suggestions,
    statements,
    why,
)
