"""What can be done about a person, and by whom."""

from textual.widgets import Input

from mystic_client.tui.screens.person import BAN_SECONDS, Sentence, SentenceForm, Spans, person_rows
from mysticproto.model import FOR_EVER_US, GroupInfo, UserInfo
from tests.support.fake_session import ANA, BOB, DEV, EVA, NOON_US, OWN
from tests.support.widget_app import WidgetApp, at

GROUP = GroupInfo(DEV, OWN, (OWN, ANA), kept=True)


def acts(who: UserInfo, own: UserInfo, group: GroupInfo | None = None) -> list[str]:
    return [row.act for row in person_rows(who, own, group, NOON_US) if row.act]


def test_everybody_may_write_and_mention() -> None:
    assert acts(UserInfo(ANA), UserInfo(OWN)) == ["message", "mention"]
    assert acts(UserInfo(OWN), UserInfo(OWN)) == ["account"]


def test_owners_have_their_group() -> None:
    own = UserInfo(OWN, "member")
    assert acts(UserInfo(ANA), own, GROUP)[2:] == ["hand-over", "remove"]
    assert acts(UserInfo(BOB), own, GROUP)[2:] == ["add"]
    assert acts(UserInfo(BOB), own, GroupInfo(DEV, OWN, (OWN,)))[2:] == [], "nobody is added to a room"
    assert acts(UserInfo(ANA), own, GroupInfo(DEV, BOB, (BOB, ANA)))[2:] == []


def test_operators_keep_the_peace() -> None:
    own = UserInfo(OWN, "operator")
    assert acts(UserInfo(ANA), own)[2:] == ["mute:600", "mute:3600", "mute:0", "kick", "ban"]
    assert acts(UserInfo(EVA, "member", here=False, muted_until_us=FOR_EVER_US), own)[2:] == [
        "unmute",
        "ban",
        "role:operator",
        "delete-account",
    ]
    assert acts(UserInfo(BOB, "operator"), own)[2:] == ["role:member"]


async def test_a_sentence_by_keys_alone() -> None:
    app = WidgetApp()
    said: list[Sentence | None] = []
    async with app.run_test() as pilot:
        app.push_screen(SentenceForm("Ban", "Ban", "", BAN_SECONDS), said.append)
        await pilot.pause()
        await pilot.press("enter")
        assert said == [], "nobody was named"
        await pilot.press(*"ana", "tab", *"spam", "tab", "down", "enter")
        assert said == [Sentence("ana", "spam", 3600)]


async def test_a_sentence_by_mouse_alone() -> None:
    app = WidgetApp()
    said: list[Sentence | None] = []
    async with app.run_test() as pilot:
        app.push_screen(SentenceForm("Ban [/b]", "[Ban]", "ana", BAN_SECONDS), said.append)
        await pilot.pause()
        app.screen.query_one("#reason", Input).value = "why[/]"
        spans = app.screen.query_one(Spans)
        await pilot.click(spans, offset=at(spans, "week"))
        assert said == [], "choosing how long is not yet the ban"
        await pilot.click("#sure")
        app.push_screen(SentenceForm("Kick", "Kick", "ana"), said.append)
        await pilot.pause()
        await pilot.click("#sure")
        app.push_screen(SentenceForm("Kick", "Kick", "ana"), said.append)
        await pilot.pause()
        await pilot.click(".close")
        assert said == [Sentence("ana", "why[/]", 7 * 86400), Sentence("ana", ""), None]
