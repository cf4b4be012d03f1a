"""Session: one user's place on a server, kept through breaks of the connection."""

from collections.abc import Callable

from mysticproto import model

from mystic_client.session.heard import Address, Ended, Heard, State, Trying
from mystic_client.session.identity import Identity
from mystic_client.session.memory import Memory


class Session:
    """See the methods. `heard` is called with what one read of the socket brought, in order, cleaned, nothing twice."""

    def __init__(
        self,
        address: Address,
        name: str,
        identity: Identity | None,
        heard: Callable[[list[Heard]], None],
        *,
        watch: bool = True,
        after: int = -1,
        resume: int = 0,
        retry: bool = True,
        memory: Memory | None = None,
    ) -> None:
        self.address = address
        self.name = name
        self.cursor = after
        self.session_id = resume
        self.state: State = Trying(1)

    async def run(self) -> Ended:
        """Connects, logs in, reads, and connects again, until something final happens."""
        return Ended("left", "")

    def post(self, to: model.Target, text: str, reply_to: int = 0) -> bytes:
        """Sends when it can; returns the client id. `PostState` items follow through `heard`. Raises `OutboxFull`."""
        return b""

    async def ask(self, make: Callable[[int], model.Request]) -> model.Reply:
        """Asks with the number it is given; parts are joined. Raises `NotConnected`, and `TimeoutError` after 10 s."""
        return model.Ok(make(1).n)

    async def close(self) -> None:
        """Logs out; `run` returns `Ended("left", ...)`."""

    def drop(self) -> None:
        """Gives up at once without logging out."""
