"""Whether the end of a connection is the end of the session."""

from typing import Final

from msgspec import Struct

from mysticproto.errors import Code, ProtocolError

LOST: Final = "lost"
FINGERPRINT_CHANGED: Final = "fingerprint_changed"
RENEWED: Final = "renewed"
"""The session logs in anew by its own wish."""

_PASSES: Final = frozenset(
    {
        LOST,
        Code.IDLE,
        Code.INTERNAL,
        Code.LIMIT_REACHED,
        Code.LOGIN_TIMEOUT,
        Code.PASSWORDS_UNAVAILABLE,
        Code.SERVER_FULL,
        Code.STOPPING,
        Code.STORAGE_FULL,
        Code.STORE_UNAVAILABLE,
        Code.TOO_SLOW,
    }
)
"""Reasons that may be gone in a moment."""

_PASSES_AFTER_A_BREAK: Final = frozenset({Code.NAME_IN_USE, Code.TOO_MANY_SESSIONS})
"""The server may still believe in the connection that broke, and let us in when it stops to."""


class Ending(Struct, frozen=True):
    """Why a connection ended. `code`: "lost", an `errors.Code` that the server said or that its bytes earned, or
    "fingerprint_changed" with both fingerprints."""

    code: str
    text: str
    known: str = ""
    seen: str = ""


def of_nonsense(problem: ProtocolError) -> Ending:
    """A server that speaks something else is not worth another try; one that stumbles is."""
    if problem.code in (Code.WRONG_PROTOCOL, Code.UNSUPPORTED_VERSION):
        return Ending(problem.code, f"this is not a Mystic server that this client understands: {problem.text}")
    return Ending(LOST, f"the server made no sense: {problem.text}")


def is_final(ending: Ending, *, after_a_break: bool) -> bool:
    """Whether trying again is pointless, or would only make it worse (kicked, banned, a wrong password).

    `after_a_break`: the session was logged in before.
    """
    return ending.code not in _PASSES and not (after_a_break and ending.code in _PASSES_AFTER_A_BREAK)
