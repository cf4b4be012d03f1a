"""Throttle: how often somebody may try a password or take a new name. Pure: `now` is any monotonic clock's seconds.

Every try counts as a failure until it has succeeded, so that many at once are no way around the limits. Guesses are
counted by the name that is tried, known or not, and by where they come from (an IPv6 network of 64 bits is one place).
This machine itself is exempt from what is counted by place. All tables are bounded; what was used longest ago is
forgotten first.
"""

import ipaddress
from collections import OrderedDict
from functools import lru_cache
from typing import Final

from msgspec import Struct

MAX_PLACES: Final = 10_000
MAX_ACCOUNTS: Final = 10_000
FORGOTTEN_S: Final = 86_400.0
"""After which failures of a name count no longer."""
_FIRST_DELAY_S: Final = 1.0
_EVERYBODY: Final = ""


class ThrottleLimits(Struct, frozen=True, kw_only=True):
    """See `config.Limits`; `private` is for the addresses of one's own network."""

    failures_per_minute: float
    failures_per_account: int
    delay_max_s: float
    registrations_per_hour: float
    registrations_per_hour_private: float
    registrations_per_ten_minutes: float


class Place(Struct, frozen=True):
    """Where somebody is."""

    key: str
    is_here: bool
    is_private: bool


@lru_cache(maxsize=4096)
def place_of(host: str) -> Place:
    """The place of an address, with or without an interface's name at its end."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return place_of(str(address.ipv4_mapped))
        network = ipaddress.ip_network((address, 64), strict=False)
        return Place(str(network), address.is_loopback, address.is_private)
    return Place(str(address), address.is_loopback, address.is_private)


class _Allowance:
    """`burst` at once for each key, and as many again in `period_s`."""

    def __init__(self, burst: float, period_s: float) -> None:
        self._burst = burst
        self._rate = burst / period_s
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # and when it was that much

    def wait_s(self, key: str, now: float) -> float:
        """Seconds until one may be taken."""
        return max(0.0, (1.0 - self._now_left(key, now)) / self._rate)

    def take(self, key: str, now: float, amount: float = 1.0) -> None:
        """Takes one, or gives it back (-1)."""
        self._left[key] = (min(self._burst, self._now_left(key, now) - amount), now)
        self._left.move_to_end(key)
        if len(self._left) > MAX_PLACES:
            self._left.popitem(last=False)

    def _now_left(self, key: str, now: float) -> float:
        left, at = self._left.get(key, (self._burst, now))
        return min(self._burst, left + (now - at) * self._rate)


class _Failures(Struct):
    """Of one name, one after the other."""

    count: int
    last: float


class Throttle:
    """See the module. Waits are in seconds, 0 for none; accounts are `names.name_key` of names."""

    def __init__(self, limits: ThrottleLimits) -> None:
        self._limits = limits
        self._guesses = _Allowance(limits.failures_per_minute, 60.0)
        self._accounts: OrderedDict[str, _Failures] = OrderedDict()
        self._registrations = _Allowance(limits.registrations_per_hour, 3600.0)
        self._private_registrations = _Allowance(limits.registrations_per_hour_private, 3600.0)
        self._all_registrations = _Allowance(limits.registrations_per_ten_minutes, 600.0)

    # Passwords.

    def wait_s(self, host: str, account: str, now: float) -> float:
        """How long a password for this name can't be tried from there."""
        place = place_of(host)
        of_place = 0.0 if place.is_here else self._guesses.wait_s(place.key, now)
        return max(of_place, self._account_wait_s(account, now))

    def tried(self, host: str, account: str, now: float) -> None:
        """A password is being checked."""
        place = place_of(host)
        if not place.is_here:
            self._guesses.take(place.key, now)
        failures = self._accounts.setdefault(account, _Failures(0, now))
        if now - failures.last > FORGOTTEN_S:
            failures.count = 0
        failures.count += 1
        failures.last = now
        self._accounts.move_to_end(account)
        if len(self._accounts) > MAX_ACCOUNTS:
            self._accounts.popitem(last=False)

    def succeeded(self, host: str, account: str, now: float) -> None:
        """It was right: no failure, and the earlier ones are forgotten."""
        self._give_back(host, now)
        self._accounts.pop(account, None)

    def not_checked(self, host: str, account: str, now: float) -> None:
        """It could not be checked."""
        self._give_back(host, now)
        if failures := self._accounts.get(account):
            failures.count -= 1

    def _give_back(self, host: str, now: float) -> None:
        place = place_of(host)
        if not place.is_here:
            self._guesses.take(place.key, now, -1.0)

    def _account_wait_s(self, account: str, now: float) -> float:
        failures = self._accounts.get(account)
        if failures is None or now - failures.last > FORGOTTEN_S:
            return 0.0
        too_many = failures.count - self._limits.failures_per_account
        if too_many < 0:
            return 0.0
        delay_s = min(_FIRST_DELAY_S * 2.0 ** min(too_many, 40), self._limits.delay_max_s)
        return max(0.0, failures.last + delay_s - now)

    # New names.

    def registration_wait_s(self, host: str, now: float) -> float:
        """How long no name can become somebody's from there."""
        place = place_of(host)
        if place.is_here:
            return 0.0
        if place.is_private:
            return self._private_registrations.wait_s(place.key, now)
        of_place = self._registrations.wait_s(place.key, now)
        return max(of_place, self._all_registrations.wait_s(_EVERYBODY, now))

    def registered(self, host: str, now: float) -> None:
        """A name has become somebody's."""
        place = place_of(host)
        if place.is_here:
            return
        if place.is_private:
            self._private_registrations.take(place.key, now)
            return
        self._registrations.take(place.key, now)
        self._all_registrations.take(_EVERYBODY, now)
