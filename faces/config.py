"""Every setting: name, default, parser and help. Nothing else reads the environment.

The field `redis_host` is the environment variable `REDIS_HOST`. `Settings.read(os.environ)` returns the current
settings.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from faces.errors import SettingError
from faces.formats.signatures import DEFAULT_FORMATS
from faces.parsers import (
    certificates,
    choice,
    distance,
    file,
    files,
    model_or_file,
    port,
    positive,
    rate,
    seconds,
    text,
    whole,
    words,
    yes_no,
)
from faces.retired_settings import refuse_retired
from faces.setting import masked, parsed, setting, variable

LARGEST_SENT = 15 << 20  # bytes of a picture that travels through RabbitMQ
LARGEST_STORED = 100_000_000  # bytes of a picture that goes to the image store


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The current settings."""

    redis_host: str = setting(text, "localhost", "Redis host")
    redis_port: int = setting(port, 6379, "Redis port")
    redis_username: str = setting(text, "", "Redis ACL user; empty: the default user")
    redis_password: str = setting(text, "", "Redis password; empty: none", secret=True)
    redis_tls: bool = setting(yes_no, False, "connect to Redis over TLS")
    redis_ca: str = setting(
        certificates, "", "CA file trusted for Redis's certificate; empty: the system's CAs"
    )
    redis_cert: str = setting(file, "", "client certificate for Redis, key in the same file; empty: none")
    redis_replicas: int = setting(
        whole, 0, "replicas that must have a write before it counts as done; 0: none"
    )
    rabbitmq_host: str = setting(text, "localhost", "RabbitMQ host")
    rabbitmq_port: int = setting(port, 5672, "RabbitMQ port")
    rabbitmq_user: str = setting(text, "guest", "RabbitMQ user")
    rabbitmq_password: str = setting(text, "guest", "RabbitMQ password", secret=True)
    rabbitmq_vhost: str = setting(text, "/", "RabbitMQ virtual host")
    rabbitmq_tls: bool = setting(yes_no, False, "connect to RabbitMQ over TLS, usually on port 5671")
    rabbitmq_ca: str = setting(
        certificates, "", "CA file trusted for RabbitMQ's certificate; empty: the system's CAs"
    )
    rabbitmq_cert: str = setting(
        file, "", "client certificate for RabbitMQ, key in the same file; empty: none"
    )
    publish_timeout: float = setting(
        seconds, 10.0, "seconds for RabbitMQ to confirm a picture, connecting included; then 503"
    )

    rest_host: str = setting(text, "127.0.0.1", "address the server listens on")
    rest_port: int = setting(port, 5000, "port the server listens on")
    rest_threads: int = setting(
        positive, 8, "short requests the server handles at once, beside as many fetches"
    )
    rpc_port: int = setting(port, 50051, "port the gRPC server listens on, at the same address")
    rpc_cert: str = setting(
        file, "", "certificate of the gRPC server, key in the same file; empty: without TLS"
    )
    rest_url: str = setting(text, "", "the server's URL as the client sees it; empty: this machine")
    request_timeout: float = setting(seconds, 30.0, "seconds for a whole request to arrive")
    cors_origins: tuple[str, ...] = setting(
        words, (), "origins whose web pages may call the server, comma-separated: https://example.org"
    )
    api_keys: str = setting(
        choice("auto", "required", "off"),
        "auto",
        "auto: required unless the server listens on loopback only; required; off",
    )
    api_key: str = setting(text, "", "API key the client sends", secret=True)
    key_per_minute: int = setting(
        whole, 6000, "requests per minute for a key without a limit of its own; 0: unlimited"
    )
    key_per_day: int = setting(
        whole, 1_000_000, "requests per day for a key without a limit of its own; 0: unlimited"
    )
    audit_length: int = setting(whole, 1_000_000, "entries kept in the audit log; 0: all")
    max_picture_bytes: int = setting(
        whole, 0, "largest picture accepted, in bytes; 0: 15 MiB, or 100 MB where originals are kept"
    )
    fetch_timeout: float = setting(seconds, 20.0, "seconds to fetch a URL, redirects included")
    fetch_allow: tuple[str, ...] = setting(
        words, (), "private hosts and networks that URLs may point to, comma-separated"
    )

    max_video_bytes: int = setting(positive, 4 << 30, "largest video accepted, in bytes")
    max_video_seconds: float = setting(seconds, 14400.0, "longest video accepted, in seconds")
    video_rate: float = setting(
        rate, 2.0, "most frames to take from a second of video, in addition to those that begin a scene"
    )

    image_store_url: str = setting(
        text, "", "where pictures are kept: file:///folder, s3://bucket, gcs://bucket; empty: nowhere"
    )
    image_store_keeps: str = setting(
        choice("originals", "crops", "both"),
        "originals",
        "what the image store keeps: originals; crops, which are the faces alone, of 160 pixels; both",
    )

    index_url: str = setting(
        text, "", "Milvus for more faces than fit in a worker's memory; empty: keep all in memory"
    )
    index_token: str = setting(text, "", "Milvus token or user:password; empty: none", secret=True)

    match_tolerance: float = setting(
        distance, 0.5, "largest distance between two encodings that match; face_recognition has 0.6"
    )
    model: str = setting(
        model_or_file("dlib-resnet-v1-mirror", "dlib-resnet-v1"),
        "dlib-resnet-v1-mirror",
        "face encoder: dlib-resnet-v1 is face_recognition's, or a .dat file of its architecture; -mirror after it: "
        "more accurate, twice as slow",
    )
    engine: str = setting(
        choice("auto", "kernels", "onnxruntime", "openvino", "cuda", "face_recognition"),
        "auto",
        "runtime of the neural networks; auto: the fastest available; face_recognition: the library itself",
    )
    model_cache: str = setting(text, "var/models", "folder for converted models")
    detector: str = setting(
        choice("auto", "hog", "cnn"), "auto", "face detector; auto: HOG, and the CNN where HOG finds nothing"
    )
    detector_model: str = setting(
        file, "", "ONNX file of a YuNet or SCRFD detector, used instead of HOG and the CNN; empty: none"
    )
    min_face_size: int = setting(
        positive, 40, "smallest face to detect, in pixels, up to 2 megapixels; scales with larger images"
    )
    min_indexed_size: int = setting(
        whole, 0, "smallest face to index, in pixels; smaller ones are only listed"
    )
    landmarks: str = setting(
        choice("none", "5", "68"),
        "none",
        "landmarks listed with each face; the licence of the model for 68 excludes commercial use",
    )
    age_gender_model: tuple[str, ...] = setting(
        files, (), "age and gender models: one like genderage.onnx, or dlib's .dat files, comma-separated"
    )
    max_picture_pixels: int = setting(
        positive, 64_000_000, "largest picture accepted, in pixels; checked before decoding"
    )
    picture_formats: tuple[str, ...] = setting(
        words,
        DEFAULT_FORMATS,
        "accepted formats, comma-separated; also TIFF, AVIF, and HEIC with facefleet[heic] installed",
    )
    queue_max_length: int = setting(positive, 100_000, "pictures the queue holds; beyond that: 503")
    queue_max_bytes: int = setting(positive, 8 << 30, "bytes the queue holds; beyond that: 503")
    batch_size: int = setting(positive, 8, "most pictures a worker processes together")
    picture_timeout: float = setting(
        seconds, 120.0, "seconds the engine may take to find the faces in a picture"
    )
    worker_memory: int = setting(whole, 3 << 30, "memory of a worker and its engine, in bytes; 0: no limit")
    metrics_port: int = setting(
        whole, 0, "port of a server's or worker's /metrics, /healthz and /readyz; 0: none"
    )
    log_level: str = setting(
        choice("debug", "info", "warning", "error"), "info", "minimum level of a process's own log"
    )
    log_format: str = setting(
        choice("auto", "json", "text"),
        "auto",
        "format of a process's own log; auto: text on a terminal, else JSON",
    )

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from the environment; an empty variable counts as absent.

        Raises:
            SettingError: a value is invalid, or a setting no longer exists; the message says what to write instead.
        """
        refuse_retired(environ)
        given = {f.name: parsed(f, environ[variable(f)]) for f in fields(cls) if environ.get(variable(f))}
        settings = cls(**given)
        for server in ("redis", "rabbitmq"):
            _check_tls(server, settings)
        return settings

    def without_secrets(self) -> Settings:
        """Return the same settings, secrets at their defaults, for a process that needs none."""
        secrets: dict[str, Any] = {f.name: f.default for f in fields(self) if f.metadata["secret"]}
        return replace(self, **secrets)

    @property
    def largest_picture(self) -> int:
        """Most bytes of a picture: RabbitMQ 4 carries up to 16 MiB, an image store any size."""
        return self.max_picture_bytes or (LARGEST_STORED if self.keeps_originals else LARGEST_SENT)

    @property
    def keeps_originals(self) -> bool:
        """Whether the image store keeps originals; else a picture travels inside its message."""
        return bool(self.image_store_url) and self.image_store_keeps != "crops"

    @property
    def keeps_crops(self) -> bool:
        """Whether the image store keeps a crop of each face."""
        return bool(self.image_store_url) and self.image_store_keeps != "originals"

    @property
    def server(self) -> str:
        """The server's URL, as a client sees it."""
        return (self.rest_url or f"http://127.0.0.1:{self.rest_port}").rstrip("/")

    def shown(self) -> dict[str, str]:
        """Return every setting by its variable, as text for a log, with secrets masked."""
        return {variable(f): masked(f, getattr(self, f.name)) for f in fields(self)}


def no_color() -> bool:
    """Tell whether the person at the terminal wants no colours (https://no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))


def environment_without_secrets(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for a process that needs no secret of ours."""
    secrets = {variable(f) for f in fields(Settings) if f.metadata["secret"]}
    return {name: value for name, value in environ.items() if name not in secrets}


def _check_tls(server: str, settings: Settings) -> None:
    """Reject certificates without TLS: whoever sets them believes the connection is secure."""
    for name in (f"{server}_ca", f"{server}_cert"):
        if getattr(settings, name) and not getattr(settings, f"{server}_tls"):
            raise SettingError(
                f"{name.upper()} is set but TLS is off: set {server.upper()}_TLS=yes, or unset it"
            )
