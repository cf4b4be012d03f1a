"""The server as a process: how it starts, how it refuses to, how it stops, and what survives it."""

from __future__ import annotations

import gc
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mystic_server.config import ConfigError, parse
from mystic_server.domain.events import Joined, Kicked, StateRow
from mystic_server.domain.world import World
from mystic_server.log.base import StoreError
from mystic_server.server import Server, raise_descriptor_limit, server_id
from mysticproto.errors import Code
from mysticproto.model import (
    CreateGroup,
    Entered,
    GetHistory,
    History,
    ListFolder,
    Message,
    Refused,
    ToGlobal,
    UserJoined,
    UserLeft,
)
from tests.contracts.logs import numbers, on_disk
from tests.support import waiting
from tests.support.canary import wait_for_end
from tests.support.native_peer import NativePeer
from tests.support.processes import children, is_running
from tests.support.server_process import ServerProcess, running_server

PATIENCE_S = 20.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path / "server") as running:
        yield running


def command(folder: Path, port: int | str, *words: str) -> list[str]:
    folders = ["--data", str(folder / "data"), "--shared", str(folder / "shared")]
    return [sys.executable, "-m", "mystic_server", str(port), *folders, *words]


def run(folder: Path, port: int | str = 0, *words: str) -> subprocess.CompletedProcess[str]:
    """A server that will not start."""
    return subprocess.run(
        command(folder, port, "--host", "127.0.0.1", *words),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def assert_one_sentence(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Nothing but one line for people, which holds these words."""
    assert done.stdout == ""
    assert re.fullmatch(r"mystic-server: [^\n]*\.\n", done.stderr), done.stderr
    for word in words:
        assert word in done.stderr


def until(is_true: Callable[[], bool], what: str) -> None:
    waiting.until(is_true, lambda: f"{what} never came true")


def greet(address: tuple[str, int]) -> None:
    with NativePeer(address) as peer:
        peer.ping()


# The start.


def test_it_says_where_it_is_ready(server: ServerProcess) -> None:
    greet((server.host, server.port))
    server.stop()
    assert server.printed().splitlines()[0] == f"mystic: ready on 127.0.0.1:{server.port}"


def ready_lines(words: list[str]) -> list[str]:
    """The ready lines of a server, after greeting it at each place; it must stop well."""
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline().decode().rstrip("\n") for _ in range(2)]
        for line in lines:
            host, _, port = line.removeprefix("mystic: ready on ").rpartition(":")
            here = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))
            greet((here, int(port)))
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=PATIENCE_S)[0]
        assert (process.returncode, rest) == (0, b"")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    return lines


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ([], r"mystic: ready on 0\.0\.0\.0:(\d+)\nmystic: ready on \[::\]:\1"),
        (["--host", "::1", "--host", "127.0.0.1"], r"mystic: ready on \[::1\]:(\d+)\nmystic: ready on 127\.0\.0\.1:\1"),
        (
            ["--host", "127.0.0.1", "--listen", "native=0"],
            r"mystic: ready on 127\.0\.0\.1:(\d+)\nmystic: ready on 127\.0\.0\.1:(?!\1$)\d+",
        ),
    ],
    ids=["all interfaces", "two hosts", "a port for one wire"],
)
def test_port_0_is_one_free_port_for_all_hosts(tmp_path: Path, words: list[str], pattern: str) -> None:
    lines = ready_lines(command(tmp_path, 0, *words))
    assert re.fullmatch(pattern, "\n".join(lines)), lines


def test_a_port_can_be_for_one_wire(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with running_server(tmp_path, "--listen", f"native={port}"):
        with NativePeer(("127.0.0.1", port)) as peer:
            peer.log_in("ana")


def test_folders_are_made(tmp_path: Path) -> None:
    with running_server(tmp_path / "a" / "b") as server:
        assert server.data.is_dir() and server.shared.is_dir()
        assert server.data.stat().st_mode & 0o077 == 0


def test_there_is_one_thread(server: ServerProcess) -> None:
    with NativePeer((server.host, server.port)) as ana:
        ana.log_in("ana")
        ana.post("hi")
    assert psutil.Process(server.pid).num_threads() == 1


# It refuses to start.


def test_a_taken_port_is_one_sentence_and_status_1(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(tmp_path, port)
    assert done.returncode == 1
    assert_one_sentence(done, str(port), "in use")


def test_a_data_folder_in_use_is_one_sentence_and_status_1(server: ServerProcess) -> None:
    done = run(server.data.parent)
    assert done.returncode == 1
    assert_one_sentence(done, "data folder", "--data")
    greet((server.host, server.port))


def test_a_successor_waits_for_its_predecessor(server: ServerProcess) -> None:
    process = subprocess.Popen(
        command(server.data.parent, 0, "--host", "127.0.0.1"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        until(lambda: bool(children(process.pid)), "the second server's start")
        server.stop()
        assert process.stdout.readline().startswith(b"mystic: ready on ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_during_the_start_is_no_traceback(server: ServerProcess, tmp_path: Path) -> None:
    """It waits for the data folder meanwhile."""
    with (tmp_path / "errors").open("wb") as errors:
        process = subprocess.Popen(
            command(server.data.parent, 0, "--host", "127.0.0.1"), stdout=subprocess.DEVNULL, stderr=errors
        )
    until(lambda: bool(children(process.pid)), "the second server's start")
    started = children(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 130
    server.stop()
    until(lambda: not any(map(is_running, started)), "the end of its child")
    assert (tmp_path / "errors").read_bytes() == b""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sing"], "--sing"),
        (["--log-format", "xml"], "xml"),
        (["--config", "missing.toml"], "missing.toml"),
        (["--listen", "gopher=70"], "gopher"),
    ],
)
def test_wrong_settings_are_one_sentence_and_status_2(tmp_path: Path, words: list[str], said: str) -> None:
    done = run(tmp_path, 0, *words)
    assert done.returncode == 2
    assert_one_sentence(done, said)


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_a_port_that_is_none_is_status_2(tmp_path: Path, port: str) -> None:
    assert run(tmp_path, port).returncode == 2


def test_help_and_version_are_status_0(tmp_path: Path) -> None:
    for word in ("--help", "--version"):
        done = run(tmp_path, 0, word)
        assert (done.returncode, done.stderr) == (0, "") and done.stdout


def test_a_file_in_place_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    done = run(tmp_path)
    assert done.returncode == 1
    assert_one_sentence(done, "data folder")
    assert (tmp_path / "data").read_text() == "mine"


def test_a_damaged_identity_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "server.id").write_bytes(b"short")
    done = run(tmp_path)
    assert done.returncode == 1
    assert_one_sentence(done, "server.id")
    assert (tmp_path / "data" / "server.id").read_bytes() == b"short"


def test_a_database_that_is_none_is_left_as_it_is(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        files = [path for path in server.data.iterdir() if path.read_bytes().startswith(b"SQLite format 3")]
    (database,) = files
    database.write_bytes(b"this is no database, but somebody's letter" * 10)
    done = run(tmp_path)
    assert done.returncode == 1
    assert_one_sentence(done, database.name)
    assert database.read_bytes().startswith(b"this is no database")


# The stop.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_signals_stop_it_with_a_goodbye(server: ServerProcess, number: signal.Signals) -> None:
    with NativePeer((server.host, server.port)) as ana:
        ana.log_in("ana")
        os.kill(server.pid, number)
        last_words = ana.read_to_end()
        assert last_words is not None and last_words.code == Code.STOPPING
    wait_for_end(server)
    printed = server.printed()
    assert f"stopping      {number.name}" in printed and "good-bye" in printed
    assert "Traceback" not in printed


def impatient(tmp_path: Path, drain_s: float) -> ServerProcess:
    config = tmp_path / "mystic.toml"
    config.write_text(f"[limits]\nshutdown_drain_s = {drain_s}\n")
    return ServerProcess(tmp_path / "server", "--config", str(config))


def test_who_has_said_nothing_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    server = impatient(tmp_path, 600.0)
    server.start()
    with socket.create_connection((server.host, server.port)) as silent:
        greet((server.host, server.port))
        os.kill(server.pid, signal.SIGTERM)
        assert silent.recv(1) == b""
    wait_for_end(server)


def stuck_download(server: ServerProcess) -> NativePeer:
    """Somebody who asks for a file and reads nothing of it."""
    (server.shared / "big.bin").write_bytes(bytes(50_000_000))
    stuck = NativePeer((server.host, server.port), receive_buffer_bytes=4096)
    with NativePeer((server.host, server.port)) as ana:
        ana.log_in("ana")
        stuck.fetch(ana.ticket("big.bin").ticket)
    return stuck


def test_it_waits_for_slow_readers_only_so_long(tmp_path: Path) -> None:
    server = impatient(tmp_path, 0.2)
    server.start()
    with stuck_download(server):
        server.stop()


def test_a_second_signal_stops_it_at_once(tmp_path: Path) -> None:
    server = impatient(tmp_path, 600.0)
    server.start()
    with stuck_download(server):
        os.kill(server.pid, signal.SIGTERM)
        until(lambda: "stopping" in server.printed(), "the stop")
        assert server.is_running
        server.stop()


def test_after_kill_9_its_children_end_by_themselves(server: ServerProcess) -> None:
    until(lambda: len(children(server.pid)) == 4, "the last child's start")
    started = children(server.pid)
    server.kill()
    until(lambda: not any(map(is_running, started)), "the end of its children")


# While it runs.


def test_the_log_in_json_is_one_object_a_line(tmp_path: Path) -> None:
    with running_server(tmp_path, "--log-format", "json") as server:
        (server.shared / "note.txt").write_text("hello")
        with NativePeer((server.host, server.port)) as ana, NativePeer((server.host, server.port)) as download:
            ana.log_in("ana")
            ana.ask(Entered, lambda n: CreateGroup(n, "tea"))
            download.fetch(ana.ticket("note.txt").ticket)
            assert download.take_raw() == b"hello"
    lines = [json.loads(line) for line in (tmp_path / "server.err").read_text().splitlines()]
    events = {line["event"] for line in lines}
    assert {"started", "connected", "joined", "group", "transfer", "disconnected", "stopping", "stopped"} <= events
    (joined,) = (line for line in lines if line["event"] == "joined")
    assert joined["name"] == "ana" and joined["level"] == "info" and isinstance(joined["time"], float)


def test_a_restart_forgets_nothing(server: ServerProcess) -> None:
    with NativePeer((server.host, server.port)) as ana, NativePeer((server.host, server.port)) as bob:
        before = ana.log_in("ana").user
        for number in range(10):
            ana.post(f"number {number}")
        bob.log_in("bob")
        os.kill(server.pid, signal.SIGTERM)
        assert ana.read_to_end() and bob.read_to_end()
    wait_for_end(server)
    identity = server_id(server.data)
    server.start()
    with NativePeer((server.host, server.port)) as ana:
        assert ana.log_in("ana").user == before
        page = ana.ask(History, lambda n: GetHistory(n, ToGlobal()))
        assert isinstance(page, History)
        assert [event.text for event in page.events if isinstance(event, Message)] == [f"number {n}" for n in range(10)]
        assert [event.cause for event in page.events if isinstance(event, UserLeft)] == ["stopped", "stopped"]
        assert [event.user.name for event in page.events if isinstance(event, UserJoined)] == ["ana", "bob", "ana"]
    assert server_id(server.data) == identity


@pytest.mark.parametrize(
    "which", ["mystic_server.log.sqlite", "mystic_server.files.worker", "mystic_server.files.datagrams"]
)
def test_a_child_that_dies_is_started_again_and_nobody_is_disconnected(server: ServerProcess, which: str) -> None:
    (server.shared / "note.txt").write_text("hello")
    with NativePeer((server.host, server.port)) as ana:
        ana.log_in("ana")
        ana.post("before")
        until(lambda: bool(children(server.pid, which)), "the child's start")
        (victim,) = children(server.pid, which)
        os.kill(victim, signal.SIGKILL)
        until(lambda: children(server.pid, which) not in ([], [victim]), "the new child")
        until(lambda: is_fine(ana), "everything working again")
        assert "before" in ana.texts()
    assert victim not in children(server.pid)


def is_fine(peer: NativePeer) -> bool:
    """Whether a message is kept and a folder listed; if not, it must be with a sentence."""
    replies = [peer.try_post("after"), peer.ask(object, lambda n: ListFolder(n, ""))]
    refusals = [reply for reply in replies if isinstance(reply, Refused)]
    for refused in refusals:
        assert refused.code in (Code.STORE_UNAVAILABLE, Code.FILES_UNAVAILABLE) and refused.text
    return not refusals


def test_what_lost_a_race_before_a_crash_is_not_told_after_it(server: ServerProcess) -> None:
    server.stop()
    with on_disk(server.data) as log:  # as a server leaves it that is killed before it has said what was void
        ana, bob = numbers(log.commit(Joined(4, "ana", node=1), Joined(5, "bob", node=1)))
        log.commit(Kicked(99, ana, bob, "too late"), Kicked(4, ana, bob, "no operator"))
    server.start()
    with NativePeer((server.host, server.port)) as ana_again:
        ana_again.log_in("ana")
        page = ana_again.ask(History, lambda n: GetHistory(n, ToGlobal()))
    assert isinstance(page, History)
    assert [type(event) for event in page.events] == [UserJoined] * 3


# Parts of it.


def test_the_collector_rests_while_the_world_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    was_on: list[bool] = []

    def load(world: World, rows: tuple[StateRow, ...], applied: int) -> None:
        was_on.append(gc.isenabled())
        raise StoreError("Enough.")

    monkeypatch.setattr(World, "load", load)
    folders = ["--data", str(tmp_path / "data"), "--shared", str(tmp_path / "shared")]
    with pytest.raises(StoreError, match="Enough"):
        Server(parse(["0", "--host", "127.0.0.1", *folders], {})).run()
    assert was_on == [False] and gc.isenabled()


def test_the_servers_identity_is_made_once(tmp_path: Path) -> None:
    made = server_id(tmp_path)
    assert len(made) == 16 and server_id(tmp_path) == made
    assert (tmp_path / "server.id").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["server.id"]
    (tmp_path / "server.id").write_bytes(made + b"x")
    with pytest.raises(ConfigError, match="damaged"):
        server_id(tmp_path)


def test_the_process_may_open_as_much_as_it_can_get() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert raise_descriptor_limit() == before[1]
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
