"""decide, of keeping the peace: who may silence, remove and keep out whom, and who may speak to everybody."""

from mystic_server.domain.refusals import how_long
from mystic_server.domain.world import User
from mysticproto.errors import Code
from mysticproto.model import Refused


def muted_refused(user: User, n: int, now_us: int) -> Refused | None:
    """A refusal if an operator keeps this user from saying anything at this time."""
    if user.muted_until_us <= now_us:
        return None
    left = how_long(user.muted_until_us, now_us)
    return Refused(n, Code.MUTED, f"An operator has muted you{left}. You can still read.", user.name)
