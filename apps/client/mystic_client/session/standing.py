"""Standing: who a session is on its server and how far it has read there, through all its connections.

Sequence numbers and session ids mean something on one server only. When another one answers at the same address, which
its id in `Hello` tells, the session starts afresh there, or where the device's memory says that it was.
"""

from mystic_client.session.identity import Identity
from mystic_client.session.memory import Memory, Place
from mystic_client.session.order import EventOrder
from mysticproto.auth import login_challenge
from mysticproto.model import Hello, Login, Welcome

CLIENT = "mystic"


class Standing:
    """`order` decides which events are new; `session_id` is what the server called the session last (0: nothing)."""

    def __init__(
        self, name: str, identity: Identity | None, memory: Memory | None, *, watch: bool, after: int, resume: int
    ) -> None:
        self.order = EventOrder(after)
        self.session_id = resume
        self.server_id = b""
        self._name = name
        self._identity = identity
        self._memory = memory
        self._watch = watch
        self._is_known = False

    def login(self, hello: Hello, n: int) -> Login:
        """The request that proves the name to this server, and takes up what the device was there before."""
        self._recall(hello.server_id)
        key, signature = b"", b""
        if self._identity is not None:
            key = self._identity.public
            signature = self._identity.sign(login_challenge(hello.nonce, hello.server_id, self._name))
        after, resume = (self.order.cursor, self.session_id) if self._watch else (-1, 0)
        return Login(n, self._name, key, signature, self._watch, resume, after, CLIENT)

    def welcomed(self, welcome: Welcome) -> None:
        """The server has let the session in."""
        self.session_id = welcome.session
        self.order.welcomed(welcome)
        self._is_known = True

    def remember(self) -> None:
        """Writes down for the next start where the session is; not in the middle of a catch-up."""
        if self._memory is not None and self._is_known and self._watch and not self.order.catching_up:
            self._memory.keep(Place(self.order.cursor, self.session_id))

    def close(self) -> None:
        """Lets another program of this device have the place."""
        if self._memory is not None:
            self._memory.close()

    def _recall(self, server_id: bytes) -> None:
        if server_id == self.server_id:
            return
        if self.server_id:
            self.order, self.session_id = EventOrder(-1), 0
        self.server_id = server_id
        self._is_known = False
        if self._memory is not None:
            place = self._memory.open(server_id, self._name)
            self.order, self.session_id = EventOrder(place.cursor), place.session
