"""Every setting: its name, its default, how it is read, a line of help. The only reader of the environment.

A field `redis_host` is the environment variable `REDIS_HOST`. `Settings.read(os.environ)` gives the settings
in force; `table()` gives them as rows, to which a test holds the README.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from faces.errors import SettingError
from faces.values import (
    amount,
    certificates,
    choice,
    distance,
    file,
    files,
    port,
    positive,
    seconds,
    text,
    whole,
    words,
    yes_no,
)


def setting(parse: Callable[[str], Any], default: Any, about: str, *, secret: bool = False) -> Any:
    """Describe a field of `Settings`; a secret never shows in a repr or a table."""
    return field(default=default, repr=not secret, metadata={"parse": parse, "help": about, "secret": secret})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings in force."""

    redis_host: str = setting(text, "localhost", "host of Redis")
    redis_port: int = setting(port, 6379, "port of Redis")
    redis_username: str = setting(text, "", "ACL user of Redis; empty: the default user")
    redis_password: str = setting(text, "", "password of Redis; empty: none", secret=True)
    redis_tls: bool = setting(yes_no, False, "connect to Redis over TLS")
    redis_ca: str = setting(
        certificates, "", "file of the authorities trusted for Redis's certificate; empty: the system's"
    )
    redis_cert: str = setting(file, "", "file of our own certificate for Redis, key included; empty: none")
    rabbitmq_host: str = setting(text, "localhost", "host of RabbitMQ")
    rabbitmq_port: int = setting(port, 5672, "port of RabbitMQ")
    rabbitmq_user: str = setting(text, "guest", "user at RabbitMQ")
    rabbitmq_password: str = setting(text, "guest", "password at RabbitMQ", secret=True)
    rabbitmq_vhost: str = setting(text, "/", "virtual host at RabbitMQ")
    rabbitmq_tls: bool = setting(yes_no, False, "connect to RabbitMQ over TLS; its usual port is then 5671")
    rabbitmq_ca: str = setting(
        certificates, "", "file of the authorities trusted for RabbitMQ's certificate; empty: the system's"
    )
    rabbitmq_cert: str = setting(
        file, "", "file of our own certificate for RabbitMQ, key included; empty: none"
    )
    rabbitmq_heartbeat: int = setting(positive, 60, "seconds between heartbeats with RabbitMQ")
    publish_timeout: float = setting(seconds, 10.0, "seconds in all for RabbitMQ to take a picture; then 503")

    rest_host: str = setting(text, "127.0.0.1", "address that the server listens on")
    rest_port: int = setting(port, 5000, "port that the server listens on")
    rest_threads: int = setting(positive, 8, "requests that the server handles at once")
    rest_url: str = setting(text, "", "address of the server as the client reaches it; empty: this machine")
    request_timeout: float = setting(seconds, 30.0, "seconds for a request to arrive, its body included")
    cors_origins: tuple[str, ...] = setting(
        words, (), "origins whose web pages may ask the server, such as https://example.org, by commas"
    )
    api_keys: str = setting(
        choice("auto", "required", "off"),
        "auto",
        "auto: keys are needed unless the server listens on loopback alone; required; off",
    )
    api_key: str = setting(text, "", "key that the client shows to the server", secret=True)
    key_per_minute: int = setting(whole, 6000, "requests a minute of a key that names no limit; 0: no limit")
    key_per_day: int = setting(whole, 1_000_000, "requests a day of a key that names no limit; 0: no limit")
    refused_per_minute: int = setting(
        whole, 30, "API keys a minute that are not in force before their address is told to wait; 0: no limit"
    )
    audit_length: int = setting(
        whole, 1_000_000, "entries kept of who scanned, searched and erased what; 0: all"
    )
    max_picture_bytes: int = setting(
        positive, 15 << 20, "largest picture taken, in bytes; RabbitMQ 4 carries 16 MiB"
    )
    max_name_length: int = setting(positive, 512, "longest name or URL taken, in characters")
    fetch_timeout: float = setting(seconds, 20.0, "seconds in all for fetching a URL")
    fetch_connect_timeout: float = setting(seconds, 5.0, "seconds to reach the host of a URL")
    fetch_redirects: int = setting(positive, 5, "redirects followed when fetching a URL")
    fetch_allow: tuple[str, ...] = setting(
        words, (), "private hosts and networks that URLs may point at, by commas"
    )

    image_store_url: str = setting(
        text, "", "where originals are kept: file:///folder, s3://bucket, gcs://bucket; empty: nowhere"
    )

    index_url: str = setting(
        text, "", "Milvus that keeps more faces than a worker's memory holds; empty: all in memory"
    )
    index_token: str = setting(text, "", "user:password or token for Milvus; empty: none", secret=True)

    match_tolerance: float = setting(distance, 0.6, "largest distance between encodings of one face")
    model: str = setting(
        choice("dlib-resnet-v1-mirror", "dlib-resnet-v1"),
        "dlib-resnet-v1-mirror",
        "what encodes faces: dlib-resnet-v1 is face_recognition's; -mirror errs less and takes twice as long",
    )
    engine: str = setting(
        choice("auto", "kernels", "onnxruntime", "openvino", "cuda"),
        "auto",
        "what the networks run in; auto: the fastest here",
    )
    engine_threads: int = setting(
        positive, 1, "threads of a worker's networks; workers share a machine by cores"
    )
    model_cache: str = setting(text, "var/models", "folder where converted models are kept")
    detector: str = setting(choice("auto", "hog", "cnn"), "auto", "what finds faces; auto: HOG, then the CNN")
    detector_model: str = setting(
        file, "", "ONNX file of a detector that replaces HOG and CNN, as YuNet or SCRFD gives it; empty: none"
    )
    smallest_face: int = setting(
        positive, 40, "smallest face looked for, in pixels, up to 2 megapixels; grows beyond with the picture"
    )
    least_size: int = setting(whole, 0, "least size of a face that is indexed, in pixels of the picture")
    least_sharpness: float = setting(amount, 0.0, "least sharpness of a face that is indexed")
    most_pose: float = setting(amount, 9.0, "how far a face that is indexed may be turned; 0: not at all")
    least_score: float = setting(amount, 0.0, "least confidence of the detector in a face that is indexed")
    landmarks: str = setting(
        choice("none", "5", "68"),
        "none",
        "points of each face that its status tells; the model for 68 must not be used commercially",
    )
    age_gender_model: tuple[str, ...] = setting(
        files,
        (),
        "models of age and gender of each face: one like genderage.onnx, or dlib's .dat files by commas",
    )
    max_picture_pixels: int = setting(
        positive, 64_000_000, "most pixels of a picture, checked before decoding"
    )
    picture_formats: tuple[str, ...] = setting(
        words,
        ("JPEG", "PNG", "GIF", "BMP", "WEBP"),
        "picture formats taken, by commas; also TIFF, AVIF, and HEIC with facefleet[heic] installed",
    )
    queue_max_length: int = setting(positive, 100_000, "pictures that may wait in the queue; past that: 503")
    queue_max_bytes: int = setting(positive, 8 << 30, "bytes that may wait in the queue; past that: 503")
    batch_size: int = setting(positive, 8, "most pictures that a worker takes in hand at once")
    prefetch: int = setting(positive, 16, "most pictures that RabbitMQ hands a worker ahead")
    picture_timeout: float = setting(
        seconds, 120.0, "seconds that a worker may take to find the faces of one picture"
    )
    worker_memory: int = setting(
        whole,
        3 << 30,
        "memory of a worker, in bytes; past 3/4 it starts afresh between pictures; 0: no limit",
    )
    metrics_port: int = setting(whole, 0, "port on which a server or worker answers Prometheus; 0: none")
    health_file: str = setting(text, "", "file that a worker's I/O loop touches; empty: none")
    log_level: str = setting(
        choice("debug", "info", "warning", "error"), "info", "least level of the process's own log"
    )
    log_format: str = setting(
        choice("auto", "json", "text"),
        "auto",
        "how a process writes its own log; auto: text on a terminal, else JSON",
    )

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from the environment; an empty variable counts as absent.

        Raises:
            SettingError: a value cannot be used; the message names the variable and what to write instead.
        """
        given = {f.name: _parsed(f, environ[_variable(f)]) for f in fields(cls) if environ.get(_variable(f))}
        settings = cls(**given)
        for server in ("redis", "rabbitmq"):
            _check_tls(server, settings)
        return settings

    @property
    def server(self) -> str:
        """Address of the server, as a client on this machine or elsewhere reaches it."""
        return (self.rest_url or f"http://127.0.0.1:{self.rest_port}").rstrip("/")


@dataclass(frozen=True)
class Row:
    """One line of the settings table."""

    name: str
    default: str
    help: str


def table() -> list[Row]:
    """Give every setting as a row, in the order of their definition."""
    return [Row(_variable(f), _shown(f), f.metadata["help"]) for f in fields(Settings)]


def hostname() -> str:
    """Name of this host, as it stands in the routing keys of log lines."""
    return socket.gethostname()


def _variable(f: Field[Any]) -> str:
    return f.name.upper()


def _parsed(f: Field[Any], value: str) -> Any:
    try:
        return f.metadata["parse"](value)
    except ValueError as error:
        shown = "a value that is not shown" if f.metadata["secret"] else repr(value)
        raise SettingError(f"{_variable(f)} is {shown}: {error}") from error


def _check_tls(server: str, settings: Settings) -> None:
    """Refuse certificates without TLS: who names them believes that the connection is secure."""
    for name in (f"{server}_ca", f"{server}_cert"):
        if getattr(settings, name) and not getattr(settings, f"{server}_tls"):
            variable = name.upper()
            raise SettingError(f"{variable} is set, but not used: set {server.upper()}_TLS=yes, or unset it")


def _shown(f: Field[Any]) -> str:
    if f.metadata["secret"]:
        return "set" if f.default else ""
    if isinstance(f.default, tuple):
        return ",".join(f.default)
    if isinstance(f.default, bool):
        return "yes" if f.default else "no"
    return str(f.default)
