"""Settings that no longer exist, and what to do instead."""

from __future__ import annotations

from collections.abc import Mapping

from faces.errors import SettingError

RETIRED = {
    "ENGINE_THREADS": "run one worker per core instead",
    "FETCH_CONNECT_TIMEOUT": "it is always 5 seconds; unset it",
    "FETCH_REDIRECTS": "up to 5 are followed; unset it",
    "HEALTH_FILE": "set METRICS_PORT and probe /healthz and /readyz there, or run python -m faces.probe; unset it",
    "LEAST_SCORE": "every detected face is indexed; unset it",
    "LEAST_SHARPNESS": "every detected face is indexed; unset it",
    "LEAST_SIZE": "use MIN_INDEXED_SIZE",
    "MAX_NAME_LENGTH": "a name may always have 512 characters; unset it",
    "MOST_POSE": "every detected face is indexed; unset it",
    "PREFETCH": "it is twice BATCH_SIZE; unset it",
    "RABBITMQ_HEARTBEAT": "it is always 60 seconds; unset it",
    "REFUSED_PER_MINUTE": "30 invalid keys per minute and address are allowed; unset it",
    "SMALLEST_FACE": "use MIN_FACE_SIZE",
}
"""By name, what to do instead. A process that finds one does not start."""


def refuse_retired(environ: Mapping[str, str]) -> None:
    """Check that none of them is set; an empty variable counts as absent.

    Raises:
        SettingError: one is; the message says what to do instead.
    """
    for name, instead in RETIRED.items():
        if environ.get(name):
            raise SettingError(f"{name} is no longer a setting: {instead}")
