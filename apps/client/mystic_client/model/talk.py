"""Talk: one conversation as its user sees it: a tab, what is in it, and what was read."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct, field

from mystic_client.model.excerpt import Excerpt
from mystic_client.model.text import names_in_words
from mystic_client.model.timeline import Entry, Timeline
from mysticproto.model import Group, Target, ToGlobal, ToGroup, ToUsers, UserRef, Watermark

GLOBAL: Final = "global"


class Talk(Struct):
    """`key` as `model.conversation_key` gives it, or "to:..." until the log has said who the people are.

    `kind`: "global", "direct" or "group". `people` are the others of a direct conversation, `group` the group.
    `history`: "unasked", "asked", "more" (there is something older), "all", "failed", "cleared" (by the user), or
    "hole" (what was said while global was not heard is still to be fetched, back to `hole_after`), then "filling".
    `answering` and `editing`: the message that what is typed answers, or is put in the place of. `marks`: how far the
    others of a direct conversation have got. `excerpt`: the piece of the past that the user reads instead.
    """

    key: str
    kind: str
    people: tuple[UserRef, ...] = ()
    group: Group | None = None
    timeline: Timeline = field(default_factory=Timeline)
    unread: int = 0
    mentioned: bool = False
    new_from: int = 0
    """Sequence number of the first unread message; 0: nothing is new."""
    read_upto: int = 0
    """Up to which number the user has read."""
    marks: dict[int, Watermark] = field(default_factory=dict)
    draft: str = ""
    answering: Entry | None = None
    editing: Entry | None = None
    excerpt: Excerpt | None = None
    history: str = "unasked"
    hole_after: int = 0
    member: bool = True
    """Of a group: whether the user is in it."""

    @property
    def title(self) -> str:
        if self.kind == "direct":
            return names_in_words(user.name for user in self.people)
        return self.group.name if self.group else "Global"

    @property
    def whither(self) -> str:
        """Where what is said here goes: "to everybody", "to # dev", "to ana and bob"."""
        return {"global": "to everybody", "group": f"to # {self.title}"}.get(self.kind, f"to {self.title}")

    @property
    def shown(self) -> Timeline:
        """What is to be drawn: the excerpt if there is one, otherwise the live timeline."""
        return self.excerpt.timeline if self.in_past and self.excerpt else self.timeline

    @property
    def in_past(self) -> bool:
        """Whether the user reads an excerpt."""
        return self.excerpt is not None and self.excerpt.is_here

    @property
    def is_named(self) -> bool:
        """Whether it is known by names alone, so that the server has no key for it yet."""
        return self.key.startswith("to:")

    @property
    def has_receipts(self) -> bool:
        """Whether the server keeps who has got and read what is said here."""
        return self.kind != "global" and not self.is_named

    @property
    def delivered(self) -> int:
        """Up to which number everybody else has got what was said, in a direct conversation."""
        return min((mark.delivered for mark in self._marks_of_others()), default=0)

    @property
    def read(self) -> int:
        """Up to which number everybody else has read, as far as they say so."""
        return min((mark.read for mark in self._marks_of_others()), default=0)

    def _marks_of_others(self) -> Iterable[Watermark]:
        if self.kind != "direct":
            return []
        return [self.marks.get(user.id, Watermark(user)) for user in self.people]

    def marked(self, mark: Watermark) -> bool:
        """Somebody has got further; False if not."""
        known = self.marks.get(mark.user.id, Watermark(mark.user))
        moved = Watermark(mark.user, max(known.delivered, mark.delivered, mark.read), max(known.read, mark.read))
        self.marks[mark.user.id] = moved
        return moved != known

    def gone(self, number: int) -> None:
        """A message was deleted: nothing answers it or is put in its place any more."""
        if self.answering and self.answering.number == number:
            self.answering = None
        if self.editing and self.editing.number == number:
            self.editing = None

    def came(self, entry: Entry, *, seen: bool, mention: bool) -> bool:
        """Counts a new message of somebody else that the user does not see right now; whether it counts."""
        if entry.own or seen or entry.place <= self.read_upto:
            return False
        if not self.unread:
            self.new_from = entry.place
        self.unread += 1
        self.mentioned = self.mentioned or mention
        return True

    def seen(self, upto: int) -> bool:
        """The user has read up to this number; whether that is news."""
        if upto <= self.read_upto:
            return False
        self.read_upto = upto
        self.unread = sum(not entry.own and entry.number > upto for entry in self._newest(self.unread))
        self.mentioned = self.mentioned and self.unread > 0
        return True

    def _newest(self, unread: int) -> Iterable[Entry]:
        """Enough of the newest messages to have the unread ones among them."""
        left = unread
        for entry in reversed(self.timeline.entries):
            if left <= 0:
                return
            if entry.number and not entry.own:
                left -= 1
                yield entry

    @property
    def target(self) -> ToGlobal | ToUsers | ToGroup:
        """Whom a message that is typed here is for, and whose history is asked for."""
        if self.kind == "direct":
            return ToUsers(tuple(user.name for user in self.people))
        return ToGroup(self.group.name) if self.group else ToGlobal()

    @property
    def before(self) -> int:
        """Where the next page of history ends: before this sequence number, 0 for the newest page."""
        return 0 if self.history == "hole" else self.timeline.oldest_logged

    @property
    def wants_history(self) -> bool:
        """Whether there may be something to fetch."""
        return self.history in ("unasked", "more", "failed", "cleared", "hole") and not self.is_named

    @property
    def fetches_by_itself(self) -> bool:
        """Whether that is to be fetched without the user asking for it."""
        return self.wants_history and self.history not in ("failed", "cleared")


def addressee(target: Target) -> str:
    """Whom a message is for, in words."""
    match target:
        case ToUsers(names):
            return names_in_words(names)
        case ToGroup(name):
            return name
    return "everybody"
