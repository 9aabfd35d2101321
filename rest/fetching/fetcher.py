"""Fetch a picture from an address that a stranger has named, without reaching where the stranger should not.

Each hop, redirects included, resolves its name once, checks every address that came, and connects to one of exactly
those; TLS still proves the name. Nothing that the server claims is relied on: neither length nor type nor encoding.
"""

import functools
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from faces.errors import FetchError
from rest.fetching.addresses import AddressRule, parse_address
from rest.fetching.deadline import Deadline
from rest.fetching.pinned_adapter import PinnedAdapter

CONNECT_TIMEOUT = 5.0  # seconds to reach the host of a URL
MAX_REDIRECTS = 5
_CHUNK = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"User-Agent": "facefleet", "Accept": "image/*, */*;q=0.5", "Accept-Encoding": "identity"}
_POST_HEADERS = {"User-Agent": "facefleet", "Content-Type": "application/json"}
_ADDRESSES_TRIED = 3
_PORTS = {"http": 80, "https": 443}

# What socket.getaddrinfo returns: (family, type, protocol, canonical name, socket address) an address.
DetectionResult = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]


class Resolver(Protocol):
    """`socket.getaddrinfo`, as far as it is used here."""

    def __call__(self, host: str, port: int, *, type: socket.SocketKind) -> Sequence[DetectionResult]:  # noqa: A002 - its name
        """Return the host's addresses."""


@dataclass(frozen=True)
class _Target:
    request: requests.PreparedRequest
    url: str
    host: str
    port: int


