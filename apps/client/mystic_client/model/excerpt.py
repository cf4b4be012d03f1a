"""Excerpt: a piece of a conversation's past around one message, beside the live timeline, which stays without holes."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from mystic_client.model.timeline import Entry, Timeline


class Excerpt(Struct):
    """`around`: the number of the message that was jumped to. `older` and `newer` say what is before and after what is
    here: "asked", "more", "all" or "failed". It is shown once `is_here`."""

    around: int
    timeline: Timeline = field(default_factory=Timeline)
    older: str = "asked"
    newer: str = "asked"
    is_here: bool = False

    def ask(self, side: str) -> tuple[int, int] | None:
        """(before, after) of the page that is to be asked for now, or None. `side`: "older" or "newer"."""
        if getattr(self, side) not in ("more", "failed"):
            return None
        setattr(self, side, "asked")
        timeline = self.timeline
        return (timeline.oldest_logged, 0) if side == "older" else (0, timeline.newest_logged)

    def first(self, page: Iterable[Entry], *, more: bool, newer: bool) -> bool:
        """The piece around the message has come; whether the message is in it."""
        self.timeline.add_page(page)
        self.older, self.newer = "more" if more else "all", "more" if newer else "all"
        self.is_here = self.timeline.find(self.around) is not None
        return self.is_here

    def came(self, side: str, page: Iterable[Entry], *, more: bool) -> None:
        """A page on one side has come."""
        self.timeline.add_page(page)
        setattr(self, side, "more" if more else "all")

    def failed(self, side: str) -> None:
        """It has not."""
        setattr(self, side, "failed")
