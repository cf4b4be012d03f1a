"""Standing: who a session is on its server and how far it has read there, through all its connections.

Sequence numbers and session ids mean something on one server only. When another one answers at the same address, which
its id in `Hello` tells, the session starts afresh there, or where the device's memory says that it was. Who only says
an id, and has another key than the server that had it before, doesn't get at what is remembered of that one.
"""

from pathlib import Path

from mystic_client.session.identity import Identity
from mystic_client.session.memory import Memory, Place
from mystic_client.session.order import EventOrder
from mystic_client.session.pins import Pins, PinsError
from mysticproto.auth import login_challenge
from mysticproto.model import Hello, Login, Welcome

CLIENT = "mystic"
CLOSED = (
    "This server says to be one that you know by another key. Drafts, unsent messages and what was read there are not "
    "used here: they wait for that one."
)


class Standing:
    """`order` decides which events are new; `session_id` is what the server called the session last (0: nothing),
    `user_id` whom it takes the user for; `shares_read` is what the next login says of that."""

    def __init__(
        self,
        name: str,
        identity: Identity | None,
        memory: Memory | None,
        *,
        watch: bool,
        after: int,
        resume: int,
        password: str = "",
        shares_read: bool = True,
        pins: Pins | None = None,
    ) -> None:
        self.order = EventOrder(after)
        self.session_id = resume
        self.user_id = 0
        self.server_id = b""
        self.watch = watch
        self._name = name
        self._identity = identity
        self._memory = memory
        self._pins = pins or Pins()
        self._notice = ""
        self._password = password
        self.shares_read = shares_read
        self._is_known = False

    def greeted(self, server_id: bytes, fingerprint: str = "") -> bool:
        """Takes up what the device was on this server before, if its key (none: empty) is the one that it had then.

        Whether it is another than the one that greeted last.
        """
        if server_id == self.server_id:
            return False
        if self.server_id:
            self.order, self.session_id = EventOrder(-1), 0
        self.server_id = server_id
        self._is_known = False
        if self._memory is not None:
            place = self._memory.open(server_id, self._name, fingerprint, self._knows_key)
            self._notice = CLOSED if self._memory.is_anothers else ""
            self.order, self.session_id = EventOrder(place.cursor), place.session
        return True

    def _knows_key(self, fingerprint: str) -> bool:
        try:
            return self._pins.knows(fingerprint)
        except PinsError:
            return True

    def take_notice(self) -> str:
        """What the user should be told of the server that has greeted, once; or nothing."""
        notice, self._notice = self._notice, ""
        return notice

    def login(self, hello: Hello, n: int, fingerprint: str = "") -> Login:
        """The request that proves the name to the server that has greeted, and to no other if it shows a key."""
        key, signature = b"", b""
        if self._identity is not None:
            key = self._identity.public
            signature = self._identity.sign(login_challenge(hello.nonce, hello.server_id, self._name, fingerprint))
        after, resume = (self.order.cursor, self.session_id) if self.watch else (-1, 0)
        return Login(
            n,
            self._name,
            key,
            signature,
            self.watch,
            resume,
            after,
            CLIENT,
            password=self._password,
            shares_read=self.shares_read,
        )

    def welcomed(self, welcome: Welcome) -> None:
        """The server has let the session in."""
        self.session_id = welcome.session
        self.user_id = welcome.user.id
        self.order.welcomed(welcome)
        self._is_known = True
        if self._identity is not None:
            self._password = ""  # the key is known now, and will do

    def maybe_file(self, kind: str) -> Path | None:
        """A file of this device's place on the server that has greeted; None if this program doesn't hold the place."""
        return self._memory.maybe_file(kind) if self._memory is not None and self.watch else None

    def remember(self) -> None:
        """Writes down for the next start where the session is; not in the middle of a catch-up."""
        if self._memory is not None and self._is_known and self.watch and not self.order.catching_up:
            self._memory.keep(Place(self.order.cursor, self.session_id))

    def close(self) -> None:
        """Lets another program of this device have the place."""
        if self._memory is not None:
            self._memory.close()
