"""Prometheus metrics of the video process (`METRICS_PORT`); docs/metrics.md lists them all."""

from __future__ import annotations

from prometheus_client import Counter

from faces.process.metrics import new_registry


class Metrics:
    """The metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = new_registry()
        self.frames = Counter(
            "facefleet_video_frames", "frames of videos that became pictures", registry=self.registry
        )
        self.videos = Counter(
            "facefleet_videos", "videos whose extraction ended", ["outcome"], registry=self.registry
        )
        self.faults = Counter(
            "facefleet_video_faults", "times that the decoder's process died or hung", registry=self.registry
        )
