"""What may be reached: names, addresses and redirects, over real sockets."""

import socket
from collections.abc import Sequence

import pytest

from rest.fetching.fetcher import DetectionResult
from tests.support.servers.hostile_servers import (
    PICTURE,
    Names,
    Server,
    fetcher,
    loopback,
    redirects,
    refusal,
    response,
    says,
)

pytestmark = pytest.mark.usefixtures("no_other_resolver")


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
        def __call__(self, host: str, port: int, *, type: socket.SocketKind) -> Sequence[DetectionResult]:  # noqa: A002
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
