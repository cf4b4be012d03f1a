"""Somewhere to connect to, as whom."""

from msgspec import Struct


class Choice(Struct, frozen=True):
    """Empty fields and `port` 0 were not given."""

    name: str = ""
    host: str = ""
    port: int = 0

    @property
    def complete(self) -> bool:
        return bool(self.name and self.host and self.port)
