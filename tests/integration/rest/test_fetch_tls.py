"""TLS to an address that was checked before, and what is not carried along."""

import ssl
import time
from pathlib import Path

import pytest
import trustme

from tests.support.servers.hostile_servers import PICTURE, Server, drips, fetcher, refusal, response, says

pytestmark = pytest.mark.usefixtures("no_other_resolver")


class Authority:
    """A certificate authority of the test's own; its file; a server's side of TLS for a name."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self.file = str(folder / "ca.pem")
        self._ca.cert_pem.write_to_path(self.file)
        self.asked_for: list[str | None] = []

    def server_side(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(name).configure_cert(context)
        context.sni_callback = lambda _, asked, __: self.asked_for.append(asked)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_tls_proves_the_name_although_the_address_is_pinned(authority: Authority) -> None:
    with Server(says(response()), authority.server_side("pictures.example")) as server:
        assert fetcher(ca_file=authority.file).fetch(server.url(scheme="https")) == PICTURE
    assert authority.asked_for == ["pictures.example"]
    assert f"Host: pictures.example:{server.port}".encode() in server.requests[0]


@pytest.mark.parametrize("name", ["other.example", "127.0.0.1"])
def test_a_certificate_for_another_name_is_refused(name: str, authority: Authority) -> None:
    with Server(says(response()), authority.server_side(name)) as server:
        error = refusal(server.url(scheme="https", path="/?key=secret"), fetcher(ca_file=authority.file))
    assert error.code == "tls"
    assert "secret" not in str(error)
    assert server.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused(authority: Authority) -> None:
    with Server(says(response()), authority.server_side("pictures.example")) as server:
        assert refusal(server.url(scheme="https"), fetcher()).code == "tls"


def test_plain_http_where_tls_is_expected() -> None:
    with Server(says(response())) as server:
        assert refusal(server.url(scheme="https"), fetcher()).code == "tls"


def test_a_tls_handshake_that_drips() -> None:
    """One record's header that promises 16 kB, then a byte at a time."""
    begun = time.monotonic()
    with Server(drips(b"\x16\x03\x03\x40\x00", b"\x02")) as server:
        assert refusal(server.url(scheme="https"), fetcher(total_timeout=0.5)).code == "timeout"
    assert time.monotonic() - begun < 8  # not for ever


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(says(response(b"from the proxy"))) as proxy, Server(says(response())) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert fetcher().fetch(server.url()) == PICTURE
    assert proxy.requests == []


def test_nothing_is_carried_from_one_fetch_to_the_next() -> None:
    with Server(says(response(PICTURE, "200 OK", "Set-Cookie: session=1; Path=/"))) as server:
        fetching = fetcher()
        fetching.fetch(server.url())
        fetching.fetch(server.url())
    assert all(b"cookie" not in request.lower() for request in server.requests)
    assert all(b"authorization" not in request.lower() for request in server.requests)
