"""The commands of owners and operators carried out."""

from __future__ import annotations

from mystic_client.tui.keeping import NO_GROUP
from mysticproto import model
from mysticproto.model import FOR_EVER_US, BanInfo, GroupInfo
from tests.client.tui.test_deeds import Acting
from tests.client.tui.test_line import turn
from tests.support.fake_session import ANA, DEV, NOON_US, OWN


async def in_group() -> Acting:
    acting = Acting()
    await turn()
    acting.line.store.look_at(acting.line.store.entered(GroupInfo(DEV, OWN, (OWN, ANA)), focus=False))
    acting.session.requests.clear()
    return acting


async def test_commands_of_owners_are_about_the_group_in_front() -> None:
    acting = await in_group()
    for line in ("/add bob", "/remove ana", "/rename ops", "/handover ana", "/keep", "/keep off", "/delete-group"):
        await acting.type(line)
    assert acting.session.requests == [
        model.AddMember(1, "dev", "bob"),
        model.RemoveMember(2, "dev", "ana"),
        model.RenameGroup(3, "dev", "ops"),
        model.HandOver(4, "dev", "ana"),
        model.KeepGroup(5, "dev", True),
        model.KeepGroup(6, "dev", False),
        model.DeleteGroup(7, "dev"),
    ]
    assert acting.stage.did == [("ask", "End the group dev for all its members?")]


async def test_elsewhere_they_say_so() -> None:
    acting = await in_group()
    acting.line.store.look_at("global")
    await acting.type("/add bob")
    assert acting.session.requests == []
    assert acting.texts()[-1] == ("error", NO_GROUP)


async def test_commands_of_operators() -> None:
    acting = await in_group()
    for line in (
        "/kick ana loud", "/ban ana 1h", "/unban ana", "/mute ana", "/unmute ana", "/role ana operator",
        "/announce tea", "/shutdown", "/shutdown cancel",
    ):  # fmt: skip
        await acting.type(line)
    assert acting.session.requests == [
        model.Kick(1, "ana", "loud"),
        model.Ban(2, "ana", 3600),
        model.Unban(3, "ana"),
        model.Mute(4, "ana"),
        model.Unmute(5, "ana"),
        model.SetRole(6, "ana", "operator"),
        model.Announce(7, "tea"),
        model.Shutdown(8),
        model.Shutdown(9, True),
    ]
    assert len(acting.stage.did) == 1


async def test_who_thinks_better_of_it_asks_nothing_of_the_server() -> None:
    acting = await in_group()
    acting.stage.answer = False
    await acting.type("/shutdown")
    await acting.type("/delete-group")
    assert acting.session.requests == []


async def test_a_refusal_is_said_where_one_is() -> None:
    acting = await in_group()
    acting.server.refusals[model.Kick] = model.Refused(1, "not_allowed", "That is for operators.")
    await acting.type("/kick ana")
    assert acting.texts("group:7")[-1] == ("error", "That is for operators.")


async def test_bans_are_listed() -> None:
    acting = await in_group()
    acting.server.bans = [BanInfo("ana", OWN, "[loud]", NOON_US, FOR_EVER_US), BanInfo("::1", OWN, "", 1, NOON_US)]
    await acting.type("/bans")
    kind, text = acting.texts("group:7")[-1]
    assert (kind, text.split("\n")[:2]) == ("notice", ["2 bans:", "ana for ever, by zoe: [loud]"])
    acting.server.bans = []
    await acting.type("/bans")
    assert acting.texts("group:7")[-1] == ("notice", "Nobody is banned.")
