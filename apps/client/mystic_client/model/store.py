"""Store: everything that this user knows of one server, as one value that the screens show.

Events go in (`heard`), with what became of posts and what lists said; conversations, people and groups come out.
Nothing here waits, asks or draws. `take_changes` says what has to be drawn again.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from mystic_client.model.amendments import Amendments
from mystic_client.model.entries import shown
from mystic_client.model.excerpt import Excerpt
from mystic_client.model.places import places_of
from mystic_client.model.roster import Roster
from mystic_client.model.talk import GLOBAL, Talk
from mystic_client.model.text import names_in_words
from mystic_client.model.timeline import Entry
from mysticproto.model import (
    Broadcast,
    Conversation,
    ConversationInfo,
    Direct,
    Event,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupInfo,
    GroupJoined,
    GroupLeft,
    GroupRenamed,
    History,
    Marked,
    Message,
    MessageDeleted,
    MessageEdited,
    Target,
    ToGroup,
    ToUsers,
    UserInfo,
    UserRef,
    Watermark,
    Welcome,
    conversation_key,
)
from mysticproto.names import name_key

MAX_TALKS: Final = 500
"""Conversations that are open at once; a new one closes the private one that was opened first."""


class Changes(Struct, frozen=True):
    """What to draw again: the lists, the tabs, and the timelines of these conversations."""

    roster: bool
    tabs: bool
    talks: frozenset[str]


class Store:
    """See the module. Its attributes are for reading; methods change them.

    `talks` are the open conversations in the order of their tabs, `front` the key of the one that the user looks at,
    `focus` the group that the session hears instead of global.
    """

    def __init__(self, own_name: str) -> None:
        self.own = UserRef(0, own_name)
        self.roster = Roster()
        self.talks: dict[str, Talk] = {GLOBAL: Talk(GLOBAL, "global")}
        self.front = GLOBAL
        self.focus: Group | None = None
        self.attentive = True
        """Whether the user sees what comes in front: the terminal has the focus, and the end is shown."""
        self.conversations: dict[str, ConversationInfo] = {}
        """What the user took part in at some time, open or not, the last used first."""
        self._drafts: dict[str, str] = {}
        self._read: dict[str, int] = {}
        self._amendments = Amendments()
        self._log_end = 0
        """The largest sequence number that was heard of."""
        self._roster_changed = self._tabs_changed = True
        self._touched: set[str] = {GLOBAL}

    @property
    def front_talk(self) -> Talk:
        return self.talks[self.front]

    def take_changes(self) -> Changes:
        """What changed since the last call."""
        changes = Changes(self._roster_changed, self._tabs_changed, frozenset(self._touched))
        self._roster_changed = self._tabs_changed = False
        self._touched.clear()
        return changes

    # Where the user is.

    def welcomed(self, welcome: Welcome) -> None:
        """Logged in, for the first time or again."""
        self.own = welcome.user
        self._log_end = max(self._log_end, welcome.upto)
        self.roster.remember(welcome.user)
        self.roster.upto = welcome.upto
        for talk in self.talks.values():
            talk.history = "more" if talk.history == "failed" else talk.history
        self.focused(welcome.focus)

    def focused(self, group: Group | None) -> None:
        """The session hears this group instead of global; None: global again."""
        everybody = self.talks[GLOBAL]
        if group is not None and self.focus is None:
            everybody.hole_after = everybody.timeline.last_place
        if group is None and self.focus is not None:
            everybody.history = "hole"
        self.focus = group
        if group is not None:
            self.open_group(group)
        self._tabs_changed = True
        self._touched.add(GLOBAL)

    def look_at(self, key: str) -> None:
        """The user turns to another conversation; what they haven't read there is read now."""
        if key not in self.talks:
            return
        if key != self.front:
            self.front_talk.new_from = 0
        self.front = key
        self.attentive = True
        self.front_talk.unread, self.front_talk.mentioned = 0, False
        self._tabs_changed = True
        self._touched.add(key)

    def open_direct(self, people: Iterable[UserRef]) -> str:
        """Opens the conversation with these people (oneself left out) and returns its key."""
        others = {user.id: user for user in people if user.id != self.own.id} or {self.own.id: self.own}
        ordered = tuple(others[id] for id in sorted(others))
        return self._open(Talk(self.direct_key(ordered), "direct", people=ordered))

    def open_named(self, names: Iterable[str]) -> str:
        """The same for names; those who were never met get their ids when the log has the first message."""
        met = {name: self.roster.named(name) for name in names}
        refs = [ref for ref in met.values() if ref]
        if len(refs) == len(met):
            return self.open_direct(refs)
        people = tuple(ref or UserRef(0, name) for name, ref in met.items())
        return self._open(Talk("to:" + ",".join(sorted(map(name_key, met))), "direct", people=people))

    def open_group(self, group: Group) -> str:
        """Opens a group's conversation and returns its key."""
        key = self._open(Talk(conversation_key(group), "group", group=group))
        self.talks[key].group = group
        self.talks[key].member = True
        return key

    def open_target(self, to: Target) -> str:
        """Opens the conversation that something was said in, as far as it is known, and returns its key."""
        match to:
            case ToUsers(names):
                return self.open_named(names)
            case ToGroup(name):
                info = self.roster.group_named(name)
                return self.open_group(info.group) if info else GLOBAL
        return GLOBAL

    def open_known(self, conversation: Conversation) -> str:
        """Opens a conversation of the past and returns its key."""
        match conversation:
            case Direct(users):
                return self.open_direct(users)
            case Group() as group:
                key = self._open(Talk(conversation_key(group), "group", group=group))
                self.talks[key].member = self.roster.is_member(self.own.id, group.id)
                return key
        return GLOBAL

    def close(self, key: str) -> None:
        """Takes a conversation off the tabs; the global one stays."""
        if key == GLOBAL or key not in self.talks:
            return
        keys = list(self.talks)
        if key == self.front:
            self.look_at(keys[keys.index(key) - 1])
        del self.talks[key]
        self._tabs_changed = True

    def step(self, by: int) -> str:
        """The key of the tab so many places to the right of the one in front, around the ends."""
        keys = list(self.talks)
        return keys[(keys.index(self.front) + by) % len(keys)]

    def _open(self, talk: Talk) -> str:
        if talk.key not in self.talks:
            if len(self.talks) >= MAX_TALKS:
                self.close(next(key for key in self.talks if key not in (GLOBAL, self.front)))
            self.talks[talk.key] = talk
            talk.draft = self._drafts.pop(talk.key, "")
            talk.read_upto = self._read.get(talk.key, 0)
            self._tabs_changed = True
        return talk.key

    def direct_key(self, others: Iterable[UserRef]) -> str:
        """The key of the conversation with these people."""
        everyone = sorted({self.own, *others}, key=lambda user: user.id)
        return conversation_key(Direct(tuple({user.id: user for user in everyone}.values())))

    # What happened.

    def heard(self, event: Event) -> None:
        """Takes in one event, however it came."""
        self._log_end = max(self._log_end, event.seq)
        self.roster.heard(event)
        match event:
            case Message():
                self._heard_message(event)
            case MessageEdited() | MessageDeleted():
                self._heard_amendment(event)
            case _:
                self._heard_change(event)

    def _heard_change(self, event: Event) -> None:
        """Somebody came or went, or something has changed about people or groups."""
        self._roster_changed = self._tabs_changed = True
        self._heard_of_own(event)
        entry = self._amendments.entry(event, self.own)
        for key in dict.fromkeys(places_of(event, self.roster, lambda user: self.direct_key([user]))):
            if key in self.talks:
                self.talks[key].timeline.add(entry)
                self._touched.add(key)

    def _heard_message(self, message: Message) -> None:
        entry = self._amendments.entry(message, self.own)
        if isinstance(message.conversation, Broadcast):
            if self.talks[GLOBAL].timeline.add(entry):
                self._count(self.talks[GLOBAL], entry, mention=entry.announcement)
            self.front_talk.timeline.add(entry)
            self._touched.update((GLOBAL, self.front))
            return
        talk = self._talk_of(message)
        if talk.timeline.add(entry):
            self._count(talk, entry, mention=entry.mention or talk.kind == "direct")
        self._touched.add(talk.key)

    def _heard_amendment(self, event: MessageEdited | MessageDeleted) -> None:
        """A message is another now, or gone, wherever it is shown."""
        self._amendments.heard(event)
        for talk in self.talks.values():
            for timeline in (talk.timeline, talk.excerpt.timeline if talk.excerpt else None):
                if timeline and timeline.amend(event.message, lambda entry: self._amendments.amended(entry, self.own)):
                    self._touched.add(talk.key)
            if isinstance(event, MessageDeleted):
                talk.gone(event.message)

    def _talk_of(self, message: Message) -> Talk:
        """The conversation of a message, opened if need be."""
        match message.conversation:
            case Direct(users):
                self._settle_names(message.cid, users)
                return self.talks[self.open_direct(users)]
            case Group() as group:
                return self.talks[self._open(Talk(conversation_key(group), "group", group=group))]
        return self.talks[GLOBAL]

    def _settle_names(self, cid: bytes, users: tuple[UserRef, ...]) -> None:
        """A conversation that was opened by names alone becomes the one that the log knows."""
        old = next(
            (talk for talk in self.talks.values() if talk.key.startswith("to:") and talk.timeline.has(cid)), None
        )
        if old is None:
            return
        key = self.open_direct(users)
        for entry in old.timeline.on_the_way():
            self.talks[key].timeline.adopt(entry)
        if self.front == old.key:
            self.look_at(key)
        self.close(old.key)

    def _heard_of_own(self, event: Event) -> None:
        """What concerns the user or their groups, which may have happened on another device."""
        match event:
            case GroupCreated(group=group, by=user) | GroupJoined(group=group, user=user) if user.id == self.own.id:
                self.open_group(group)
            case GroupCreated(group=group, members=members) if self.own in members:
                self.open_group(group)
            case GroupLeft(group=group, user=user) if user.id == self.own.id:
                self.left(group)
            case GroupDeleted(group=group):
                self.left(group)
            case GroupRenamed(group=group):
                self._renamed(group)

    def _renamed(self, group: Group) -> None:
        talk = self.talks.get(conversation_key(group))
        if talk:
            talk.group = group
        if self.focus and self.focus.id == group.id:
            self.focus = group

    def entered(self, info: GroupInfo, focus: bool) -> str:
        """A group was created or joined; returns the key of its conversation."""
        self.roster.entered(info)
        self._roster_changed = True
        if focus:
            self.focused(info.group)
        return self.open_group(info.group)

    def left(self, group: Group) -> None:
        """The user is in this group no longer; its conversation stays to be read until it is closed."""
        self.roster.left(self.own, group)
        self._roster_changed = True
        talk = self.talks.get(conversation_key(group))
        if talk:
            talk.member = False
            self._touched.add(talk.key)
        if self.focus and self.focus.id == group.id:
            self.focused(None)
        self._tabs_changed = True

    def _count(self, talk: Talk, entry: Entry, *, mention: bool) -> None:
        seen = talk.key == self.front and self.attentive and not talk.in_past
        if talk.came(entry, seen=seen, mention=mention):
            self._tabs_changed = True

    # What was read.

    def attend(self, attentive: bool) -> None:
        """Whether the user sees what comes in front."""
        self.attentive = attentive

    def seen(self, key: str, upto: int) -> bool:
        """The user has read a conversation up to this number; whether that is news."""
        talk = self.talks.get(key)
        if talk is None or not talk.seen(upto):
            return False
        self._tabs_changed = True
        return True

    def marked(self, marked: Marked) -> None:
        """Somebody has got further, or the user has on another device."""
        if marked.user.id == self.own.id:
            self.seen(marked.conversation, marked.read)
        else:
            self.receipts(marked.conversation, [Watermark(marked.user, marked.delivered, marked.read)])

    def receipts(self, key: str, marks: Iterable[Watermark]) -> None:
        """How far those have got who are in a conversation."""
        talk = self.talks.get(key)
        for mark in marks:
            if talk and mark.user.id != self.own.id and talk.marked(mark):
                self._touched.add(key)

    def restore(self, drafts: Mapping[str, str], read: Mapping[str, int]) -> None:
        """What an earlier run of this program had: what was begun, and how far the user had read."""
        self._drafts, self._read = dict(drafts), dict(read)
        self.talks[GLOBAL].draft = self._drafts.pop(GLOBAL, "")
        self.talks[GLOBAL].read_upto = self._read.get(GLOBAL, 0)

    def converses(self, conversations: Iterable[ConversationInfo]) -> None:
        """What the user takes part in, the last used first."""
        self.conversations = {conversation_key(info.conversation): info for info in conversations}
        for key, info in self.conversations.items():
            self._read[key] = max(info.read, self._read.get(key, 0))
            if key in self.talks:
                self.talks[key].seen(info.read)

    # The past.

    def asking_history(self, key: str) -> None:
        """A page of a conversation's past is being fetched."""
        talk = self.talks[key]
        talk.history = "filling" if talk.history == "hole" else "asked"
        self._touched.add(key)

    def history(self, key: str, events: Iterable[Event], more: bool) -> None:
        """The page has come."""
        talk = self.talks.get(key)
        if talk is None:
            return
        page = [self._amendments.entry(event, self.own) for event in events]
        since = talk.timeline.newest_logged
        talk.timeline.add_page(page)
        if talk.history == "filling" and more and page and page[0].place > talk.hole_after:
            # One page does not reach back to where global was last heard. What is older is dropped rather than shown
            # with a hole in it, and comes back page by page when the user scrolls there.
            talk.timeline.forget_before(page[0].place)
        talk.history = "more" if more else "all"
        if talk.read_upto and not since:
            self._count_page(talk, page)
        self._touched.add(key)

    def _count_page(self, talk: Talk, page: Iterable[Entry]) -> None:
        """What was said before this program began to listen, and was never read."""
        talk.unread = 0
        for entry in page:
            if entry.number and talk.came(entry, seen=False, mention=entry.mention or talk.kind == "direct"):
                self._tabs_changed = True

    def no_history(self, key: str) -> None:
        """The page did not come."""
        if key in self.talks:
            talk = self.talks[key]
            talk.history = "hole" if talk.history == "filling" else "failed"
            self._touched.add(key)

    def excerpt(self, key: str, number: int) -> Excerpt:
        """A piece of the past around a message is being fetched, to be shown when it is here."""
        excerpt = Excerpt(number)
        self.talks[key].excerpt = excerpt
        return excerpt

    def excerpt_page(self, key: str, excerpt: Excerpt, history: History, side: str) -> bool:
        """A page of an excerpt has come: the first one (`side` "") or one more. False if it is of no use."""
        talk = self.talks.get(key)
        if talk is None or talk.excerpt is not excerpt:
            return False
        page = [self._amendments.entry(event, self.own) for event in history.events]
        self._touched.add(key)
        if side:
            excerpt.came(side, page, more=history.more if side == "older" else history.newer)
            return True
        return excerpt.first(page, more=history.more, newer=history.newer)

    def back_to_now(self, key: str) -> None:
        """The user has done with the excerpt."""
        if key in self.talks:
            self.talks[key].excerpt = None
            self._touched.add(key)

    def quoted(self, key: str, number: int, words: str) -> None:
        """What messages that answer this one quote of it."""
        talk = self.talks.get(key)
        if talk:
            talk.timeline.quote(number, words)
            if talk.excerpt:
                talk.excerpt.timeline.quote(number, words)
            self._touched.add(key)

    # Messages of one's own, and the client's words.

    def posted(
        self, key: str, cid: bytes, text: str, time_us: int, kind: str = "message", reply_to: int = 0, error: str = ""
    ) -> None:
        """A message was handed to the connection. `kind`: "message" or "broadcast"; `error`: it has failed already."""
        entry = Entry(
            0, time_us, kind, shown(text), self.own.name, self.own.id, cid=cid, reply_to=reply_to,
            state="failed" if error else "pending", note=error,
        )  # fmt: skip
        self.talks[key].timeline.pending(entry, self._log_end)
        self._touched.add(key)

    def sent(self, cid: bytes, seq: int, time_us: int, unknown: tuple[str, ...], away: Mapping[str, str]) -> None:
        """The log has it. `unknown` as in `model.Ok`; `away`: who is not here, and "away, last seen ..." of each."""
        notes = [f"nobody is called {names_in_words(unknown)}"] if unknown else []
        if len(away) > 1:
            notes.append(f"{names_in_words(away)} are away")
        notes += [f"{name} is {words}" for name, words in away.items() if len(away) == 1]
        note = " · ".join(notes)
        keys = [key for key, talk in self.talks.items() if talk.timeline.sent(cid, seq, time_us, note, away=bool(away))]
        self._touched.update(keys)

    def failed(self, cid: bytes, reason: str) -> None:
        """The server refused it."""
        self._touched.update([key for key, talk in self.talks.items() if talk.timeline.failed(cid, reason)])

    def again(self, cid: bytes) -> bool:
        """A message that had failed is on its way again; False if it is not here."""
        keys = [key for key, talk in self.talks.items() if talk.timeline.again(cid)]
        self._touched.update(keys)
        return bool(keys)

    def take_back(self, cid: bytes) -> None:
        """Removes a message that didn't get out."""
        for key, talk in self.talks.items():
            if talk.timeline.take_back(cid) is not None:
                self._touched.add(key)

    def answer(self, key: str, entry: Entry | None) -> None:
        """What is typed in a conversation answers this message; None: no longer any."""
        if key in self.talks:
            self.talks[key].answering, self.talks[key].editing = entry, None
            self._touched.add(key)

    def edit(self, key: str, entry: Entry | None) -> None:
        """What is typed in a conversation will be put in the place of this message; None: no longer of any."""
        if key in self.talks:
            self.talks[key].answering, self.talks[key].editing = None, entry
            self._touched.add(key)

    def draft(self, key: str, text: str) -> None:
        """Keeps what was begun in a conversation."""
        if key in self.talks:
            self.talks[key].draft = text

    def note(self, text: str, time_us: int, kind: str = "notice", key: str = "") -> None:
        """Writes the client's own or the server's words into a conversation, the one in front unless named."""
        key = key if key in self.talks else self.front
        self.talks[key].timeline.add_local(kind, text, time_us, self._log_end)
        self._touched.add(key)

    def clear(self, key: str) -> None:
        """Empties a conversation's view; what was there can be fetched again."""
        self.talks[key].timeline.clear()
        self.talks[key].history = "cleared"
        self._touched.add(key)

    # Lists.

    def listed(self, users: Iterable[UserInfo], groups: Iterable[GroupInfo]) -> None:
        """The lists that `roster.asked` announced have come."""
        self.roster.listed(users, groups)
        for info in self.roster.groups.values():
            if self.roster.is_member(self.own.id, info.group.id):
                self.open_group(info.group)
        for talk in list(self.talks.values()):
            if talk.group and not self.roster.is_member(self.own.id, talk.group.id):
                talk.member = False
        self._roster_changed = self._tabs_changed = True
