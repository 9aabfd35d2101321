"""Which network addresses the server may fetch pictures from: public ones, and those that the operator allows.

A server that fetches any address for anyone is a way into the network that it stands in: to the cloud's metadata
service, to Redis, to the router's web page.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from faces.errors import SettingError

Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # RFC 4291; all that is routed in public lies in it
# What Python's is_global lets pass, in all or some of its versions.
_NOT_PUBLIC = (
    IPv4Network("168.63.129.16/32"),  # Azure's metadata and health service, on an address that looks public
    IPv4Network("192.0.0.0/24"),  # RFC 6890, and Oracle's metadata service
    IPv4Network("192.88.99.0/24"),  # RFC 7526
    IPv4Network("224.0.0.0/4"),  # multicast
    IPv6Network("3fff::/20"),  # RFC 9637
)


def is_public(address: Address) -> bool:
    """Tell whether anyone on the internet could reach it too. An IPv4 address inside an IPv6 one decides."""
    if isinstance(address, IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return is_public(inner)
        if address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not any(address in network for network in _NOT_PUBLIC)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that a mapped, 6to4 or NAT64 address leads to; Teredo's are never public."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


class AddressRule:
    """Public addresses, and what `allow` names: host names, addresses, networks (`10.1.0.0/16`).

    Raises:
        SettingError: an entry that is neither.
    """

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self._networks: list[IPv4Network | IPv6Network] = []
        self._hosts: set[str] = set()
        for entry in allow:
            self._add(entry.strip())

    def permits(self, host: str, address: Address) -> bool:
        """Tell whether `host` may be reached at `address`, one of those that its name resolved to."""
        if host.lower().rstrip(".") in self._hosts or is_public(address):
            return True
        inner = _embedded(address) if isinstance(address, IPv6Address) else None
        return any((inner or address) in network for network in self._networks)

    def _add(self, entry: str) -> None:
        try:
            self._networks.append(ip_network(entry.strip("[]"), strict=False))
        except ValueError:
            if not entry or not set(entry).isdisjoint("/:@ "):
                raise SettingError(
                    f"{entry!r} cannot be allowed: name a host, an address or a network such as 10.1.0.0/16."
                ) from None
            self._hosts.add(entry.lower().rstrip("."))


def parse_address(text: str) -> Address:
    """Read an address as `getaddrinfo` gives it, with or without a zone (`fe80::1%eth0`)."""
    return ip_address(text.partition("%")[0])
