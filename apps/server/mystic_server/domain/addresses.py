"""Addresses and networks as people type them, in one spelling each, and which of them holds which."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_MAPPED_BITS = 96
"""An IPv4 address is written as the last 32 bits of an IPv6 one, behind these."""


def network_key(text: str) -> str | None:
    """An address or a network with its length, such as "10.1.2.3/32"; None for what is neither.

    What is set beyond the length counts for nothing: "10.1.2.3/16" is "10.1.0.0/16".
    """
    network = _network(text[:64])
    return str(network) if network else None


def is_meant_as_address(text: str) -> bool:
    """Whether somebody who types this means an address or a network, be it one or not: digits with what stands between
    the parts of one."""
    return text.strip("0123456789./:") == "" and any(mark in text for mark in "./:")


def shown_network(key: str) -> str:
    """A network's key as people write it: a single address without its length."""
    network = _network(key)
    return str(network.network_address) if network and network.num_addresses == 1 else key


def holds_loopback(key: str) -> bool:
    """Whether the server's own machine is in this network."""
    network = _network(key)
    return any(network.overlaps(own) for own in _LOOPBACK if own.version == network.version) if network else False


def is_within(host: str, key: str) -> bool:
    """Whether an address is in a network; what is no address is nowhere."""
    address, network = _address(host), _network(key)
    return bool(address and network and address.version == network.version and address in network)


@lru_cache(maxsize=1024)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


@lru_cache(maxsize=4096)
def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped and network.prefixlen >= _MAPPED_BITS:
        return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network
