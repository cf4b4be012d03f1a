"""Commands carried out."""

from __future__ import annotations

import pytest

from mystic_client.model.commands import parse
from mystic_client.model.talk import GLOBAL
from mystic_client.tui.deeds import Deeds
from mysticproto import model
from mysticproto.model import GroupInfo, ToEveryone, ToGlobal, ToGroup, ToUsers
from tests.client.tui.test_line import Joined, focus_of, turn
from tests.support.fake_session import ANA, BOB, DEV, OWN, FakeServer, said


class Stage:
    """Writes down what the app would do."""

    def __init__(self) -> None:
        self.did: list[tuple[str, ...]] = []
        self.answer = True

    def disconnect(self) -> None:
        self.did.append(("disconnect",))

    def action_help(self) -> None:
        self.did.append(("help",))

    def open_folder(self, path: str) -> None:
        self.did.append(("folder", path))

    def download(self, path: str, protocol: str) -> None:
        self.did.append(("download", path, protocol))

    def put(self, path: str, key: str) -> None:
        self.did.append(("put", path, key))

    def action_dialog(self, what: str) -> None:
        self.did.append(("dialog", what))

    def open_search(self, words: str) -> None:
        self.did.append(("search", words))

    def tell(self, text: str) -> None:
        self.did.append(("tell", text))

    async def ask_user(self, question: str, yes: str, no: str) -> bool:
        self.did.append(("ask", question))
        return self.answer


class Acting(Joined):
    """A line with somebody who types."""

    def __init__(self, *, keeps_global: bool = False) -> None:
        server = FakeServer()
        server.groups = [GroupInfo(DEV, ANA, (ANA, BOB))]
        super().__init__(server)
        self.stage = Stage()
        self.deeds = Deeds(self.line, self.stage, keeps_global=keeps_global)

    async def type(self, line: str) -> None:
        command = parse(line)
        await self.deeds.carry_out(command, self.line.store.front)  # type: ignore[arg-type]
        await turn()

    @property
    def posted(self) -> list[tuple[model.Target, str]]:
        return [(to, text) for _, to, text in self.session.posts]


@pytest.fixture
async def acting() -> Acting:
    acting = Acting()
    await turn()
    return acting


async def test_saying_something_goes_where_one_is(acting: Acting) -> None:
    await acting.type("hello")
    await acting.type("mystic broadcast all of you")
    await acting.type("/to ana, bob you two")
    await acting.type("and more")
    await acting.type("mystic pm ana you")
    assert acting.posted == [
        (ToGlobal(), "hello"),
        (ToEveryone(), "all of you"),
        (ToUsers(("ana", "bob")), "you two"),
        (ToUsers(("ana", "bob")), "and more"),
        (ToUsers(("ana",)), "you"),
    ]
    assert list(acting.line.store.talks) == [GLOBAL, "direct:1,2,3", "direct:1,2"]


async def test_lists_are_shown_in_the_conversation(acting: Acting) -> None:
    await acting.type("mystic users")
    await acting.type("mystic groups")
    assert [text for _, text in acting.texts()] == ["Online users: zoe, ana, bob, eva", "Groups: dev (2 members)"]
    acting.line.store.roster.groups.clear()
    await acting.type("/clear")
    await acting.type("/groups")
    assert [text for _, text in acting.texts()] == [
        "The view was emptied. Nothing was deleted.",
        "No groups exist yet.",
    ]


async def test_what_the_app_does(acting: Acting) -> None:
    for line in ("/help", "mystic disconnect", "/files Music", "mystic download a b.txt UDP"):
        await acting.type(line)
    assert acting.stage.did == [("help",), ("disconnect",), ("folder", "Music"), ("download", "a b.txt", "udp")]


