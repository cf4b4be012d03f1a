"""Which words run what."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, get_args

import pytest

from mystic_client.cli.status import Failure, Status
from mystic_client.cli.visit import Place
from mystic_client.cli.words import parse
from mystic_client.config import Config, Settings
from mystic_client.session.heard import Address
from mysticproto import model
from mysticproto.model import Request
from tests.client.cli.places import place_at
from tests.support.fake_server import FakeServer

MESSAGE = model.Message(7, 1_000_000, model.UserRef(1, "ana"), model.Global(), "hi")
NOWHERE = Place(Address("127.0.0.1", 1), "ana", Config(Settings(), Path()))


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["edit", "7", "hello"], model.Edit(0, 7, "hello")),
        (["delete", "7"], model.Delete(0, 7)),
        (["group", "create", "team", "bob"], model.CreateGroup(0, "team", False, True, ("bob",))),
        (["group", "add", "team", "bob"], model.AddMember(0, "team", "bob")),
        (["group", "remove", "team", "bob"], model.RemoveMember(0, "team", "bob")),
        (["group", "rename", "team", "crew"], model.RenameGroup(0, "team", "crew")),
        (["group", "handover", "team", "bob"], model.HandOver(0, "team", "bob")),
        (["group", "keep", "team"], model.KeepGroup(0, "team", True)),
        (["group", "unkeep", "team"], model.KeepGroup(0, "team", False)),
        (["group", "delete", "team"], model.DeleteGroup(0, "team")),
        (["group", "leave", "team"], model.LeaveGroup(0, "team")),
        (["unregister", "--yes"], model.DeleteAccount(0)),
        (["op", "kick", "bob", "--reason", "loud"], model.Kick(0, "bob", "loud")),
        (["op", "ban", "10.0.0.0/8", "--for", "2h"], model.Ban(0, "10.0.0.0/8", 7200)),
        (["op", "unban", "bob"], model.Unban(0, "bob")),
        (["op", "mute", "bob"], model.Mute(0, "bob")),
        (["op", "unmute", "bob"], model.Unmute(0, "bob")),
        (["op", "role", "bob", "operator"], model.SetRole(0, "bob", "operator")),
        (["op", "announce", "cake"], model.Announce(0, "cake")),
        (["op", "shutdown"], model.Shutdown(0)),
        (["op", "shutdown", "--cancel"], model.Shutdown(0, True)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_what_is_asked_of_the_server(words: list[str], asked: Request, tmp_path: Path) -> None:
    options = parse(words)
    async with FakeServer() as server:
        running = asyncio.create_task(options.run(place_at(server, tmp_path), options))
        peer = await server.accept()
        assert not (await peer.welcome()).watch
        request: Any = await peer.expect(type(asked))
        assert request == type(asked)(request.n, *_fields(asked)[1:])
        peer.say(model.Ok(request.n))
        logout = await peer.expect(model.Logout)
        peer.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))
        await running


@pytest.mark.parametrize(
    "words",
    [
        ["edit", "x", "hello"],
        ["edit", "0", "hello"],
        ["group", "add", "team"],
        ["group", "sing", "team"],
        ["op", "role", "bob", "king"],
        ["op"],
        ["search"],
    ],
)
def test_what_makes_no_sense_is_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2 and "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["receipts"], ["search", "x", "--global", "--group", "team"], ["send", "--to", "bob", "--broadcast", "x"]]
)
def test_places_that_exclude_each_other_or_are_missing(words: list[str]) -> None:
    options = parse(words)
    with pytest.raises(Failure) as refused:
        options.run(NOWHERE, options)
    assert refused.value.status is Status.USAGE


def test_words_with_spaces_are_looked_for_together(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def search(place: Place, words: str, *rest: object, as_json: bool) -> None:
        seen.append(words)

    monkeypatch.setattr("mystic_client.cli.past.search", search)
    options = parse(["search", "cake", "in the kitchen"])
    asyncio.run(options.run(NOWHERE, options))
    assert seen == ['cake "in the kitchen"']


def test_everything_that_members_and_operators_can_ask_for_has_words() -> None:
    """Besides what a session does by itself, and what needs a place in a running conversation."""
    by_itself = {model.Login, model.Logout, model.Ping, model.Fetch, model.Mark, model.SendFile}
    in_a_conversation = {model.JoinGroup}
    sources = "".join(path.read_text() for path in (Path(parse.__code__.co_filename).parent).glob("*.py"))
    missing = [kind for kind in get_args(Request) if kind.__name__ not in sources]
    transfers = {model.OpenDownload, model.OpenUpload, model.Store, model.CancelUpload}
    on_a_screen = {model.WatchFolder}
    assert set(missing) <= by_itself | in_a_conversation | transfers | on_a_screen | {model.Post}


def _fields(request: Request) -> list[Any]:
    return [getattr(request, field) for field in request.__struct_fields__]
