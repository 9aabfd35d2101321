"""Fetching over real sockets, from servers that behave badly in each way that a stranger's can."""

import contextlib
import gzip
import random
import resource
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
import trustme

from faces.errors import FetchError
from rest.fetch import Fetcher, Found

Answer = Callable[[socket.socket, bytes], None]
PICTURE = b"\x89PNG the bytes of a picture"


def response(
    body: bytes = PICTURE, status: str = "200 OK", *headers: str, length: int | None = None
) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(answer: bytes) -> Answer:
    return lambda connection, _: connection.sendall(answer)


def redirects(location: str) -> Answer:
    return says(response(b"", "302 Found", f"Location: {location}"))


def _complete(head: bytes) -> bool:
    """A request's head, or the beginning of a TLS handshake, which is answered at once."""
    return b"\r\n\r\n" in head or head.startswith(b"\x16")


class Server:
    """Answers each connection on a loopback port as it is told, then closes it."""

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> None:
        self.requests: list[bytes] = []
        self._answer, self._tls = answer, tls
        self._listening = socket.create_server(
            (address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET
        )
        self._threads = [threading.Thread(target=self._accept)]
        self.port: int = self._listening.getsockname()[1]

    def url(self, host: str = "pictures.example", path: str = "/a.png", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                if self._tls:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                with connection:
                    head = b""
                    while not _complete(head) and (more := connection.recv(4096)):
                        head += more
                    self.requests.append(head)
                    self._answer(connection, head)
            except OSError:
                return  # the client has had enough


class Names:
    """A resolver that knows a few names, and counts how often it is asked."""

    def __init__(self, **addresses: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._addresses = {name.replace("_", "."): list(found) for name, found in addresses.items()}

    def __call__(self, host: str, port: int, *, type: socket.SocketKind) -> Sequence[Found]:  # noqa: A002 - getaddrinfo's
        self.asked.append(host)
        if host not in self._addresses:
            raise socket.gaierror(-2, "Name or service not known")
        return [self._found(address, port, type) for address in self._addresses[host]]

    @staticmethod
    def _found(address: str, port: int, kind: socket.SocketKind) -> Found:
        if ":" in address:
            return socket.AF_INET6, kind, 6, "", (address, port, 0, 0)
        return socket.AF_INET, kind, 6, "", (address, port)


def loopback() -> Names:
    return Names(pictures_example=["127.0.0.1"])


def fetcher(names: Names | None = None, **settings: Any) -> Fetcher:
    defaults: dict[str, Any] = {
        "max_bytes": 100_000,
        "total_timeout": 10,
        "connect_timeout": 5,
        "max_redirects": 3,
        "allow": ["127.0.0.1"],
        "resolver": names or loopback(),
    }
    return Fetcher(**defaults | settings)


def refusal(url: str, fetching: Fetcher) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetching.fetch(url)
    return caught.value


@pytest.fixture(autouse=True)
def _no_other_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing below the fetcher may resolve a name again."""

    def refuse(*asked: object, **_: object) -> None:
        pytest.fail(f"{asked} was resolved behind the fetcher's back")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_a_picture_is_fetched_as_it_is() -> None:
    names = loopback()
    with Server(says(response())) as server:
        assert fetcher(names).fetch(server.url(path="/a.png?size=1#here")) == PICTURE
    assert names.asked == ["pictures.example"]
    (request,) = server.requests
    assert request.startswith(b"GET /a.png?size=1 HTTP/1.1\r\n")
    assert f"Host: pictures.example:{server.port}".encode() in request
    assert b"Accept-Encoding: identity" in request
    assert b"facefleet" in request


def test_an_ipv6_server_is_reached() -> None:
    with Server(says(response()), address="::1") as server:
        assert fetcher(Names(**{"::1": ["::1"]}), allow=["::1"]).fetch(server.url("[::1]")) == PICTURE


def test_a_name_is_sent_in_ascii_and_without_case() -> None:
    names = Names(**{"xn--bcher-kva.example": ["127.0.0.1"]})
    with Server(says(response())) as server:
        assert fetcher(names).fetch(server.url("BÜCHER.example")) == PICTURE
    assert names.asked == ["xn--bcher-kva.example"]


def test_a_host_can_be_allowed_by_its_name() -> None:
    with Server(says(response())) as server:
        assert fetcher(allow=["pictures.example"]).fetch(server.url()) == PICTURE
        assert refusal(server.url(), fetcher(allow=["other.example"])).code == "address_not_allowed"
    assert len(server.requests) == 1


def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    names = Names(pictures_example=["127.0.0.2", "127.0.0.1"])
    with Server(says(response())) as server:
        assert fetcher(names, allow=["127.0.0.0/8"]).fetch(server.url()) == PICTURE


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254", "fe80::1%lo"]
)
def test_one_forbidden_address_among_public_ones_is_enough(address: str) -> None:
    names = Names(pictures_example=["93.184.216.34", address])
    error = refusal("http://pictures.example/", fetcher(names, allow=[]))
    assert error.code == "address_not_allowed"
    assert address not in str(error)


def test_a_name_that_changes_is_resolved_once_and_kept_to() -> None:
    class Rebinding(Names):
        def __call__(self, host: str, port: int, *, type: socket.SocketKind) -> Sequence[Found]:  # noqa: A002
            found = super().__call__(host, port, type=type)
            self._addresses[host] = ["127.0.0.1"]
            return found

    names = Rebinding(pictures_example=["93.184.216.34"])
    with Server(says(response())) as inside:
        error = refusal(inside.url(), fetcher(names, allow=[], connect_timeout=0.2, total_timeout=1))
    assert error.code in {"unreachable", "timeout"}
    assert names.asked == ["pictures.example"]
    assert inside.requests == []


LOOPBACK = ["127.0.0.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "127.1", "0", "LOCALHOST"]
LOOPBACK += ["[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"]


@pytest.mark.parametrize("host", [*LOOPBACK, "169.254.169.254"])
def test_no_spelling_of_a_forbidden_address_gets_through(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the system's resolver knows all the spellings
    with Server(says(response())) as server:
        system = fetcher(allow=[], resolver=socket.getaddrinfo, connect_timeout=0.5)
        assert refusal(server.url(host), system).code == "address_not_allowed"
        assert refusal(server.url(host + "."), system).code in {
            "address_not_allowed",
            "bad_url",
            "unreachable",
        }
    assert server.requests == []


NO_URLS = ["", "a.png", "//pictures.example/", "http://", "http:///a.png", "http://[::1", "http://a b/"]
NO_URLS += [
    "http://pictures.example:99999/",
    "http://pictures.example:port/",
    "http://.example/",
    "http://*/",
]
NO_URLS += ["file:///etc/passwd", "ftp://pictures.example/", "gopher://x", "data:,x", "javascript:alert(1)"]
NO_URLS += [
    "http://user:secret@pictures.example/",
    "http://user@pictures.example/",
    "http://a..b/" + "x" * 99,
]
NO_URLS += ["http://x\\@pictures.example/", "http://\x00/"]


@pytest.mark.parametrize("url", NO_URLS)
def test_a_url_that_is_not_one(url: str) -> None:
    names = loopback()
    error = refusal(url, fetcher(names))
    assert error.code in {"bad_url", "unreachable"}
    assert "secret" not in str(error)
    assert "pictures.example" not in names.asked


def test_a_name_that_no_resolver_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    system = fetcher(resolver=socket.getaddrinfo)
    assert refusal(f"http://{'a' * 70}.example/", system).code == "bad_url"
    assert refusal("http://unknown.example/", fetcher()).code == "unreachable"


def test_redirects_are_followed_and_checked_each() -> None:
    with Server(says(response())) as last, Server(redirects("/moved.png")) as first:
        first_answer = first._answer
        first._answer = lambda connection, head: (
            first_answer(connection, head)
            if b"/a.png" in head
            else redirects(last.url("other.example"))(connection, head)
        )
        names = Names(pictures_example=["127.0.0.1"], other_example=["127.0.0.1"])
        assert fetcher(names).fetch(first.url()) == PICTURE
    assert names.asked == ["pictures.example", "pictures.example", "other.example"]
    assert b"GET /moved.png" in first.requests[1]


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://inside.example:{port}/", "address_not_allowed"),
        ("http://169.254.169.254/latest/meta-data/", "address_not_allowed"),
        ("http://[::1]:{port}/", "address_not_allowed"),
        ("//inside.example:{port}/", "address_not_allowed"),
        ("file:///etc/passwd", "bad_url"),
        ("gopher://inside.example/", "bad_url"),
        ("http://user:secret@pictures.example/", "bad_url"),
        ("http://[", "bad_url"),
    ],
)
def test_a_redirect_leads_nowhere_that_a_url_could_not(location: str, code: str) -> None:
    names = Names(
        pictures_example=["127.0.0.1"],
        inside_example=["127.0.0.2"],
        **{"169.254.169.254": ["169.254.169.254"], "::1": ["::1"]},
    )
    with Server(says(response()), address="127.0.0.2") as inside:
        with Server(redirects(location.format(port=inside.port))) as server:
            assert refusal(server.url(), fetcher(names)).code == code
        assert inside.requests == []


@pytest.mark.parametrize(("allowed", "requests"), [(0, 1), (3, 4)])
def test_a_circle_of_redirects_ends(allowed: int, requests: int) -> None:
    with Server(redirects("/again?key=secret")) as server:
        error = refusal(server.url(), fetcher(max_redirects=allowed))
    assert error.code == "too_many_redirects"
    assert "secret" not in str(error)
    assert len(server.requests) == requests


@pytest.mark.parametrize(
    "status", ["404 Not Found", "500 Oops", "206 Partial Content", "204 No Content", "302 Found"]
)
def test_any_status_but_200(status: str) -> None:
    with Server(says(response(b"<html>", status))) as server:
        error = refusal(server.url(path="/a?key=secret"), fetcher())
    assert error.code == "http_status"
    assert status[:3] in str(error)
    assert "secret" not in str(error)


def test_no_bytes() -> None:
    with Server(says(response(b""))) as server:
        assert refusal(server.url(), fetcher()).code == "empty"


def endless(head: bytes, part: bytes) -> Answer:
    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(part)

    return answer


PLAIN = b"HTTP/1.1 200 OK\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        endless(PLAIN, bytes(50_000)),
        endless(CHUNKED, b"c350\r\n" + bytes(50_000) + b"\r\n"),
        says(response(bytes(100_001))),
        endless(response(b"", length=1 << 60), bytes(50_000)),
    ],
    ids=["without length", "in chunks", "one byte more", "with a giant length"],
)
def test_a_body_over_the_limit(answer: Answer) -> None:
    with Server(answer) as server:
        assert refusal(server.url(), fetcher()).code == "too_large"


def test_a_body_at_the_limit() -> None:
    with Server(says(response(bytes(100_000)))) as server:
        assert len(fetcher().fetch(server.url())) == 100_000


def test_a_length_that_is_wrong() -> None:
    with Server(says(response(length=5))) as server:
        assert fetcher().fetch(server.url()) == PICTURE[:5]
    with Server(says(response(length=500))) as server:
        assert refusal(server.url(), fetcher()).code == "unreachable"
    with Server(says(response(length=-7))) as server:
        assert fetcher().fetch(server.url()) == PICTURE


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip"])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_bomb_of_compression(encoding: str, in_chunks: bool) -> None:
    bomb = gzip.compress(bytes(64 << 20), 9)
    bomb = gzip.compress(bomb, 9) if "," in encoding else bomb
    answer = response(bomb, "200 OK", f"Content-Encoding: {encoding}")
    if in_chunks:
        head = f"Content-Encoding: {encoding}\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = f"HTTP/1.1 200 OK\r\n{head}".encode() + chunked(bomb)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Server(says(answer)) as server:
        assert refusal(server.url(), fetcher()).code == "too_large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 24 * 1024  # kB


def test_compression_that_nobody_asked_for_is_undone() -> None:
    answer = response(gzip.compress(PICTURE), "200 OK", "Content-Encoding: gzip")
    with Server(says(answer)) as server:
        assert fetcher().fetch(server.url()) == PICTURE
    with Server(says(response(PICTURE, "200 OK", "Content-Encoding: gzip"))) as server:
        assert refusal(server.url(), fetcher()).code == "unreachable"


def drips(head: bytes, part: bytes = b"x") -> Answer:
    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        while True:
            time.sleep(0.02)
            connection.sendall(part)

    return answer


def stays_silent(connection: socket.socket, _: bytes) -> None:
    connection.recv(1)  # until the client goes


@pytest.mark.parametrize(
    "answer",
    [
        stays_silent,
        drips(b"", b"H"),
        drips(b"HTTP/1.1 200 OK\r\nX: "),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drips(PLAIN),
        drips(response(length=1 << 20)),
        drips(CHUNKED, b"1\r\nx\r\n"),
        drips(CHUNKED, b"1"),
        drips(CHUNKED + b"0\r\n", b"X: y\r\n"),
    ],
    ids=["silent", "status", "header", "continue", "body", "length", "chunks", "chunk size", "trailers"],
)
def test_a_server_that_drips_is_left_in_time(answer: Answer) -> None:
    begun = time.monotonic()
    with Server(answer) as server:
        assert refusal(server.url(), fetcher(total_timeout=0.4)).code in {"timeout", "unreachable"}
    assert time.monotonic() - begun < 8  # not for ever


def test_a_dripped_body_without_length_is_late_not_short() -> None:
    with Server(drips(PLAIN)) as server:
        assert refusal(server.url(), fetcher(total_timeout=0.3)).code == "timeout"


def test_the_deadline_holds_over_all_redirects() -> None:
    def later(connection: socket.socket, head: bytes) -> None:
        time.sleep(0.15)
        redirects("/again")(connection, head)

    with Server(later) as server:
        error = refusal(server.url(), fetcher(total_timeout=0.4, max_redirects=1000))
    assert error.code == "timeout"
    assert len(server.requests) < 6


GARBAGE = {
    "nothing": b"",
    "text": b"not http at all\r\n\r\n",
    "version": b"HTTP/9.9 abc\r\n\r\n",
    "long line": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    "bad chunk": CHUNKED + b"zz\r\n",
    "long chunk size": CHUNKED + b"f" * 70_000,
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_an_answer_that_is_not_http(garbage: bytes) -> None:
    with Server(says(garbage)) as server:
        error = refusal(server.url(path="/?key=secret"), fetcher())
    assert error.code == "unreachable"
    assert "secret" not in str(error)
    assert "pictures.example" in str(error)


def test_nobody_listens() -> None:
    with Server(says(b"")) as server:
        url = server.url(path="/?key=secret")
    error = refusal(url, fetcher())
    assert error.code == "unreachable"
    assert "secret" not in str(error)


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


def test_the_environments_proxies_are_used_only_where_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(says(response(b"from the proxy"))) as proxy, Server(says(response())) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert fetcher().fetch(server.url()) == PICTURE
        assert proxy.requests == []

        monkeypatch.undo()  # urllib3 resolves the proxy's address, as it should
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        assert fetcher(trust_proxies=True).fetch(server.url()) == b"from the proxy"
        inside = Names(pictures_example=["10.0.0.1"])
        assert refusal(server.url(), fetcher(inside, trust_proxies=True)).code == "address_not_allowed"
    assert len(proxy.requests) == 1


def test_nothing_is_carried_from_one_fetch_to_the_next() -> None:
    with Server(says(response(PICTURE, "200 OK", "Set-Cookie: session=1; Path=/"))) as server:
        fetching = fetcher()
        fetching.fetch(server.url())
        fetching.fetch(server.url())
    assert all(b"cookie" not in request.lower() for request in server.requests)
    assert all(b"authorization" not in request.lower() for request in server.requests)


def damaged(answer: bytes, rng: random.Random) -> bytes:
    changed = bytearray(answer)
    for _ in range(rng.choice((1, 2, 5, 20))):
        start = rng.randrange(len(changed) or 1)
        part = rng.choice(
            (b"\r\n", b"\0", b": ", b"9" * 20, b"-1", b",", b"chunked", b"gzip", rng.randbytes(1), b"")
        )
        changed[start : start + rng.randrange(1, 4)] = part
    return bytes(changed)


def test_an_answer_damaged_anyhow_ends_well() -> None:
    rng = random.Random(7)
    answers = [
        response(),
        response(gzip.compress(PICTURE), "200 OK", "Content-Encoding: gzip"),
        CHUNKED + chunked(PICTURE),
        response(b"", "301 Moved", "Location: http://pictures.example:1/\xff"),
        response(bytes(100), "200 OK", "Content-Encoding: br, gzip, zstd, deflate, gzip, gzip, gzip"),
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + response(),
    ]
    fetching = fetcher(total_timeout=2)
    with Server(lambda connection, _: connection.sendall(damaged(rng.choice(answers), rng))) as server:
        for _ in range(500):
            with contextlib.suppress(FetchError):
                assert len(fetching.fetch(server.url())) <= 100_000