class Fetcher:
    """Fetches from public addresses and those that `allow` names (see `AddressRule`), within its limits.

    `max_bytes` holds for the body after decompression. `total_timeout` seconds hold over all redirects and
    however slowly bytes come; only the system's resolver keeps its own time. Proxies that the
    environment names are not used, since a proxy resolves names by itself. `ca_file` holds the certificates to
    trust instead of the usual ones. Each fetch takes place in a context of `admitted`, which may refuse it.
    """

    def __init__(
        self,
        *,
        max_bytes: int,
        total_timeout: float,
        connect_timeout: float = CONNECT_TIMEOUT,
        max_redirects: int = MAX_REDIRECTS,
        allow: Sequence[str] = (),
        resolver: Resolver = socket.getaddrinfo,
        ca_file: str | None = None,
        admitted: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._max_bytes = max_bytes
        self._total_timeout = total_timeout
        self._connect_timeout = connect_timeout
        self._max_redirects = max_redirects
        self._rule = AddressRule(allow)
        self._resolver = resolver
        self._ca_file = ca_file
        self._admitted = admitted

    def fetch(self, url: str, within: float = inf) -> bytes:
        """Return the body of a GET, never empty; `within` seconds, where the caller waits no longer.

        Raises:
            FetchError: `bad_url`, `address_not_allowed`, `too_many_redirects`, `too_large`, `timeout`,
                `http_status`, `unreachable`, `tls` or `empty`. Its sentence names the host alone: the rest of a
                URL may be secret.
        """
        target = _target(url)
        with self._admitted(), Deadline(min(within, self._total_timeout)) as deadline:
            for _ in range(self._max_redirects + 1):
                answer = self._get(target, deadline)
                if isinstance(answer, bytes):
                    return answer
                target = answer
        raise FetchError(
            f"The URL redirects too often, last to {target.host}: at most {self._max_redirects} redirects are "
            "followed. Send the picture's own URL.",
            code="too_many_redirects",
        )

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Make a POST and return the status of the answer; no redirect is followed, no body read.

        Raises:
            FetchError: as for `fetch`.
        """
        target = _target(url, headers={**_POST_HEADERS, **headers}, body=body)
        with (
            self._admitted(),
            Deadline(self._total_timeout) as deadline,
            self._opened(target, deadline) as response,
        ):
            return int(response.status_code)

    def check(self, url: str) -> None:
        """See that a URL can be read and leads to addresses that may be reached now.

        Raises:
            FetchError: `bad_url`, `address_not_allowed`, `unreachable` or `timeout`.
        """
        with Deadline(self._total_timeout) as deadline:
            self._resolve(_target(url), deadline)

    def _get(self, target: _Target, deadline: Deadline) -> bytes | _Target:
        """Make one request; return the body, or where it redirects to."""
        with self._opened(target, deadline) as response:
            if response.status_code in _REDIRECTS and "location" in response.headers:
                return _target(response.headers["location"], base=target.url)
            return self._body(response, target.host, deadline)

    @contextmanager
    def _opened(self, target: _Target, deadline: Deadline) -> Iterator[requests.Response]:
        """Make one request, for the head of its answer."""
        found = self._resolve(target, deadline)
        adapter = PinnedAdapter(
            functools.partial(self._connect, target.host, found, deadline), deadline.watch
        )
        try:
            with adapter.send(
                target.request,
                stream=True,
                timeout=(self._connect_timeout, self._total_timeout),
                verify=self._ca_file or True,
                proxies={},
            ) as response:
                yield response
        except (requests.RequestException, HTTPError) as error:
            raise _failure(
                target.host, error, deadline
            ) from None  # the library's own words carry the whole URL
        finally:
            adapter.close()

    def _resolve(self, target: _Target, deadline: Deadline) -> Sequence[DetectionResult]:
        try:
            found = self._resolver(target.host, target.port, type=socket.SOCK_STREAM)
        except UnicodeError:
            raise FetchError(
                f"{target.host} is not a valid host name; check the URL.", code="bad_url"
            ) from None
        except OSError:
            found = ()
        if deadline.passed:
            raise _late(target.host)
        if not found:
            raise FetchError(f"{target.host} has no address; check the URL.", code="unreachable")
        for *_, place in found:
            if not self._rule.permits(target.host, parse_address(place[0])):
                raise FetchError(  # the address itself would tell a stranger how the network is laid out
                    f"{target.host} does not lead to a public address; "
                    "send the picture itself, or ask the operator to allow the host.",
                    code="address_not_allowed",
                )
        return found

    def _connect(self, host: str, found: Sequence[DetectionResult], deadline: Deadline) -> socket.socket:
        """Connect to the first address that answers."""
        refusal = OSError("no address")
        for family, kind, protocol, _, place in found[:_ADDRESSES_TRIED]:
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(max(min(self._connect_timeout, deadline.remaining()), 0.001))
                connection.connect(place)
            except OSError as error:
                connection.close()
                refusal = error
            else:
                return connection
        raise _failure(host, refusal, deadline)

    def _body(self, response: requests.Response, host: str, deadline: Deadline) -> bytes:
        if response.status_code != requests.codes.ok:
            raise FetchError(
                f"{host} answered with status {response.status_code} instead of a picture.",
                code="http_status",
            )
        body = bytearray()
        while chunk := response.raw.read(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > self._max_bytes:
                raise FetchError(
                    f"{host} sends more than the {self._max_bytes} bytes allowed; send a smaller picture.",
                    code="too_large",
                )
        if deadline.passed:  # without a length, a connection that was cut looks like one that has ended
            raise _late(host)
        if not body:
            raise FetchError(f"{host} answered without any bytes.", code="empty")
        return bytes(body)


def _target(
    url: str, base: str = "", headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> _Target:
    method = "GET" if body is None else "POST"
    try:
        request = requests.Request(
            method, urljoin(base, url), headers=headers or _HEADERS, data=body
        ).prepare()
        parts = urlsplit(request.url or "")
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme, 0)
    except (requests.RequestException, ValueError):
        raise FetchError(
            "The URL is malformed; send one such as https://host/picture.jpg.", code="bad_url"
        ) from None
    if parts.scheme not in _PORTS:
        raise FetchError(f"Only http: and https: URLs are fetched, not {parts.scheme}:.", code="bad_url")
    if not host or "@" in parts.netloc:
        raise FetchError("The URL must name a host, without a user or password.", code="bad_url")
    return _Target(request, parts.geturl(), host, port)


def _failure(host: str, error: Exception, deadline: Deadline) -> FetchError:
    if deadline.passed or isinstance(error, requests.Timeout | TimeoutError):
        return _late(host)
    if isinstance(error, requests.exceptions.SSLError):
        return FetchError(
            f"The TLS connection to {host} failed, or its certificate is not valid for that name.",
            code="tls",
        )
    return FetchError(
        f"{host} does not answer, or closed the connection; try again later.", code="unreachable"
    )


def _late(host: str) -> FetchError:
    return FetchError(f"{host} did not send the picture in time; try again later.", code="timeout")
