"""Which addresses are public, and what the operator can allow besides."""

from ipaddress import ip_address

import pytest

from faces.errors import SettingError
from rest.fetching.addresses import AddressRule, is_public, parse_address

NOT_PUBLIC = {
    "this network": [
        "0.0.0.0",  # noqa: S104 - nothing is bound
        "0.1.2.3",
        "::",
    ],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
    "loopback": ["127.0.0.1", "127.255.0.3", "::1"],
    "link local": ["169.254.0.1", "fe80::1", "febf::1"],
    "shared by carriers": ["100.64.0.1", "100.127.255.255"],
    "multicast": ["224.0.0.1", "239.1.2.3", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1", "200::1", "4000::1", "fec0::1"],
    "documentation": ["192.0.2.1", "198.51.100.7", "203.0.113.9", "2001:db8::1", "3fff::1"],
    "metadata": ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"],
    "IPv4 mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"],
    "IPv4 compatible": ["::127.0.0.1", "::8.8.8.8"],
    "6to4": ["2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::1"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"],
    "Teredo": ["2001:0:53aa:64c:0:0:80ff:fffe", "2001::1"],
}
PUBLIC = ["1.1.1.1", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "169.253.0.1"]
PUBLIC += ["2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]


@pytest.mark.parametrize("text", [text for texts in NOT_PUBLIC.values() for text in texts])
def test_not_public(text: str) -> None:
    assert not is_public(ip_address(text))
    assert not AddressRule().permits("a.example", ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_public(text: str) -> None:
    assert is_public(ip_address(text))
    assert AddressRule().permits("a.example", ip_address(text))


@pytest.mark.parametrize(
    ("entry", "host", "address", "permitted"),
    [
        ("10.1.0.0/16", "a.example", "10.1.2.3", True),
        ("10.1.0.0/16", "a.example", "::ffff:10.1.2.3", True),
        ("10.1.0.0/16", "a.example", "10.2.0.1", False),
        ("10.1.2.3/16", "a.example", "10.1.9.9", True),
        ("127.0.0.1", "a.example", "127.0.0.1", True),
        ("127.0.0.1", "a.example", "127.0.0.2", False),
        ("::1", "a.example", "::1", True),
        ("[::1]", "a.example", "::1", True),
        ("fd00::/8", "a.example", "fd00::5", True),
        ("Pictures.Example.", "pictures.example", "10.0.0.1", True),
        ("pictures.example", "PICTURES.example.", "10.0.0.1", True),
        (" pictures.example ", "pictures.example", "10.0.0.1", True),
        ("pictures.example", "evil.pictures.example", "10.0.0.1", False),
        ("pictures.example", "pictures.example.evil", "10.0.0.1", False),
    ],
)
def test_what_the_operator_allows(entry: str, host: str, address: str, *, permitted: bool) -> None:
    assert AddressRule([entry]).permits(host, ip_address(address)) is permitted


@pytest.mark.parametrize("entry", ["", "10.0.0.0/33", "http://host", "host:80", "user@host", "two hosts"])
def test_an_entry_that_means_nothing_stops_the_start(entry: str) -> None:
    with pytest.raises(SettingError, match="cannot be allowed"):
        AddressRule(["127.0.0.1", entry])


def test_an_address_with_a_zone_is_read() -> None:
    assert not is_public(parse_address("fe80::1%eth0"))
