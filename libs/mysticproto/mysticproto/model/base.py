"""What all of the vocabulary has in common: how it is encoded, and the limits that both sides must know."""

from msgspec import Struct

__all__ = [
    "CLIENT_ID_BYTES",
    "FOR_EVER_US",
    "MAX_ADDRESSED",
    "MAX_HISTORY_PAGE",
    "MAX_PASSWORD_CHARS",
    "MAX_REASON_CHARS",
    "MAX_SEARCH_PAGE",
    "MAX_TEXT_BYTES",
    "MIN_PASSWORD_CHARS",
]

MAX_TEXT_BYTES = 32 * 1024
"""A message's text, as UTF-8."""
MAX_HISTORY_PAGE = 500
"""Events in one history page; larger demands are cut to it."""
MAX_ADDRESSED = 64
"""Names that one message may be addressed to."""
CLIENT_ID_BYTES = 16
"""A message's client id: a UUID's bytes, chosen by the sender, the same again when it is sent again."""
MAX_SEARCH_PAGE = 100
"""Hits in one answer to a search."""
MIN_PASSWORD_CHARS = 8
MAX_PASSWORD_CHARS = 128
MAX_REASON_CHARS = 200
"""Of a kick, a ban or a mute."""
FOR_EVER_US = 2**63 - 1
"""The end of a ban or a mute that has none."""


class Said(Struct, array_like=True, frozen=True, gc=False):
    """What all of the vocabulary has in common on the wire."""