async def test_rooms_are_one_at_a_time(acting: Acting) -> None:
    await acting.type("mystic create group ops")
    assert focus_of(acting) == "ops"
    await acting.type("in ops")
    assert acting.posted[-1] == (ToGroup("ops"), "in ops")
    acting.stage.answer = False
    await acting.type("mystic join group dev")
    assert acting.stage.did[-1] == ("ask", "You are in ops. Leave it and go to dev?")
    assert focus_of(acting) == "ops"
    acting.stage.answer = True
    await acting.type("mystic join group dev")
    assert focus_of(acting) == "dev"
    await acting.type("mystic join group dev")
    assert acting.line.store.front == "group:7"
    await acting.type("mystic leave group")
    assert focus_of(acting) == ""
    requests = [type(request).__name__ for request in acting.session.requests if "Group" in type(request).__name__]
    assert requests == ["ListGroups", "CreateGroup", "LeaveGroup", "JoinGroup", "LeaveGroup"]


async def test_a_refused_leave_goes_nowhere(acting: Acting) -> None:
    await acting.type("/create ops")
    acting.server.refusals[model.LeaveGroup] = model.Refused(1, "internal", "No.")
    await acting.type("/join dev")
    assert focus_of(acting) == "ops"


async def test_several_groups_when_global_is_kept() -> None:
    acting = Acting(keeps_global=True)
    await turn()
    await acting.type("/create ops")
    await acting.type("/join dev")
    assert acting.stage.did == []
    assert acting.line.store.focus is None
    assert [talk.title for talk in acting.line.store.talks.values()] == ["Global", "ops", "dev"]


async def test_closing_a_group_leaves_it(acting: Acting) -> None:
    store = acting.line.store
    await acting.type("/join dev")
    acting.server.refusals[model.LeaveGroup] = model.Refused(1, "internal", "No.")
    await acting.deeds.close("group:7")
    assert "group:7" in store.talks
    acting.server.refusals.clear()
    await acting.deeds.close("group:7")
    assert list(store.talks) == [GLOBAL]
    await acting.deeds.close(GLOBAL)
    await acting.deeds.close("nothing")
    assert list(store.talks) == [GLOBAL]
    key = store.open_direct([ANA])
    await acting.deeds.close(key)
    assert list(store.talks) == [GLOBAL]


async def test_opening_a_group_joins_it_once(acting: Acting) -> None:
    await acting.deeds.open_group(DEV)
    assert acting.line.store.roster.is_member(OWN.id, DEV.id)
    acting.line.store.look_at(GLOBAL)
    await acting.deeds.open_group(DEV)
    assert acting.line.store.front == "group:7"
    assert [request for request in acting.session.requests if isinstance(request, model.JoinGroup)] != []
    assert len([request for request in acting.session.requests if isinstance(request, model.JoinGroup)]) == 1


async def test_what_the_screen_is_asked_for(acting: Acting) -> None:
    for line in ("/search old disks", "/password", "/help", "/files a/b"):
        await acting.type(line)
    assert acting.stage.did == [("search", "old disks"), ("dialog", "account"), ("help",), ("folder", "a/b")]


async def test_the_last_message_of_ones_own_is_edited_deleted_and_asked_about(acting: Acting) -> None:
    await acting.type("/edit nothing yet")
    assert acting.texts()[-1] == ("error", "There is no message of yours here.")
    acting.line.heard([said(5, OWN, "frist", DEV), said(6, ANA, "what?", DEV)])
    acting.line.store.look_at("group:7")
    acting.session.requests.clear()
    await acting.type("/edit first")
    await acting.type("/delete")
    await acting.type("/whoread")
    assert acting.session.requests == [
        model.Edit(1, 5, "first"),
        model.Delete(2, 5),
        model.GetReceipts(3, "group:7"),
    ]
    assert acting.stage.did[-1] == ("tell", "Read by 0 of 0.")
    acting.server.refusals[model.Edit] = model.Refused(1, "muted", "No.")
    await acting.type("/edit again")
    assert acting.texts("group:7")[-1] == ("error", "No.")
