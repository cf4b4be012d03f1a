"""Who may silence, remove and keep out whom, for how long, and what the others are told."""

from __future__ import annotations

import pytest

from mystic_server.domain import policy
from mystic_server.domain.decide_moderation import address_is_banned, ban_bye, list_bans, muted_refused
from mystic_server.domain.events import Banned, Kicked, Muted
from mystic_server.domain.world import Ban, User
from mysticproto.errors import Code
from mysticproto.model import FOR_EVER_US, MAX_REASON_CHARS, Refused
from tests.support.transcript import (
    START_US,
    Person,
    Request,
    Room,
    announce,
    ban,
    kick,
    mute,
    say,
    say_in,
    shout,
    tell,
    unban,
    unmute,
)

KEY, OTHER, THIRD = b"k" * 32, b"o" * 32, b"t" * 32
SECOND_US = 1_000_000


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def olga(room: Room) -> Person:
    return room.operator("olga", KEY)


def refusal(person: Person, request: Request) -> str:
    decision = person.room.decides(person, request)
    assert isinstance(decision, Refused), decision
    assert decision.n == request.n
    assert decision.text.endswith(".") and decision.text.isprintable() and len(decision.text) < 300
    return decision.code


@pytest.mark.parametrize(
    "request_", [kick("bob"), ban("bob"), ban("10.0.0.1"), unban("bob"), mute("bob"), unmute("bob"), announce("hear")]
)
def test_only_operators_keep_the_peace(room: Room, request_: Request) -> None:
    ana = room.comes("ana", OTHER)
    room.comes("bob")
    assert refusal(ana, request_) == Code.NOT_ALLOWED


@pytest.mark.parametrize("act", [kick, ban, mute, unmute])
def test_not_against_oneself_nor_against_operators(room: Room, olga: Person, act: type[Request]) -> None:
    room.operator("omar", OTHER)
    assert refusal(olga, act("olga")) == Code.NOT_TO_YOURSELF  # type: ignore[call-arg,arg-type]
    assert refusal(olga, act("omar")) == Code.NOT_ALLOWED  # type: ignore[call-arg,arg-type]


def test_whom_nobody_knows_or_who_is_not_here(room: Room, olga: Person) -> None:
    bob = room.comes("bob")
    assert refusal(olga, kick("zed")) == Code.UNKNOWN_USER
    assert refusal(olga, mute("zed")) == Code.UNKNOWN_USER
    assert isinstance(room.decides(olga, kick("BOB")), Kicked)
    bob.ends("left")
    assert refusal(olga, kick("bob")) == Code.UNKNOWN_USER
    assert isinstance(room.decides(olga, mute("bob")), Muted)


def test_what_a_reason_may_be(room: Room, olga: Person) -> None:
    room.comes("bob")
    kicked = room.decides(olga, kick("bob", " \x1b[31mspam\nand \u202eeggs " + "x" * 5_000))
    assert isinstance(kicked, Kicked)
    assert kicked.reason.startswith("spam and \ufffdeggs xxx")
    assert len(kicked.reason) == MAX_REASON_CHARS


@pytest.mark.parametrize(("seconds", "until_us"), [(0, FOR_EVER_US), (60, 60 * SECOND_US), (2**62, FOR_EVER_US)])
def test_how_long_it_lasts(room: Room, olga: Person, seconds: int, until_us: int) -> None:
    room.comes("bob")
    now_us = room.now_us
    expected = until_us if until_us == FOR_EVER_US else now_us + until_us
    banned, muted = room.decides(olga, ban("bob", seconds)), room.decides(olga, mute("bob", seconds))
    assert isinstance(banned, Banned) and isinstance(muted, Muted)
    assert banned.until_us == muted.until_us == expected
    assert refusal(olga, ban("bob", -1)) == refusal(olga, mute("bob", -1)) == Code.MALFORMED


# Mutes.


@pytest.mark.parametrize(
    ("left_us", "words"),
    [
        (1, "for the next second"),
        (59 * SECOND_US, "for the next 59 seconds"),
        (60 * SECOND_US, "for the next minute"),
        (61 * SECOND_US, "for the next 2 minutes"),
        (3_600 * SECOND_US, "for the next hour"),
        (90_000 * SECOND_US, "for the next 2 days"),
        (FOR_EVER_US, "muted you."),
    ],
)
def test_who_is_muted_is_told_for_how_long_yet(left_us: int, words: str) -> None:
    refused = muted_refused(User(1, "bob", muted_until_us=left_us), 7, 0)
    assert refused and refused.code == Code.MUTED and refused.n == 7
    assert words in refused.text


def test_a_mute_holds_wherever_one_speaks_and_ends_by_itself(room: Room, olga: Person) -> None:
    bob = room.comes("bob")
    olga >> mute("bob", 60, "spam")
    for request in (say("hi"), tell("olga", "hi"), shout("hi"), say_in("", "hi")):
        assert refusal(bob, request) == Code.MUTED
    room.wait(60)
    room.forget()
    bob >> say("hi")
    room.went("""
        olga hears [GLOBAL] bob: hi
        bob is echoed [GLOBAL] bob: hi
        bob gets ok 5
    """)
    assert refusal(olga, unmute("bob")) == Code.NOT_ALLOWED


# Bans.


