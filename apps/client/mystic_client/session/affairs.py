"""Affairs: what a session carries from one connection to the next."""

from mystic_client.session.asks import Asks
from mystic_client.session.hashes import Hashes
from mystic_client.session.heard import Heard, PostState
from mystic_client.session.marks import Marks
from mystic_client.session.notebook import Notebook
from mystic_client.session.outbox import Outbox
from mystic_client.session.standing import Standing
from mysticproto.model import Direct, Group, Message, conversation_key

OUTBOX_FILE = "outbox"
NOTEBOOK_FILE = "notebook"


class Affairs:
    """The parts belong to the session; this keeps them together where all of them must know something."""

    def __init__(self, standing: Standing, *, shares_read: bool) -> None:
        self.standing = standing
        self.outbox = Outbox()
        self.notebook = Notebook()
        self.asks = Asks()
        self.hashes = Hashes()
        self.marks = Marks(private=not shares_read)
        self._last_n = 0
        self._restored: list[PostState] = []

    def next_n(self) -> int:
        """A number for a request; never the same again."""
        self._last_n += 1
        return self._last_n

    def share_reads(self, shares: bool) -> None:
        """Whether others may learn what is read from now on; the server is told with the next login."""
        self.standing.shares_read = shares
        self.marks.private = not shares

    def greeted(self, server_id: bytes, fingerprint: str = "") -> list[PostState]:
        """A server is there. If it is another one than before, its own files are taken up; tells what that changes."""
        was_elsewhere = self.standing.server_id != b""
        if not self.standing.greeted(server_id, fingerprint):
            return []
        told = self.outbox.leave() if was_elsewhere else []
        self.marks.forget()
        self._restored = self.outbox.take_up(self.standing.maybe_file(OUTBOX_FILE))
        self.notebook.turn_to(self.standing.maybe_file(NOTEBOOK_FILE))
        return told

    def take_restored(self) -> list[PostState]:
        """What earlier runs had said and is still in the outbox, once."""
        restored, self._restored = self._restored, []
        return restored

    def passed_on(self, batch: list[Heard]) -> None:
        """The owner has these now: the place is written down, and what came from others counts as delivered."""
        self.standing.remember()
        if not self.standing.watch:
            return
        own_id = self.standing.user_id
        messages = [one for one in batch if isinstance(one, Message) and one.author.id != own_id]
        for message in messages:
            if isinstance(message.conversation, Direct | Group):
                self.marks.note(conversation_key(message.conversation), delivered=message.seq)

    def disconnected(self, reason: str) -> None:
        """The connection is gone, and with it the answers that were to come over it."""
        self.outbox.disconnected()
        self.marks.disconnected()
        self.asks.disconnected(reason)
        self.hashes.disconnected(reason)

    def close(self, reason: str) -> list[PostState]:
        """The end; tells what has failed with it."""
        unsent = self.outbox.give_up(reason)
        self.notebook.save()
        self.standing.close()
        return unsent
