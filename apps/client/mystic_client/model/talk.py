"""Talk: one conversation as its user sees it: a tab, what is in it, and what was read."""

from typing import Final

from msgspec import Struct, field

from mystic_client.model.text import names_in_words
from mystic_client.model.timeline import Timeline
from mysticproto.model import Group, Target, ToGlobal, ToGroup, ToUsers, UserRef

GLOBAL: Final = "global"


class Talk(Struct):
    """`key` as `model.conversation_key` gives it, or "to:..." until the log has said who the people are.

    `kind`: "global", "direct" or "group". `people` are the others of a direct conversation, `group` the group.
    `history`: "unasked", "asked", "more" (there is something older), "all", "failed", "cleared" (by the user), or
    "hole" (what was said while global was not heard is still to be fetched, back to `hole_after`), then "filling".
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
    draft: str = ""
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
        return self.history in ("unasked", "more", "failed", "cleared", "hole") and not self.key.startswith("to:")

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
