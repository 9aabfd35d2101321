"""The error tree. What a caller does with an error follows from its branch alone.

FacefleetError
├── SettingError            a setting cannot be used: the process does not start
├── MismatchError           the data was made with another model or tolerance: the worker does not start
├── Permanent               the same input fails again: never retried
│   ├── MessageError        a message that cannot be decoded: dead letter
│   │   └── NewerMessageError   of a newer version: retried, newer workers may be on their way
│   ├── PictureError        bytes that are not a usable picture: the picture is `failed`
│   ├── VideoError          bytes that are not a usable video: the video is `failed`
│   ├── PoisonError         a picture that stops the worker each time: the picture is `failed`
│   ├── PictureNameError    a name that cannot be used: refused with 400
│   ├── FetchError          an address that cannot be fetched: refused by the server
│   └── StatementError      a statement about people cannot be applied: nothing changes
│       ├── ContradictionError  contradicts an active statement: 409
│       ├── StaleError          the author saw an earlier version: 409
│       └── UnknownError        no such person, face or statement: 404
└── Transient               may pass: retried, or answered with 503
    ├── BrokerError         RabbitMQ is unavailable, blocked or has rejected a message
    ├── StoreError          Redis is unavailable or has rejected a transaction
    │   └── StoreFullError  Redis is at or near its memory limit
    ├── GroupsError         the groups process does not answer
    ├── ImageStoreError     the image store is unavailable or full
    └── ShortageError       a worker has too little memory left for a picture
"""


class FacefleetError(Exception):
    """Every error of this project. `str(error)` is a sentence for the person who meets it."""


class SettingError(FacefleetError):
    """A setting has a value that cannot be used."""


class MismatchError(FacefleetError):
    """The stored encodings were made with another model, tolerance or schema than this process uses."""


class Permanent(FacefleetError):  # noqa: N818 -- a branch of the tree, named as people say it
    """The same input will fail again; `code` is a stable word for programs."""

    code = "permanent"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code


class MessageError(Permanent):
    """A message from the queue is not one of ours, or is damaged."""

    code = "bad_message"


class NewerMessageError(MessageError):
    """A message of a newer version: a newer worker can process it; `attempt` is how often it was retried."""

    code = "newer_message"

    def __init__(self, message: str, attempt: int) -> None:
        super().__init__(message)
        self.attempt = attempt


class PictureError(Permanent):
    """Bytes that are not a picture, or one that is truncated, too large or of a forbidden format."""

    code = "not_a_picture"


class VideoError(Permanent):
    """Bytes that are not a video, one without pictures, or one that is damaged, too long or too large."""

    code = "not_a_video"


class PoisonError(Permanent):
    """A picture during whose processing the worker died, or ran out of time, each time that it was tried."""

    code = "poison"


class PictureNameError(Permanent):
    """A picture's name is empty, too long or not text."""

    code = "bad_name"


class FetchError(Permanent):
    """An address that is not allowed, does not answer, or answers with something unusable."""

    code = "fetch_failed"


class StatementError(Permanent):
    """A statement about people cannot be applied."""

    code = "bad_statement"


class ContradictionError(StatementError):
    """A statement contradicts an active one."""

    code = "contradiction"


class StaleError(StatementError):
    """What the author of a statement saw has changed in the meantime."""

    code = "stale"


class UnknownError(StatementError):
    """No such person, face or statement."""

    code = "not_found"


class Transient(FacefleetError):  # noqa: N818 -- a branch of the tree, named as people say it
    """A failure that may pass by itself."""


class BrokerError(Transient):
    """RabbitMQ is unavailable, blocked by an alarm, or did not accept a message."""


class StoreError(Transient):
    """Redis is unavailable, or its reply was lost."""


class StoreFullError(StoreError):
    """Redis is at or near its memory limit."""


class GroupsError(Transient):
    """The groups process, which alone changes people, does not answer."""


class ImageStoreError(Transient):
    """The image store is unavailable, full, or rejects the request."""


class ShortageError(Transient):
    """A worker has too little memory left for a picture; one with more may take it."""
