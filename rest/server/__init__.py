"""The gunicorn worker: deadlines on slow requests, JSON for errors that never reach Flask."""
