"""Bytes that make no sense, and requests that ask for what must not be: a clear answer, and everybody else unharmed."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from mysticproto.errors import Code
from mysticproto.model import (
    MAX_TEXT_BYTES,
    CatchUp,
    CreateGroup,
    Fetch,
    FileStart,
    Folder,
    GetHistory,
    History,
    JoinGroup,
    LeaveGroup,
    ListFolder,
    ListGroups,
    ListUsers,
    Login,
    Logout,
    Ok,
    OpenDownload,
    Ping,
    Pong,
    Post,
    Refused,
    Request,
    Ticket,
    ToGlobal,
    ToGroup,
    ToUsers,
    Users,
)
from mysticproto.native import MAX_FAULTS, MAX_REQUEST_BYTES, PREAMBLE, encode_frame
from tests.support.canary import Watch, watched
from tests.support.native_peer import Gone, NativePeer

FAST = "[limits]\nmessages_per_second = 1e6\nmessages_burst = 1000000\ncommands_per_second = 1e6\n"
FAST += "commands_burst = 1000000\ntext_bytes_per_second = 1e9\ntext_bytes_burst = 1000000000\n"
SECRET = b"nobody may read this"
MEMORY_SLACK_BYTES = 8 * 1024 * 1024


@pytest.fixture(scope="module")
def everybodys_watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    with watched(tmp_path_factory.mktemp("bad-input"), FAST) as watch:
        yield watch


@pytest.fixture
def watch(everybodys_watch: Watch) -> Iterator[Watch]:
    """One server bears it all; it is checked after every test."""
    yield everybodys_watch
    everybodys_watch.check()


def frame(body: bytes, length: int | None = None) -> bytes:
    return struct.pack(">I", len(body) if length is None else length) + body


def last_words(peer: NativePeer) -> str:
    bye = peer.read_to_end()
    assert bye is not None and bye.text
    return bye.code


# Other programs' bytes.

NOT_OURS = {
    "http": b"GET / HTTP/1.1\r\nHost: example\r\n\r\n",
    "http post": b"POST /login HTTP/1.1\r\nContent-Length: 9\r\n\r\nname=root",
    "http 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "rdp": bytes.fromhex("030000130ee000000000000100080003000000"),
    "redis": b"*1\r\n$4\r\nPING\r\n",
    "smb": b"\x00\x00\x00\x85\xffSMBr" + bytes(100),
    "a pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00cos\nsystem\n",
    "json": b'{"command": "login", "username": "root"}',
    "zeros": bytes(10_000),
    "chance": random.Random(1).randbytes(100_000),
    "nearly ours": PREAMBLE[:-2] + b"X\x01" + bytes(100),
}


@pytest.mark.parametrize("data", NOT_OURS.values(), ids=list(NOT_OURS))
def test_who_speaks_no_wire_gets_a_sentence_and_nobody_is_made(watch: Watch, data: bytes) -> None:
    with NativePeer(watch.address, greet=False) as stranger:
        stranger.raw(data)
        answer = stranger.raw_to_end()
    assert answer.endswith(b".\r\n") and answer.count(b"\n") == 1 and len(answer) <= 200
    users = watch.ana.ask(Users, ListUsers)
    assert isinstance(users, Users) and len(users.users) == 2


def test_what_begins_like_a_name_and_is_none_is_refused_in_words(watch: Watch) -> None:
    with NativePeer(watch.address, greet=False) as stranger:
        stranger.raw(b"NICK ana\r\nUSER ana 0 * :ana\r\n")
        answer = stranger.raw_to_end()
    assert answer.startswith(b"[SERVER] ") and answer.count(b"\n") == 1 and len(answer) <= 300
    users = watch.ana.ask(Users, ListUsers)
    assert isinstance(users, Users) and len(users.users) == 2


def test_a_version_that_is_not_spoken_is_refused_in_its_own_language(watch: Watch) -> None:
    with NativePeer(watch.address, greet=False) as newer:
        newer.raw(PREAMBLE[:-1] + b"\x07")
        assert last_words(newer) == Code.UNSUPPORTED_VERSION


# Frames.


@pytest.mark.parametrize("logged_in", [False, True])
@pytest.mark.parametrize("length", [MAX_REQUEST_BYTES + 1, 2**31 - 1, 2**32 - 1])
def test_a_frame_that_is_too_large_ends_it_before_it_has_come(watch: Watch, length: int, logged_in: bool) -> None:
    before = watch.memory_bytes()
    with NativePeer(watch.address) as giant:
        if logged_in:
            giant.log_in("giant")
        giant.raw(frame(b"xyz", length))
        assert last_words(giant) == Code.FRAME_TOO_LARGE
    assert watch.memory_bytes() - before < MEMORY_SLACK_BYTES


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\xc1",
        b"\x91" * 60_000,
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\x93\xa4post\x01",
        b"\x92\xa4ping\xa1x",
        b"\x92\xa4ping\xff\xff",
        b"\x95\xa4post\x01\x91\xa9to_global\xa2\xff\xfe\xc4\x00",
        b"\x92\xa4ping\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
        b"\x92\xa4ping\xd7\xff\x00\x00\x00\x00\x00\x00\x00\x00",
        b"\x82\xa1n\x01\xa4kind\xa4ping",
        b"\x92\xa6nobody\x01",
        os.urandom(MAX_REQUEST_BYTES),
        b"\x00" * MAX_REQUEST_BYTES,
    ],
    ids=lambda body: f"{len(body)} bytes {body[:8].hex()}" if len(body) < MAX_REQUEST_BYTES else "much",
)
def test_a_senseless_frame_is_refused_and_the_conversation_goes_on(watch: Watch, body: bytes) -> None:
    with NativePeer(watch.address) as confused:
        for _ in range(2):
            confused.raw(frame(body))
            refused = confused.wait_for(Refused)
            assert refused.code in (Code.MALFORMED, Code.UNKNOWN_REQUEST) and refused.text
        confused.ping()
        confused.log_in("confused")


def test_too_many_senseless_frames_end_it(watch: Watch) -> None:
    with NativePeer(watch.address) as confused:
        confused.raw(frame(b"") * 100_000)
        assert last_words(confused) == Code.MALFORMED
        assert len([said for said in confused.said if isinstance(said, Refused)]) == MAX_FAULTS


def test_the_largest_message_passes_and_a_larger_one_is_refused(watch: Watch) -> None:
    watch.ana.post("ü" * (MAX_TEXT_BYTES // 2))
    watch.bob.hear("ü" * (MAX_TEXT_BYTES // 2))
    refused = watch.ana.try_post("ü" * (MAX_TEXT_BYTES // 2) + "!")
    assert isinstance(refused, Refused) and refused.code == Code.TEXT_TOO_LONG


def test_unknown_optional_fields_are_ignored(watch: Watch) -> None:
    with NativePeer(watch.address) as newer:
        newer.raw(frame(msgspec.msgpack.encode(["ping", 7, "a field of tomorrow", {"more": [1, 2]}])))
        assert newer.wait_for(Pong).n == 7


def test_a_hundred_thousand_tiny_frames_are_all_answered(watch: Watch) -> None:
    """In pieces that the kernels can hold, since nobody reads meanwhile."""
    with NativePeer(watch.address) as busy:
        for start in range(0, 100_000, 10_000):
            busy.raw(b"".join(encode_frame(Ping(n)) for n in range(start, start + 10_000)))
            busy.answer(Pong, start + 9_999)
        assert [said.n for said in busy.said if isinstance(said, Pong)] == list(range(100_000))


def test_a_flood_from_somebody_who_is_limited_stays_in_the_kernels(tmp_path: Path) -> None:
    """With the limits that a server has by default."""
    with watched(tmp_path) as watch:
        before = watch.memory_bytes()
        with NativePeer(watch.address) as flood:
            flood.log_in("flood")
            flood.raw(b"".join(encode_frame(Ping(n)) for n in range(100_000)))
            for _ in range(3):
                watch.chat()
            assert watch.memory_bytes() - before < MEMORY_SLACK_BYTES


# Cuts.


@pytest.mark.parametrize("logged_in", [False, True])
def test_half_a_frame_and_gone(watch: Watch, logged_in: bool) -> None:
    whole = encode_frame(Post(1, ToGlobal(), "half"))
    for cut in range(1, len(whole)):
        with NativePeer(watch.address) as half:
            if logged_in:
                half.log_in(f"half{cut:03}")
            half.raw(whole[:cut])
            half.end()
    watch.chat()
    assert "half" not in watch.bob.texts()


def test_wherever_it_is_cut_it_is_the_same(watch: Watch) -> None:
    whole = PREAMBLE + encode_frame(Ping(1)) + encode_frame(Login(2, "sliced")) + encode_frame(Logout(3))
    for cut in range(1, len(whole)):
        with NativePeer(watch.address, greet=False) as sliced:
            sliced.raw(whole[:cut])
            watch.ana.ping()
            sliced.raw(whole[cut:])
            assert last_words(sliced) == "left"
        said = [type(one).__name__ for one in sliced.said if not isinstance(one, CatchUp)]
        assert said == ["Hello", "Pong", "Welcome", "Ok", "Bye"], cut


def test_single_bytes_are_as_good_as_any(watch: Watch) -> None:
    with NativePeer(watch.address, greet=False) as slow:
        for byte in PREAMBLE + encode_frame(Login(1, "slow")) + encode_frame(Post(2, ToGlobal(), "s" * 5_000)):
            slow.raw(bytes([byte]))
        assert isinstance(slow.answer(Ok, 2), Ok)
    watch.bob.hear("s" * 5_000)


# Requests at the wrong time, or for the wrong thing.

MAKERS: list[Callable[[int], Request]] = [
    Logout,
    ListUsers,
    ListGroups,
    ListFolder,
    lambda n: Post(n, ToGlobal(), "nameless"),
    lambda n: CreateGroup(n, "tea"),
    lambda n: JoinGroup(n, "tea"),
    LeaveGroup,
    lambda n: GetHistory(n, ToGlobal()),
    lambda n: OpenDownload(n, "README.txt"),
]


def test_without_a_name_nothing_is_granted(watch: Watch) -> None:
    with NativePeer(watch.address) as nobody:
        for make in MAKERS:
            reply = nobody.ask(object, make)
            assert isinstance(reply, Refused) and reply.code == Code.NOT_LOGGED_IN
    assert "nameless" not in watch.ana.texts()


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "x" * 33, "x" * 60_000, "server", "a\x1b[2J", "a\u202eb", "\u0430na", "a\0b", "#tea", ".."]
)
def test_a_name_that_is_none_is_refused_and_another_may_be_tried(watch: Watch, name: str) -> None:
    with NativePeer(watch.address) as odd:
        reply = odd.try_log_in(name)
        assert isinstance(reply, Refused) and reply.code == Code.NAME_INVALID
        assert "\x1b" not in reply.text + reply.about and len(reply.about) <= 200
        odd.log_in("fine")


def test_who_tries_too_many_names_is_sent_away(watch: Watch) -> None:
    with NativePeer(watch.address) as guessing:
        for number in range(8):
            assert isinstance(guessing.try_log_in(f"not a name {number}"), Refused)
        assert last_words(guessing) == Code.LIMIT_REACHED


def test_a_signature_that_is_not_the_keys_is_refused(watch: Watch) -> None:
    with NativePeer(watch.address) as forger:
        for key, signature in ((b"k" * 32, b"s" * 64), (b"k", b"s"), (b"k" * 32, b""), (b"k" * 1000, b"s" * 64)):
            reply = forger.ask(object, lambda n, key=key, signature=signature: Login(n, "ana", key, signature))  # type: ignore[misc]
            assert isinstance(reply, Refused) and reply.code == Code.BAD_SIGNATURE


@pytest.mark.parametrize("before", [-(2**63), -1, 0, 1, 2**31, 2**63 - 1])
@pytest.mark.parametrize("limit", [-(2**63), -1, 0, 2**31, 2**63 - 1])
def test_pages_without_reason_are_cut_to_size(watch: Watch, before: int, limit: int) -> None:
    for of in (ToGlobal(), ToUsers(("canary-b",)), ToUsers(()), ToGroup("nowhere")):
        reply = watch.ana.ask(History, lambda n, of=of: GetHistory(n, of, before, limit))  # type: ignore[misc]
        assert isinstance(reply, Refused) or len(reply.events) <= 500


@pytest.mark.parametrize("n", [-1, -(2**63), 0, 2**63 - 1, 2**64 - 1])
def test_a_request_may_have_any_number(watch: Watch, n: int) -> None:
    with NativePeer(watch.address) as odd:
        odd.log_in("odd")
        odd.send(Ping(n))
        assert odd.wait_for(Pong).n == n
        odd.send(Post(n, ToGlobal(), "hi"))
        assert odd.wait_for(Ok).n == n


def test_what_would_talk_to_a_terminal_does_not_arrive(watch: Watch) -> None:
    watch.ana.post("red \x1b[31malert\x07 \x9b2J\u202e")
    watch.chat()
    (text,) = (text for text in watch.bob.texts() if "red" in text)
    assert not set(text) & {"\x1b", "\x07", "\x9b", "\u202e"}


# Files.

ESCAPES = [
    "../secret", "..", "a/../../secret", "/etc/passwd", "//etc/passwd", "\\..\\secret", "..\\secret", "C:\\secret",
    "\\\\host\\share", "%2e%2e/secret", "file:///etc/passwd", "~/secret", "~root", "./../secret", "link", "link/secret",
    "pipe", "folder", "folder/", "", ".", "/", "\0", "note\0.txt", "note.txt/", "note.txt/x", ".hidden", "x" * 300,
    "x/" * 20_000, "nothing", "CON", "note.txt ", "note.txt.", "\x1b[2J", "note\u202etxt",
]  # fmt: skip


@pytest.fixture(scope="module")
def shared(everybodys_watch: Watch) -> Path:
    """A note to be had, and around it what is not to be had."""
    shared = everybodys_watch.server.shared
    (shared / "note.txt").write_bytes(b"hello")
    (shared / "folder").mkdir()
    (shared / ".hidden").write_bytes(SECRET)
    (shared.parent / "secret").write_bytes(SECRET)
    (shared / "link").symlink_to(shared.parent)
    (shared / "secret-link").symlink_to(shared.parent / "secret")
    os.mkfifo(shared / "pipe")
    return shared


@pytest.mark.usefixtures("shared")
def test_no_path_leads_out_of_the_shared_folder(watch: Watch) -> None:
    for path in [*ESCAPES, "secret-link"]:
        reply = watch.ana.ask(Ticket, lambda n, path=path: OpenDownload(n, path))  # type: ignore[misc]
        assert isinstance(reply, Refused), path
        assert reply.code == Code.FILE_NOT_FOUND and "\x1b" not in reply.text, path
    for path in [path for path in ESCAPES if path not in ("", "folder", "folder/", ".", "/")]:
        listing = watch.ana.ask(Folder, lambda n, path=path: ListFolder(n, path))  # type: ignore[misc]
        assert isinstance(listing, Refused), path
    root = watch.ana.ask(Folder, ListFolder)
    assert isinstance(root, Folder) and [entry.name for entry in root.entries] == ["folder", "note.txt"]


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("offset", [-1, 6, 2**63 - 1, -(2**63)])
def test_an_offset_outside_the_file_is_refused(watch: Watch, offset: int) -> None:
    ticket = watch.ana.ticket("note.txt")
    with NativePeer(watch.address) as download:
        reply = download.ask(FileStart, lambda n: Fetch(n, ticket.ticket, offset))
        assert isinstance(reply, Refused)
        assert download.read_to_end() is None


@pytest.mark.usefixtures("shared")
def test_a_ticket_is_good_once_and_a_guess_never(watch: Watch) -> None:
    ticket = watch.ana.ticket("note.txt").ticket
    for used, offset in ((b"", 0), (b"x", 0), (os.urandom(len(ticket)), 0), (ticket[:-1], 0), (b"x" * 60_000, 0)):
        with NativePeer(watch.address) as guess:
            reply = guess.ask(FileStart, lambda n, used=used, offset=offset: Fetch(n, used, offset))  # type: ignore[misc]
            assert isinstance(reply, Refused) and reply.code == Code.BAD_TICKET
    with NativePeer(watch.address) as download:
        download.fetch(ticket, 2)
        assert download.take_raw() == b"llo"
        assert download.take_raw() == b""
    with NativePeer(watch.address) as again:
        reply = again.ask(FileStart, lambda n: Fetch(n, ticket))
        assert isinstance(reply, Refused) and reply.code == Code.BAD_TICKET
    reply = watch.ana.ask(FileStart, lambda n: Fetch(n, ticket))
    assert isinstance(reply, Refused)


# Chance.


def mutated(chance: random.Random, data: bytes) -> bytes:
    """The same with some bytes changed, lost, or twice."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                del changed[at : at + chance.randint(1, 4)]
            case 2:
                changed[at:at] = changed[at : at + chance.randint(1, 8)]
            case _:
                changed[at:at] = chance.randbytes(chance.randint(1, 8))
        if not changed:
            return b"\0"
    return bytes(changed)


@pytest.mark.parametrize("seed", range(int(os.environ.get("MYSTIC_SEEDS", "4"))))
def test_mutated_conversations_harm_nobody(watch: Watch, seed: int) -> None:
    """Some with whole frames whose bodies are wrong, some wrong anywhere."""
    chance = random.Random(seed)
    requests = [make(number + 10) for number, make in enumerate([*MAKERS[1:], Ping])]
    for number in range(100):
        with NativePeer(watch.address) as odd:
            if number % 2:
                odd.log_in(f"odd{seed}-{number}")
            for request in chance.choices(requests, k=20):
                whole = encode_frame(request)
                is_framed = chance.random() < 0.95
                try:
                    odd.raw(frame(mutated(chance, whole[4:])) if is_framed else mutated(chance, whole))
                except Gone:
                    break
            odd.end()
