"""What can be done with a message."""

from msgspec.structs import replace

from mystic_client.model.message_acts import ACTS, possible
from mystic_client.model.timeline import Entry

THEIRS = Entry(5, 0, "message", "hi", "ana", 2)
MINE = replace(THEIRS, own=True, state="sent")


def names(entry: Entry, **more: bool) -> list[str]:
    return [act.name for act in possible(entry, **more)]


def test_others_messages_can_be_answered_and_one_s_own_changed() -> None:
    assert names(THEIRS) == ["reply", "copy", "author"]
    assert names(replace(THEIRS, reply_to=3)) == ["original", "reply", "copy", "author"]
    assert names(THEIRS, operator=True) == ["reply", "copy", "author", "delete"]
    assert names(MINE) == ["reply", "edit", "copy", "delete"]
    assert names(MINE, receipts=True) == ["reply", "edit", "copy", "readers", "delete"]


def test_what_is_not_in_the_log_can_only_be_sent_again_or_given_up() -> None:
    assert names(replace(MINE, local=True, state="failed")) == ["retry", "drop", "copy"]
    assert names(replace(MINE, local=True, state="pending")) == ["copy"]


def test_nothing_is_left_of_a_deleted_one_and_of_what_nobody_said() -> None:
    assert names(replace(MINE, deleted=True, text="")) == []
    assert names(replace(THEIRS, kind="event")) == []


def test_a_text_that_is_not_here_as_a_whole_cannot_be_edited() -> None:
    assert "edit" not in names(replace(MINE, text="x" * 20_000))


def test_every_act_has_a_key_of_its_own() -> None:
    assert len({act.key for act in ACTS}) == len(ACTS)
