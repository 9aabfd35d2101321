"""Loads the engine that the settings ask for: ours, or the library that it stands in for."""

from __future__ import annotations

from faces.config import Settings
from worker.engine import engine
from worker.engine.types import Engine


def load(settings: Settings) -> Engine:
    """Load an engine; it has passed its self-tests.

    Raises:
        SettingError: a model file, the cache, a package or a setting cannot be used.
        MismatchError: a self-test failed: a broken runtime must not fill the database.
    """
    if settings.engine == "face_recognition":
        from worker.engine.library import Library  # noqa: PLC0415 -- imported only where it is chosen

        return Library(settings)
    return engine.load(settings)
