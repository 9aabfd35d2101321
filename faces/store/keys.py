"""What is in Redis: every key and document, named in this one place.

| db | key | value |
|----|-----|-------|
| 1 | name | hash of the picture last sent with it |
| 2 | hash | set of its names |
| 3 | hash | list of encodings, one element a face: 128 little-endian float32, 512 bytes |
| 4 | hash | set of hashes of pictures with a matching face |
| 5 | hash | what becomes db 4 when a rebuild ends (`faces.store.collection.rebuild`); empty otherwise |
| 6 | hash | what becomes db 3 when the fleet changes to another model (`faces.store.collection.models`) |
| 7 | `group:<id>` | count, person, version, evidence, spread, centroid (`faces.store.people.group_record`) |
| 7 | `faces:<id>` | its faces, 36 bytes each (`faces.store.people.group_record`) |
| 7 | `pictures` | hash: digest of a picture -> the ids of its faces' groups, int64 each |
| 7 | `merged` | hash: id of a merged group -> its successor |
| 7 | `people` | hash: id -> JSON document of a confirmed person (`faces.store.people.directory`) |
| 7 | `shown`, `hidden` | sorted sets: ids of people and unconfirmed groups, scored by number of faces |
| 7 | `suggestions` | JSON list of suggested merges, most useful first |
| 7 | `state` | hash: journal `position` and `line` reached, `model`, `holder`: token of the process in charge |
| 0 | `statements` | hash: number -> JSON document of a statement about people; withdrawn ones are kept |
| 0 | `confirmed:<id>` | faces of a confirmed group as of its last statement, as in db 7 `faces:<id>` |
| 0 | `people:asked` | list: requests to the groups process, JSON |
| 0 | `people:answer:<request>` | list: its answer, JSON; expires |
| 0 | `groups:lease` | token of the groups process in charge; expires |
| 0 | `status:<hash>` | status document (`faces.store.pictures.status`), JSON |
| 0 | `pending:<hash>` | hash: sequence number -> name it was sent with; settled when the picture is done |
| 0 | `inflight` | sorted set: hash of each accepted, unfinished picture, scored by its sequence number |
| 0 | `pictures` | sorted set: 32-byte digest of each accepted picture, scored by when that was |
| 0 | `order` | sorted set: name -> sequence number it was last set by, kept while an older one is in flight |
| 0 | `sequence` | count of names accepted so far |
| 0 | `counts` | hash: `accepted`, `done`, `failed`, `erased`: accepted = the others + members of `inflight` |
| 0 | `attempts` | hash: hash of a picture -> how often it was begun again, less the connections lost meanwhile |
| 0 | `journal` | list: `+` or `-` and the 32-byte digest of each picture with faces committed or erased |
| 0 | `turn` | list: the token of who may commit next (`faces.store.collection.commit_lock`), if nobody has it |
| 0 | `journal:marks` | list: 8 random bytes for each transaction that appended to `journal` |
| 0 | `confirmed` | written only to be waited for on replicas (`RedisClient.confirm`) |
| 0 | `turn:renewed` | exists for some seconds after a lost token was replaced |
| 0 | `rebuild` | hash: `id`, `model` and `tolerance` of the rebuild under way, journal `position` reached |
| 0 | `indexed` | hash: Milvus `collection`, `rebuilt`, `position` in `journal` (`faces.store.collection.copying`) |
| 0 | `indexing` | there while a worker copies faces into it; expires by itself |
| 0 | `odds` | JSON: the odds that a match is right, measured from the faces (`faces.odds.Odds`) |
| 0 | `odds:measuring` | there while a process measures them; expires by itself |
| 0 | `meta` | hash: `schema`, `model`, `tolerance` of the data; `rebuilt`: last rebuild; `next`: model in db 6 |
| 0 | `api_keys` | hash: id -> JSON document of an API key (`faces.api_key`), without the key itself |
| 0 | `trail` | stream, capped: `key`, `did` (scan, search, erase), `picture_id`, `request`; only ever added to |
| 0 | `idempotency:<key>` | the answer to a request with that key (`faces.store.idempotency`); expires |
| 0 | `events` | stream, capped: what became of pictures and people (`faces.store.events.stream`), without names |
| 0 | `swept` | id of the event up to which originals without a picture were removed |
| 0 | `erased:<hash>` | JSON list of the names of an erased picture, for readers of events; expires after a minute |
| 0 | `removing:<hash>` | hash: token of each process that is about to remove a picture's original; expires |
| 0 | `watches` | hash: id -> JSON document of a watch (`faces.store.events.watches`) |
| 0 | `webhooks` | hash: id -> JSON document of a webhook (`faces.store.events.webhooks`), its secret included |
| 0 | `webhooks:progress` | hash: id -> JSON document: up to which event a webhook has been served |
| 0 | `webhooks:lease` | token of the server that posts to webhooks; expires |
| 0 | `session:<digest>` | the API key that a browser signed in with (`faces.store.access.sessions`); expires |
| 0 | `videos` | sorted set: 32-byte digest of each video, scored by when it was accepted |
| 0 | `video:<hash>` | JSON document of a video (`faces.store.videos`) |
| 0 | `video:frames:<hash>` | sorted set: `<seconds> <hash>` of each frame that became a picture, by seconds |
| 0 | `workers` | set: ids of the workers that reported (`faces.store.workers`) |
| 0 | `worker:<id>` | JSON document: what a worker does; expires after seconds |
| 0 | `limit:...` | requests per API key, refused keys per address, counted by the library `limits`; they expire |
"""

