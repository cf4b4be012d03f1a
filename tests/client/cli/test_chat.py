"""`mystic chat` against a scripted server."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from mystic_client.cli.chat import chat, elsewhere
from mystic_client.cli.status import Failure, Status
from mystic_client.model import commands
from mysticproto import model
from mysticproto.native import encode_frame
from tests.client.cli.places import place_at
from tests.support.fake_server import FakeServer, Peer

ANA, BOB = model.UserRef(1, "ana"), model.UserRef(2, "bob")
TEAM = model.Group(4, "team")
INFO = model.GroupInfo(TEAM, ANA, (ANA,))


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.FileIO]:
    """The other end of standard input."""
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as stdin, open(writing, "wb", buffering=0) as file:
        monkeypatch.setattr("sys.stdin", stdin)
        yield file


class Chatting:
    """A chat that runs, and the server's end of it."""

    def __init__(self, task: asyncio.Task[None], peer: Peer, typed: io.FileIO) -> None:
        self.task = task
        self.peer = peer
        self._typed = typed

    def type(self, *lines: str) -> None:
        for line in lines:
            self._typed.write(line.encode() + b"\n")

    async def posts(self, *texts: str) -> list[model.Post]:
        """The next posts, acknowledged."""
        posts = []
        for text in texts:
            post = await self.peer.expect(model.Post)
            assert post.text == text
            self.peer.say(model.Ok(post.n, 90, 90))
            posts.append(post)
        return posts

    async def ends(self) -> None:
        self._typed.close()
        await self.leave()

    async def leave(self) -> None:
        logout = await self.peer.expect(model.Logout)
        self.peer.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))
        await self.task


async def begin(server: FakeServer, folder: Path, typed: io.FileIO, *, keep_hearing_global: bool = False) -> Chatting:
    task = asyncio.create_task(chat(place_at(server, folder, keep_hearing_global=keep_hearing_global)))
    peer = await server.accept()
    assert (await peer.welcome(upto=10)).watch
    return Chatting(task, peer, typed)


