"""Where one can go: conversations that are open or were, groups, and people; and which of them fit what was typed."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from msgspec import Struct

from mystic_client.model.store import Store
from mystic_client.model.text import counted, names_in_words
from mystic_client.model.whereabouts import ago
from mysticproto.model import ConversationInfo, Direct, Group, UserRef, conversation_key
from mysticproto.names import NameRefused, check_user_name

MAX_OFFERED: Final = 200
_SIGNS: Final = " -_.,"


class Destination(Struct, frozen=True):
    """`kind`: "global", "group", "direct" or "name" (somebody whom only the server may know).

    `key` is that of an open conversation or "", `group` and `people` say which one is to be opened otherwise.
    """

    kind: str
    title: str
    hint: str = ""
    key: str = ""
    group: Group | None = None
    people: tuple[UserRef, ...] = ()
    urgent: bool = False


def destinations(store: Store, now_us: int) -> list[Destination]:
    """All there are: the open ones first, those with something unread before the others."""
    found: dict[str, Destination] = {}
    for key, destination in _all(store, now_us):
        found.setdefault(key, destination)
    return sorted(found.values(), key=lambda destination: not destination.urgent)


def _all(store: Store, now_us: int) -> Iterator[tuple[str, Destination]]:
    for talk in store.talks.values():
        hint = f"{talk.unread} new" if talk.unread else "open"
        yield talk.key, Destination(talk.kind, talk.title, hint, talk.key, talk.group, talk.people, talk.unread > 0)
    for key, info in store.conversations.items():
        yield key, _past(store, info, now_us)
    for group in store.roster.groups.values():
        hint = counted(len(group.members), "member")
        yield conversation_key(group.group), Destination("group", group.group.name, hint, group=group.group)
    for user in [*store.roster.users.values(), *reversed(store.roster.away.values())]:
        if user.user.id != store.own.id:
            hint = "here" if user.here else f"away {ago(user.last_seen_us, now_us)}".rstrip()
            key = store.direct_key([user.user])
            yield key, Destination("direct", user.user.name, hint, people=(user.user,))


def _past(store: Store, info: ConversationInfo, now_us: int) -> Destination:
    hint = ago(info.last_us, now_us)
    urgent = info.last > info.read > 0
    match info.conversation:
        case Direct(users):
            others = tuple(user for user in users if user.id != store.own.id) or users
            return Destination("direct", names_in_words(user.name for user in others), hint, "", None, others, urgent)
        case Group() as group:
            return Destination("group", group.name, hint, "", group, (), urgent)
    return Destination("global", "Global", hint, "global")


def fitting(typed: str, everywhere: Iterable[Destination]) -> list[Destination]:
    """The destinations that fit, the best first; at the end a way to write to whoever has this name."""
    wanted = typed.strip().removeprefix("@").removeprefix("#").casefold()
    scored = [(score(wanted, place.title.casefold()), place) for place in everywhere]
    places = [place for points, place in sorted(scored, key=lambda pair: pair[0]) if points < NO_FIT][:MAX_OFFERED]
    if wanted and not any(place.title.casefold() == wanted for place in places):
        with suppress(NameRefused):
            places.append(Destination("name", check_user_name(typed.strip().removeprefix("@")), "write to this name"))
    return places


NO_FIT: Final = 1_000_000


def score(wanted: str, title: str) -> int:
    """How well a title fits, 0 best: all of it, its beginning, a word's, inside, or its letters in this order."""
    if title.startswith(wanted):
        return int(title != wanted)
    at = title.find(wanted)
    if at >= 0:
        return 2 if title[at - 1] in _SIGNS else 3
    position, gaps = -1, 0
    for letter in wanted:
        found = title.find(letter, position + 1)
        if found < 0:
            return NO_FIT
        gaps += found - position - 1
        position = found
    return 10 + gaps
