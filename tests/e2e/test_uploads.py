"""Files that people bring to a real server: cut off, killed, refused, full, and for people who are away.

`MYSTIC_CUTS` says how often the connection breaks, `MYSTIC_SEED` repeats a run's numbers.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mysticproto.model import (
    AccountClaimed,
    CatchUp,
    Delete,
    FileRef,
    FolderChanged,
    Message,
    MessageDeleted,
    Ok,
    OpenDownload,
    OpenUpload,
    Refused,
    Store,
    Stored,
    Ticket,
    ToGlobal,
    ToGroup,
    ToUsers,
    UploadTicket,
    WatchFolder,
)
from mysticproto.native import PREAMBLE, NativeClient, encode_frame
from tests.server.files.test_placing import BAD_NAMES
from tests.server.net.tls_peer import client_context
from tests.support.native_peer import Gone, NativePeer
from tests.support.server_process import ServerProcess, running_server

CUTS = int(os.environ.get("MYSTIC_CUTS", "20"))
SEED = os.environ.get("MYSTIC_SEED", "mystic")
MIB = 1024 * 1024
DATA = random.Random(SEED).randbytes(3 * MIB + 17)
CID = b"c" * 16
KEYS = {name: Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32)) for name in ("ana", "bob", "eve")}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path) as server:
        yield server


class Person(NativePeer):
    """Somebody whose name is their own."""

    def __init__(self, server: ServerProcess, name: str, *, after: int = -1) -> None:
        super().__init__((server.host, server.port))
        self.server = server
        self.log_in(name, KEYS[name], after=after)

    def opens(
        self,
        name: str = "plan.bin",
        data: bytes = DATA,
        *,
        folder: str = "",
        to: ToGlobal | ToUsers | ToGroup | None = None,
        cid: bytes = CID,
        hash: bytes = b"",
    ) -> UploadTicket | Refused:
        """Asks for leave, as soon as the server is ready for files."""
        deadline = time.monotonic() + 20
        digest = hash or blake3(data).digest()
        while True:
            answer = self.ask(
                UploadTicket, lambda n: OpenUpload(n, name, len(data), digest, folder, to, "", cid if to else b"")
            )
            is_starting = isinstance(answer, Refused) and answer.code == "files_unavailable"
            if not is_starting or time.monotonic() > deadline:
                return answer

    def brings(self, name: str = "plan.bin", data: bytes = DATA, **where: object) -> Stored | Refused:
        """The rest of it, on a connection of its own."""
        ticket = self.opens(name, data, **where)  # type: ignore[arg-type]
        if isinstance(ticket, Refused):
            return ticket
        with storing(self.server, ticket) as file:
            file.raw(data[ticket.offset :])
            return file.answer(Stored, 1)

    def fetches(self, message: int) -> bytes | str:
        """The file of a message, or why not."""
        ticket = self.ask(Ticket, lambda n: OpenDownload(n, "", message=message))
        if isinstance(ticket, Refused):
            return ticket.code
        with NativePeer((self.server.host, self.server.port)) as file:
            file.fetch(ticket.ticket)
            return b"".join(iter(file.take_raw, b""))


@contextmanager
def storing(server: ServerProcess, ticket: UploadTicket) -> Iterator[NativePeer]:
    with NativePeer((server.host, server.port)) as file:
        file.send(Store(1, ticket.ticket))
        yield file


def stored(answer: Stored | Refused) -> Stored:
    assert isinstance(answer, Stored), answer
    return answer


def code(answer: object) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code


def shared(server: ServerProcess) -> dict[str, bytes]:
    files = [path for path in server.shared.rglob("*") if path.is_file()]
    return {str(path.relative_to(server.shared)): path.read_bytes() for path in files}


# Into the shared folder.


def test_a_file_appears_in_the_share_and_those_who_watch_are_told(server: ServerProcess) -> None:
    with Person(server, "ana") as ana, Person(server, "bob") as bob:
        assert bob.ask(Ok, lambda n: WatchFolder(n, "plans")) == Ok(2)
        assert stored(ana.brings(folder="plans")) == Stored(1, "plans/plan.bin")
        bob.wait_for(FolderChanged, lambda news: news.path == "plans")
        assert stored(ana.brings(data=b"other", folder="plans")) == Stored(1, "plans/plan (1).bin")
        assert stored(ana.brings(data=b"")) == Stored(1, "plan.bin")
        assert stored(ana.brings(folder="plans")) == Stored(1, "plans/plan.bin"), "it is there already"
    assert shared(server) == {"plans/plan.bin": DATA, "plans/plan (1).bin": b"other", "plan.bin": b""}


def test_it_is_gone_on_with_after_cuts_anywhere(server: ServerProcess) -> None:
    dice = random.Random(SEED)
    with Person(server, "ana") as ana:
        offsets = [0]
        for _ in range(CUTS):
            ticket = ana.opens()
            assert isinstance(ticket, UploadTicket), ticket
            assert offsets[-1] <= ticket.offset <= len(DATA)
            offsets.append(ticket.offset)
            with storing(server, ticket) as file:
                end = ticket.offset + dice.randrange(2 * (len(DATA) - ticket.offset) // CUTS + 2)
                file.raw(DATA[ticket.offset : end])
                if dice.random() < 0.5:
                    file.reset()
        assert max(offsets) > 0
        assert stored(ana.brings()).path == "plan.bin"
    assert shared(server) == {"plan.bin": DATA}


def test_it_is_gone_on_with_after_the_server_was_killed(server: ServerProcess) -> None:
    dice = random.Random(SEED)
    kept = 0
    for part in range(1, 4):
        with Person(server, "ana") as ana:
            ticket = ana.opens()
            assert isinstance(ticket, UploadTicket), ticket
            assert ticket.offset >= kept
            with storing(server, ticket) as file:
                file.raw(DATA[ticket.offset : part * len(DATA) // 4])
                while (size := part_size(server)) < min(
                    part * len(DATA) // 4, ticket.offset + 1 + dice.randrange(MIB // 2)
                ):
                    time.sleep(0.005)
                kept = size
                server.kill()
                with pytest.raises(Gone):
                    file.answer(Stored, 1)
        server.start()
    with Person(server, "ana") as ana:
        assert stored(ana.brings()).path == "plan.bin"
    assert shared(server) == {"plan.bin": DATA}


def part_size(server: ServerProcess) -> int:
    return sum(path.stat().st_size for path in (server.data / "uploads").glob("*.part"))


@pytest.mark.parametrize("to", [None, ToGlobal()], ids=["shared", "sent"])
def test_what_was_acknowledged_outlives_a_kill_and_what_was_not_is_there_once(
    server: ServerProcess, to: ToGlobal | None
) -> None:
    """Killed at random moments around the end; the same is asked for again until it is stored."""
    dice = random.Random(SEED)
    seqs, last = [], -1
    for nth in range(6):
        name, data, cid = f"{nth}.bin", DATA[: dice.randrange(1, MIB)], bytes([nth]) * 16
        with Person(server, "ana") as ana:
            ticket = ana.opens(name, data, to=to, cid=cid)
            assert isinstance(ticket, UploadTicket), ticket
            with storing(server, ticket) as file:
                file.raw(data)
                time.sleep(dice.random() * 0.02)  # a moment, and not a wait for anything
                server.kill()
        server.start()
        with Person(server, "ana") as ana:
            answer = stored(ana.brings(name, data, to=to, cid=cid))
            assert stored(ana.brings(name, data, to=to, cid=cid)) == answer
            seqs.append(answer.seq)
            last = max(last, answer.seq)
    if to is None:
        assert sorted(shared(server)) == [f"{nth}.bin" for nth in range(6)]
        return
    assert len(set(seqs)) == 6 and shared(server) == {}
    with Person(server, "bob", after=0) as bob:
        messages: list[Message] = []
        while len(messages) < 6:
            messages += [each for each in bob.wait_for(CatchUp).events if isinstance(each, Message)]
        assert [message.text for message in messages] == [f"{nth}.bin" for nth in range(6)], "each of them once"
        for message in messages:
            content = bob.fetches(message.seq)
            assert isinstance(content, bytes) and message.file
            assert blake3(content).digest() == message.file.blake3


# To some people.


def test_who_is_away_finds_it_at_the_next_login(server: ServerProcess) -> None:
    with Person(server, "bob"), Person(server, "eve"):
        pass
    with Person(server, "ana") as ana:
        seq = stored(ana.brings(to=ToUsers(("bob",)))).seq
    server.stop()
    server.start()
    with Person(server, "bob", after=0) as bob, Person(server, "eve", after=0) as eve:
        caught_up: list[object] = []
        while not any(isinstance(each, Message) for each in caught_up):
            caught_up += bob.wait_for(CatchUp).events
        (message,) = (each for each in caught_up if isinstance(each, Message))
        assert (message.seq, message.text) == (seq, "plan.bin")
        assert message.file == FileRef("plan.bin", len(DATA), blake3(DATA).digest(), "")
        assert bob.fetches(seq) == DATA
        assert eve.fetches(seq) == "file_not_found"
        assert eve.fetches(seq + 1000) == eve.fetches(0 - 1) == "file_not_found"
    assert shared(server) == {}


def test_a_deleted_message_s_file_is_deleted(server: ServerProcess) -> None:
    with Person(server, "ana") as ana, Person(server, "bob") as bob:
        seq = stored(ana.brings(to=ToUsers(("bob",)))).seq
        assert bob.fetches(seq) == DATA
        assert isinstance(ana.ask(Ok, lambda n: Delete(n, seq)), Ok)
        bob.wait_for(MessageDeleted)
        assert bob.fetches(seq) == "message_deleted"
        ana.ping()
        deadline = time.monotonic() + 10
        while [path for path in (server.data / "uploads").iterdir() if path.name != "lock"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)


# What is refused.


def test_guests_are_refused(server: ServerProcess) -> None:
    with NativePeer((server.host, server.port)) as guest:
        guest.log_in("guest")
        answer = guest.ask(UploadTicket, lambda n: OpenUpload(n, "a", 1, bytes(32)))
        assert code(answer) == "not_allowed"


@pytest.mark.parametrize(("setting", "expected"), [("off", "not_allowed"), ("operators", "not_allowed")])
def test_the_setting_says_who(tmp_path: Path, setting: str, expected: str) -> None:
    with running_server(tmp_path, "--uploads", setting, "--operator", "bob") as server:
        with Person(server, "ana") as ana, Person(server, "bob") as bob:
            assert code(ana.brings()) == expected
            if setting == "operators":
                bob.wait_for(AccountClaimed, lambda event: event.role == "operator")
                stored(bob.brings())


def test_no_name_leads_out_of_the_share(server: ServerProcess, tmp_path: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if "data" not in path.parts}
    with Person(server, "ana") as ana:
        for name in BAD_NAMES:
            if name == "\udc80":
                continue  # what is no text can't be said
            assert code(ana.opens(name, b"x")) == "file_name_invalid", name
        for folder in ("..", "/tmp", "../data", ".git", "a/../../x"):
            assert code(ana.opens("x", b"x", folder=folder)) == "file_name_invalid", folder
        (server.shared / "door").symlink_to(tmp_path)
        assert code(ana.brings("x", b"x", folder="door")) == "file_not_found"
        (server.shared / "door").unlink()
    assert {path for path in tmp_path.rglob("*") if "data" not in path.parts} == before


def test_other_bytes_than_announced_never_appear(server: ServerProcess) -> None:
    with Person(server, "ana") as ana, Person(server, "bob") as bob:
        assert code(ana.brings(data=b"other", hash=b"h" * 32, to=ToUsers(("bob",)))) == "wrong_hash"
        assert code(ana.brings(data=b"other", hash=b"h" * 32)) == "wrong_hash"
        bob.ping()
        assert bob.texts() == []
        ticket = ana.opens(data=b"12345")
        assert isinstance(ticket, UploadTicket)
        with storing(server, ticket) as file:
            file.raw(b"123456")
            assert code(file.answer(Stored, 1)) == "malformed"
    assert shared(server) == {}


def test_sizes_and_quotas(tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(f"[limits]\nmax_upload_bytes = {MIB}\nupload_bytes_per_user = {2 * MIB}\n")
    with running_server(tmp_path, "--config", str(config)) as server:
        with Person(server, "ana") as ana, Person(server, "bob") as bob:
            assert code(ana.brings(data=DATA[: MIB + 1])) == "file_too_large"
            for name in ("1", "2"):
                stored(ana.brings(name, DATA[:MIB]))
            assert code(ana.brings("3", b"x")) == "quota_reached"
            stored(bob.brings("3", b"x"))
        server.kill()
        server.start()
        with Person(server, "ana") as ana:
            assert code(ana.brings("3", b"x")) == "quota_reached", "it is counted over restarts"


def test_two_at_once_and_the_third_is_refused(server: ServerProcess) -> None:
    with Person(server, "ana") as ana:
        assert isinstance(ana.opens("1"), UploadTicket) and isinstance(ana.opens("2"), UploadTicket)
        assert code(ana.opens("3")) == "limit_reached"


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of its own, if this user may mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can make a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_says_so_and_the_server_goes_on(tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text("[limits]\ndisk_reserve_bytes = 1\n")
    with small_disk(tmp_path / "data", 8 * MIB), running_server(tmp_path, "--config", str(config)) as server:
        with Person(server, "ana") as ana, Person(server, "bob") as bob:
            assert code(ana.opens(data=bytes(9 * MIB))) == "disk_full", "that could not be"
            ticket = ana.opens(to=ToUsers(("bob",)))
            assert isinstance(ticket, UploadTicket)
            fill = tmp_path / "data" / "fill"
            with storing(server, ticket) as file:
                file.raw(DATA[:MIB])
                while part_size(server) < MIB:
                    time.sleep(0.005)
                with fill.open("wb") as disk:
                    free = os.statvfs(disk.fileno()).f_bavail * os.statvfs(disk.fileno()).f_frsize
                    disk.write(bytes(max(0, free - MIB)))
                with suppress(Gone):  # it may be refused before all of it is sent
                    file.raw(DATA[MIB:])
                assert code(file.answer(Stored, 1)) == "disk_full"
            ana.post("still here")
            bob.hear("still here")
            fill.unlink()
            seq = stored(ana.brings(to=ToUsers(("bob",)))).seq
            assert bob.fetches(seq) == DATA


# Encrypted.


def test_over_tls_and_with_the_file_right_behind_the_request(server: ServerProcess) -> None:
    with Person(server, "ana") as ana:
        ticket = ana.opens()
        assert isinstance(ticket, UploadTicket)
        with NativePeer((server.host, server.port), greet=False) as plain:
            with client_context().wrap_socket(plain.sock, server_hostname="x") as tls:
                tls.sendall(PREAMBLE + encode_frame(Store(1, ticket.ticket)) + DATA)
                speaks = NativeClient()
                said: list[object] = []
                while not any(isinstance(each, Stored | Refused) for each in said):
                    heard, fault = speaks.feed(tls.recv(65536))
                    assert fault is None
                    said += heard
    assert said[-1] == Stored(1, "plan.bin")
    assert shared(server) == {"plan.bin": DATA}
