"""Admission: how many connections there may be, in all and from one address; names, and so bans, are the domain's."""

import ipaddress
from functools import lru_cache


@lru_cache(maxsize=65_536)
def _place(host: str) -> tuple[str, bool, bool]:
    """Who counts as one (an IPv6 network of 64 bits does), whether it is this machine, whether a private network."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return _place(str(address.ipv4_mapped))
        network = ipaddress.ip_network((address, 64), strict=False)
        return str(network), address.is_loopback, address.is_private
    return host, address.is_loopback, address.is_private


class Admission:
    """Counts connections. Limits of 0 are none; this machine itself is never counted against an address's limit."""

    def __init__(self, total: int, per_public_address: int, per_private_address: int) -> None:
        self._total = total
        self._per_public_address = per_public_address
        self._per_private_address = per_private_address
        self._counts: dict[str, int] = {}
        self.count = 0

    def admit(self, host: str) -> bool:
        """Whether one more may come from there; if so it is counted."""
        place, is_here, is_private = _place(host)
        limit = self._per_private_address if is_private else self._per_public_address
        if self._total and self.count >= self._total:
            return False
        if limit and not is_here and self._counts.get(place, 0) >= limit:
            return False
        self._counts[place] = self._counts.get(place, 0) + 1
        self.count += 1
        return True

    def leave(self, host: str) -> None:
        """One that was admitted is gone."""
        place = _place(host)[0]
        self.count -= 1
        self._counts[place] -= 1
        if not self._counts[place]:
            del self._counts[place]