async def test_what_is_heard_and_said(tmp_path: Path, typed: io.FileIO, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        talk = await begin(server, tmp_path, typed)
        talk.type(
            "hello", "", "mystic pm bob psst", "/to bob, eve both of you", "mystic broadcast all of you", "//slash"
        )
        posts = await talk.posts("hello", "psst", "both of you", "all of you", "/slash")
        assert [post.to for post in posts] == [
            model.ToGlobal(),
            model.ToUsers(("bob",)),
            model.ToUsers(("bob", "eve")),
            model.ToEveryone(),
            model.ToGlobal(),
        ]
        talk.peer.say(
            model.Message(11, 1, ANA, model.Global(), "hello", posts[0].cid),
            model.Message(12, 1, ANA, model.Global(), "from my other device", b"x" * 16),
            model.Message(13, 1, BOB, model.Direct((ANA, BOB)), "psst yourself"),
            model.UserJoined(14, 1, BOB),
            model.UserLeft(15, 1, BOB, "lost"),
            model.Notice("Closing soon."),
        )
        await talk.ends()
    assert capsys.readouterr().out.splitlines() == [
        "[SERVER] Welcome, ana.",
        "[GLOBAL] ana: from my other device",
        "[PM] bob: psst yourself",
        "[SERVER] bob has joined",
        "[SERVER] bob lost the connection",
        "[SERVER] Closing soon.",
    ]


async def test_groups_and_focus(tmp_path: Path, typed: io.FileIO, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        talk = await begin(server, tmp_path, typed)
        talk.type("mystic create group team", "in the team", "mystic leave group", "back")
        create = await talk.peer.expect(model.CreateGroup)
        assert (create.name, create.focus) == ("team", True)
        talk.peer.say(model.GroupCreated(11, 1, TEAM, ANA), model.Entered(create.n, 11, INFO, focus=True))
        (post,) = await talk.posts("in the team")
        assert post.to == model.ToGroup("team")
        leave = await talk.peer.expect(model.LeaveGroup)
        assert leave.name == ""
        talk.peer.say(model.GroupLeft(12, 1, TEAM, ANA), model.GroupDeleted(12, 1, TEAM), model.Ok(leave.n, 12, 1))
        (post,) = await talk.posts("back")
        assert post.to == model.ToGlobal()
        await talk.ends()
    out = capsys.readouterr().out
    assert "You are in team now" in out and "You have left" in out
    assert "ana has" not in out


async def test_joining_without_focus(tmp_path: Path, typed: io.FileIO) -> None:
    async with FakeServer() as server:
        talk = await begin(server, tmp_path, typed, keep_hearing_global=True)
        talk.type("/join team", "to all")
        join = await talk.peer.expect(model.JoinGroup)
        assert not join.focus
        talk.peer.say(model.Entered(join.n, 11, INFO, focus=False))
        (post,) = await talk.posts("to all")
        assert post.to == model.ToGlobal()
        await talk.ends()


async def test_questions_wait_for_what_was_said_before(
    tmp_path: Path, typed: io.FileIO, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeServer() as server:
        talk = await begin(server, tmp_path, typed)
        talk.type("hi", "mystic users", "mystic groups", "mystic files", "mystic join group no")
        await talk.posts("hi")
        users = await talk.peer.expect(model.ListUsers)
        talk.peer.say(model.Users(users.n, (model.UserInfo(ANA), model.UserInfo(BOB))))
        groups = await talk.peer.expect(model.ListGroups)
        talk.peer.say(model.Groups(groups.n, (INFO,)))
        files = await talk.peer.expect(model.ListFolder)
        talk.peer.say(model.Folder(files.n, "", (model.FolderEntry("a.txt", "file", 3, 1_000_000),), 1))
        join = await talk.peer.expect(model.JoinGroup)
        talk.peer.say(model.Refused(join.n, "unknown_group", "There is no group no."))
        await talk.ends()
    assert capsys.readouterr().out.splitlines()[1:] == [
        "[SERVER] 2 users here:",
        "[SERVER]   ana",
        "[SERVER]   bob",
        "[SERVER] 1 group:",
        "[SERVER]   team: ana",
        "[SERVER] 1 entry:",
        "[SERVER]   3 bytes  1970-01-01  a.txt",
        "[SERVER] There is no group no.",
    ]


async def test_mistakes_and_help(tmp_path: Path, typed: io.FileIO, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        talk = await begin(server, tmp_path, typed)
        talk.type("mystic", "mystic dance", "/nothing", "mystic help", "x" * 40_000, "fine")
        post = await talk.peer.expect(model.Post)
        talk.peer.say(model.Ok(post.n, 1, 1, ("nobody",)))
        await talk.ends()
    out = capsys.readouterr().out
    assert out.count("Command not recognized") == 2 and "Did you mean" in out and "Mystic Commands" in out
    assert "[SERVER] not sent: it is too long" in out
    assert "[SERVER] nobody is called nobody" in out


async def test_downloads_are_finished_before_leaving(
    tmp_path: Path, typed: io.FileIO, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeServer() as server:
        talk = await begin(server, tmp_path, typed)
        talk.type("mystic download some file.txt", "/get nothing")
        typed.close()
        for _ in range(2):
            request = await talk.peer.expect(model.OpenDownload)
            if request.path == "nothing":
                talk.peer.say(model.Refused(request.n, "file_not_found", "There is no such file."))
            else:
                talk.peer.say(model.Ticket(request.n, b"t", request.path, 3, 4, blake3(b"abc").digest()))
        files = await server.accept()
        await files.expect(model.Fetch)
        files.raw(encode_frame(model.FileStart(1, 3, 0)) + b"abc")
        await talk.leave()
    saved = tmp_path / "downloads" / "ana" / "some file.txt"
    out = capsys.readouterr().out
    assert f"[SERVER] some file.txt is saved to {saved}, 3 bytes\n" in out
    assert "[SERVER] nothing was not downloaded: There is no such file.\n" in out
    assert saved.read_bytes() == b"abc"


async def test_disconnecting(tmp_path: Path, typed: io.FileIO, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        talk = await begin(server, tmp_path, typed)
        talk.type("last words", "mystic disconnect", "never said")
        await talk.posts("last words")
        await talk.leave()
    assert "Goodbye!" in capsys.readouterr().out


async def test_a_break_is_said_and_survived(
    tmp_path: Path, typed: io.FileIO, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeServer() as server:
        talk = await begin(server, tmp_path, typed)
        talk.type("before")
        await talk.peer.expect(model.Post)
        talk.peer.reset()
        talk.peer = await server.accept()
        await talk.peer.welcome(upto=10, focus=TEAM)
        await talk.posts("before")
        talk.type("in the team")
        (post,) = await talk.posts("in the team")
        assert post.to == model.ToGroup("team")
        await talk.ends()
    out = capsys.readouterr().out
    assert "trying again" in out and "connected again" in out


async def test_being_replaced_ends_it(tmp_path: Path, typed: io.FileIO, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        talk = await begin(server, tmp_path, typed)
        talk.peer.say(model.Bye("replaced", "You are elsewhere."))
        with pytest.raises(Failure, match="elsewhere") as caught:
            await talk.task
    assert caught.value.status is Status.REFUSED
    assert "[SERVER] You are elsewhere." in capsys.readouterr().out


def test_what_lines_are_not_made_for_says_where_it_is_done() -> None:
    assert "mystic put" in elsewhere(commands.Put("a.txt"))
    assert "mystic search" in elsewhere(commands.Search("cake"))
    assert "mystic register" in elsewhere(commands.Account())
    assert "mystic-tui" in elsewhere(commands.Clear())
