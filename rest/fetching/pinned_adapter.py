"""A `requests` adapter whose connections the caller opens, so that they lead where the caller has checked."""

import functools
import socket
from collections.abc import Callable, Mapping
from typing import Any, cast

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool


class PinnedAdapter(HTTPAdapter):
    """Opens each direct connection with `dial`, and one to a proxy as usual; hands both to `watch`.

    The URL's host stays what TLS asks the certificate for and what the Host header says.
    """

    def __init__(self, dial: Callable[[], socket.socket], watch: Callable[[socket.socket], None]) -> None:
        super().__init__()
        self._dial = dial
        self._watch = watch

    def get_connection_with_tls_context(
        self,
        request: PreparedRequest,
        verify: Any,
        proxies: Mapping[str, str] | None = None,
        cert: Any = None,
    ) -> HTTPConnectionPool:
        """Return the pool for a request, its connections opened as the class says."""
        # Any: the stubs know neither of the two attributes, which urllib3 documents for its own subclasses.
        pool: Any = super().get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        opened = _SecureConnection if pool.scheme == "https" else _PlainConnection
        dial = self._dial if pool.proxy is None else None
        pool.ConnectionCls = functools.partial(opened, dial=dial, watch=self._watch)
        return cast(HTTPConnectionPool, pool)


class _Opened(HTTPConnection):
    """Replaces the one method of urllib3's connections that resolves a name and connects."""

    def __init__(
        self,
        *args: Any,
        dial: Callable[[], socket.socket] | None,
        watch: Callable[[socket.socket], None],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._dial = dial
        self._watch = watch

    def _new_conn(self) -> socket.socket:
        opened = self._dial() if self._dial else super()._new_conn()
        self._watch(opened)
        return opened


class _PlainConnection(_Opened):
    pass


class _SecureConnection(_Opened, HTTPSConnection):
    pass