from __future__ import annotations

HOME, NAMES, HASHES, ENCODINGS, MATCHES = 0, 1, 2, 3, 4
NEXT_MATCHES, NEXT_ENCODINGS, GROUPS = 5, 6, 7
DATABASES = (HOME, NAMES, HASHES, ENCODINGS, MATCHES, NEXT_MATCHES, NEXT_ENCODINGS, GROUPS)

INFLIGHT = "inflight"
PICTURES = "pictures"
ORDER = "order"
SEQUENCE = "sequence"
COUNTS = "counts"
ATTEMPTS = "attempts"
JOURNAL = "journal"
MARKS = "journal:marks"
CONFIRMED = "confirmed"
TURN = "turn"
TURN_RENEWED = "turn:renewed"
REBUILD = "rebuild"
META = "meta"
ODDS = "odds"
MEASURING = "odds:measuring"
INDEXED = "indexed"
INDEXING = "indexing"
API_KEYS = "api_keys"
AUDIT_LOG = "trail"
LIMIT = "limit"
EVENTS = "events"
SWEPT = "swept"
WATCHES = "watches"
WEBHOOKS = "webhooks"
WEBHOOK_PROGRESS = "webhooks:progress"
WEBHOOK_LEASE = "webhooks:lease"
VIDEOS = "videos"
WORKERS = "workers"
GROUP_PICTURES = "pictures"
MERGED = "merged"
PEOPLE = "people"
SHOWN = "shown"
HIDDEN = "hidden"
SUGGESTIONS = "suggestions"
GROUP_STATE = "state"
STATEMENTS = "statements"
ASKED = "people:asked"
GROUP_LEASE = "groups:lease"

ENCODING_BYTES = 512
SCHEMA = "1"


def status_key(picture_id: str) -> str:
    """Key of a picture's status document."""
    return f"status:{picture_id}"


def pending_key(picture_id: str) -> str:
    """Key of the names that wait for a picture to be done."""
    return f"pending:{picture_id}"


def session_key(digest: str) -> str:
    """Key of a browser's session, by the digest of its token."""
    return f"session:{digest}"


def idempotency_key(caller: str, key: str) -> str:
    """Key of what a caller's request with an Idempotency-Key was answered; the caller's key is hashed by then."""
    return f"idempotency:{caller}:{key}"


def erased_key(picture_id: str) -> str:
    """Key of the names that an erased picture had."""
    return f"erased:{picture_id}"


def removing_key(picture_id: str) -> str:
    """Key of those who are about to remove a picture's original."""
    return f"removing:{picture_id}"


def group_key(group: int) -> str:
    """Key of a group's record in db 7."""
    return f"group:{group}"


def group_faces_key(group: int) -> str:
    """Key of a group's faces in db 7."""
    return f"faces:{group}"


def confirmed_key(group: int) -> str:
    """Key of the faces of a confirmed group as of its last statement."""
    return f"confirmed:{group}"


def answer_key(request: str) -> str:
    """Key of the answer to a request to the groups process."""
    return f"people:answer:{request}"


def video_key(video_id: str) -> str:
    """Key of a video's document."""
    return f"video:{video_id}"


def video_frames_key(video_id: str) -> str:
    """Key of the frames of a video that became pictures."""
    return f"video:frames:{video_id}"


def worker_key(worker: str) -> str:
    """Key of a worker's report."""
    return f"worker:{worker}"
