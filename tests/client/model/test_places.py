"""Where events are shown."""

import pytest

from mystic_client.model.places import places_of
from mystic_client.model.roster import Roster
from mysticproto.model import (
    AccountClaimed,
    AccountDeleted,
    Event,
    Group,
    GroupCreated,
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
)

ANA, DEV = UserRef(2, "ana"), Group(7, "dev")
PLACES: list[tuple[Event, list[str]]] = [
    (UserJoined(1, 0, ANA), ["global", "with ana"]),
    (UserLeft(1, 0, ANA, "left"), ["global", "with ana"]),
    (AccountClaimed(1, 0, ANA, "member"), ["global", "with ana"]),
    (AccountDeleted(1, 0, ANA), ["global", "with ana"]),
    (Moderated(1, 0, "mute", ANA, "Ana"), ["global", "with ana"]),
    (Moderated(1, 0, "ban", ANA, "10.0.0.0/8"), ["global"]),
    (GroupCreated(1, 0, DEV, ANA), ["global"]),
    (GroupDeleted(1, 0, DEV), ["global", "group:7"]),
    (GroupJoined(1, 0, DEV, ANA), ["group:7"]),
    (GroupLeft(1, 0, DEV, ANA), ["group:7"]),
    (GroupRenamed(1, 0, DEV, ANA, "old"), ["group:7"]),
    (GroupHandedOver(1, 0, DEV, ANA, ANA), ["group:7"]),
    (GroupKept(1, 0, DEV, ANA, True), ["group:7"]),
]


@pytest.mark.parametrize(("event", "places"), PLACES)
def test_events_are_shown_where_they_matter(event: Event, places: list[str]) -> None:
    roster = Roster()
    roster.remember(ANA)
    assert places_of(event, roster, lambda user: f"with {user.name}") == places
