"""Where events that are no messages are shown."""

from collections.abc import Callable

from mystic_client.model.roster import Roster
from mystic_client.model.talk import GLOBAL
from mysticproto.model import (
    AccountClaimed,
    AccountDeleted,
    Event,
    GroupDeleted,
    GroupHandedOver,
    GroupJoined,
    GroupKept,
    GroupLeft,
    GroupRenamed,
    Moderated,
    UserJoined,
    UserLeft,
    UserRef,
    conversation_key,
)


def places_of(event: Event, roster: Roster, direct_key: Callable[[UserRef], str]) -> list[str]:
    """The keys of conversations; `direct_key` gives that of the conversation with somebody."""
    match event:
        case UserJoined(user=user) | UserLeft(user=user) | AccountClaimed(user=user) | AccountDeleted(user=user):
            return [GLOBAL, direct_key(user)]
        case GroupDeleted(group=group):
            return [GLOBAL, conversation_key(group)]
        case (
            GroupJoined(group=group)
            | GroupLeft(group=group)
            | GroupRenamed(group=group)
            | GroupHandedOver(group=group)
            | GroupKept(group=group)
        ):
            return [conversation_key(group)]
        case Moderated(target=target):
            about = roster.named(target)
            return [GLOBAL, *([direct_key(about)] if about else [])]
    return [GLOBAL]
