"""What time it is, and how times are shown: given to widgets, so that tests and pictures can stop it."""

from collections.abc import Callable
from datetime import tzinfo

from msgspec import Struct


class Clock(Struct, frozen=True):
    """`now_us` gives microseconds since 1970 UTC; `zone` None is the local one; `pattern` as for strftime."""

    now_us: Callable[[], int]
    zone: tzinfo | None = None
    pattern: str = "%H:%M"