@pytest.mark.parametrize("target", ["", "all", "a b", "10.0.0.0/99", "\x1b[2J", "x" * 10_000, "a/b"])
def test_what_can_be_no_name_and_no_address(olga: Person, target: str) -> None:
    assert refusal(olga, ban(target)) == Code.NAME_INVALID


@pytest.mark.parametrize("target", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0/0", "::/0", "127.0.0.0/8"])
def test_the_server_s_own_machine_is_not_kept_out(olga: Person, target: str) -> None:
    assert refusal(olga, ban(target)) == Code.NOT_ALLOWED


@pytest.mark.parametrize("target", ["999.1.1.1", "10.1.0.0/33", "10.1", "10.1.2.3.4", "::1::"])
def test_a_mistyped_address_is_no_name(room: Room, olga: Person, target: str) -> None:
    refused = room.decides(olga, ban(target))
    assert isinstance(refused, Refused) and "no address" in refused.text


def test_a_name_that_nobody_has_had_yet_can_be_banned(room: Room, olga: Person) -> None:
    assert room.decides(olga, ban("Zed", 0, "no")) == Banned(olga.session, 1, "Zed", 0, "no", FOR_EVER_US)


def test_there_are_so_many_bans_and_no_more(room: Room, olga: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "MAX_BANS", 2)
    olga >> ban("one", 60)
    olga >> ban("two")
    assert refusal(olga, ban("three")) == Code.LIMIT_REACHED
    assert isinstance(room.decides(olga, ban("ONE")), Banned)
    room.wait(60)
    olga >> ban("three")
    assert sorted(room.world.bans) == ["three", "two"]


def test_who_is_not_banned_cannot_be_let_in_again(room: Room, olga: Person) -> None:
    olga >> ban("bob", 60)
    assert refusal(olga, unban("zed")) == Code.UNKNOWN_USER
    assert refusal(olga, unban("10.0.0.1")) == Code.UNKNOWN_USER
    room.wait(60)
    assert refusal(olga, unban("bob")) == Code.UNKNOWN_USER


def test_bans_are_listed_for_operators_the_oldest_first_without_those_that_are_over(room: Room, olga: Person) -> None:
    olga >> ban("zed")
    olga >> ban("bob", 60, "spam")
    olga >> ban("10.1.2.3/16")
    olga >> ban("2001:db8::1", 90)
    listed = list_bans(room.world, olga.here, 7, room.now_us)
    assert isinstance(listed, list) and len(listed) == 1
    assert [each.target for each in listed[0].bans] == ["zed", "bob", "10.1.0.0/16", "2001:db8::1"]
    bob = listed[0].bans[1]
    assert (bob.by.name, bob.reason, bob.since_us) == ("olga", "spam", START_US + 4 * SECOND_US)
    assert listed[0].bans[0].until_us == FOR_EVER_US and not listed[0].more
    later = list_bans(room.world, olga.here, 7, room.now_us + 70 * SECOND_US)
    assert isinstance(later, list)
    assert [each.target for each in later[0].bans] == ["zed", "10.1.0.0/16", "2001:db8::1"]
    refused = list_bans(room.world, room.comes("ana").here, 7, room.now_us)
    assert isinstance(refused, Refused) and refused.code == Code.NOT_ALLOWED and refused.n == 7


def test_bans_are_listed_in_parts(room: Room, olga: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        olga >> ban(f"bot-{number}")
    monkeypatch.setattr(policy, "LIST_PART", 2)
    parts = list_bans(room.world, olga.here, 7, room.now_us)
    assert isinstance(parts, list)
    assert [(len(part.bans), part.more) for part in parts] == [(2, True), (2, True), (1, False)]
    for number in range(5):
        olga >> unban(f"bot-{number}")
    empty = list_bans(room.world, olga.here, 7, room.now_us)
    assert isinstance(empty, list) and [(part.bans, part.more) for part in empty] == [((), False)]


@pytest.mark.parametrize(
    ("host", "is_out"),
    [("10.1.9.9", True), ("::ffff:10.1.9.9", True), ("10.2.0.1", False), ("bob", False), ("", False)],
)
def test_whose_address_is_banned(room: Room, olga: Person, host: str, is_out: bool) -> None:
    olga >> ban("10.1.0.0/16", 60, "spam")
    olga >> ban("bob")
    found = address_is_banned(room.world, host, room.now_us)
    assert (found is not None) is is_out
    assert address_is_banned(room.world, host, room.now_us + 60 * SECOND_US) is None


def test_the_last_words_to_who_is_banned() -> None:
    bye = ban_bye(Ban("10.1.0.0/16", 1, 0, "spam", 0, 7_200 * SECOND_US), 0)
    assert (bye.code, bye.text) == (Code.BANNED, "Nobody may come in from your network for the next 2 hours: spam")
    assert ban_bye(Ban("bob", 1, 0, "", 0, FOR_EVER_US), 0).text == "bob is banned."


def test_an_announcement_is_a_message_to_everybody(room: Room, olga: Person) -> None:
    room.comes("bob")
    room.forget()
    olga >> announce("back in 5 minutes")
    olga >> announce(" ")
    room.went("""
        bob hears [BROADCAST!] olga: back in 5 minutes
        olga is echoed [BROADCAST!] olga: back in 5 minutes
        olga gets ok 4
        olga is refused: text_empty
    """)
