"""The command line and the server, as real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.programs import CLI, Program, mystic, surroundings
from tests.support.server_process import ServerProcess, running_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path / "server", "--unlimited") as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_help_and_usage_need_no_server(home: Path) -> None:
    helped = mystic(home, "127.0.0.1:1", "ana", "--help")
    assert helped.returncode == 0
    assert "tail" in helped.stdout
    for words in ([], ["sing"], ["send"], ["tail", "--last", "x"], ["send", "--broadcast", "--to", "bob", "hi"]):
        wrong = mystic(home, "127.0.0.1:1", "ana", *words)
        assert (wrong.returncode, wrong.stdout) == (2, ""), words
        assert wrong.stderr
    assert mystic(home, "127.0.0.1:nonsense", "ana", "users").returncode == 2


def test_no_server_is_status_3_and_one_sentence(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for words in (["send", "hi"], ["tail"], ["users"], ["chat"], ["get", "x"]):
            done = mystic(home, address, "ana", *words)
            assert (done.returncode, done.stdout) == (3, ""), words
            assert done.stderr == f"mystic: {address}: nothing listens there\n"


def test_a_settings_file_that_makes_no_sense(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("theme = 3\n")
    done = mystic(home, "127.0.0.1:1", "ana", "--config", str(file), "users")
    assert (done.returncode, done.stderr) == (2, f"mystic: {file}, line 1: theme must be a text in quotes\n")


def test_send_and_tail(server: ServerProcess, home: Path) -> None:
    with Program(home, server.address, "bob", "tail", "--json", "--count", "4") as tail:
        tail.talks("connected")
        assert mystic(home, server.address, "ana", "send", "to all").returncode == 0
        assert mystic(home, server.address, "ana", "send", "--to", "bob", "to bob").returncode == 0
        assert mystic(home, server.address, "ana", "send", "--broadcast", "to everybody").returncode == 0
        assert mystic(home, server.address, "ana", "send", "-", typed="two\\nlines\n").returncode == 0
        assert tail.ends() == 0
        lines = [json.loads(line) for line in tail.output]
    assert [line["text"] for line in lines] == ["to all", "to bob", "to everybody", "two\\nlines"]
    assert [line["conversation"] for line in lines] == ["global", "direct", "broadcast", "global"]
    assert [line.get("to") for line in lines] == [None, ["bob"], None, None]
    assert {line["author"] for line in lines} == {"ana"}
    assert lines == sorted(lines, key=lambda line: int(line["seq"]))
    assert list(lines[1]) == ["seq", "time", "author", "conversation", "to", "text"]


def test_tail_shows_the_last_messages_of_all_conversations_first(server: ServerProcess, home: Path) -> None:
    assert mystic(home, server.address, "bob", "chat", typed="").returncode == 0
    sent = mystic(home, server.address, "ana", "send", "-", typed="".join(f"line {n}\n" for n in range(600)))
    assert (sent.returncode, sent.stderr) == (0, "")
    assert mystic(home, server.address, "ana", "send", "--to", "bob", "for bob").returncode == 0
    assert mystic(home, server.address, "ana", "send", "the last").returncode == 0
    with Program(home, server.address, "bob", "tail", "--last", "4", "--count", "1") as tail:
        tail.says("the last")
        assert mystic(home, server.address, "ana", "send", "new").returncode == 0
        assert tail.ends() == 0
        assert tail.output == [
            "[GLOBAL] ana: line 598",
            "[GLOBAL] ana: line 599",
            "[PM] ana: for bob",
            "[GLOBAL] ana: the last",
            "[GLOBAL] ana: new",
        ]


def test_refusals_are_status_1(server: ServerProcess, home: Path) -> None:
    for words in (
        ["send", ""],
        ["send", "--to", "nobody", "hi"],
        ["send", "--group", "nowhere", "hi"],
        ["send", "x" * 40_000],
        ["ls", "nowhere"],
        ["get", "nothing.txt"],
        ["get", "../data/log"],
        ["--name", "not a name", "users"],
    ):
        done = mystic(home, server.address, "ana", *words)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert done.stderr.startswith("mystic: ") and "Traceback" not in done.stderr
    done = mystic(home, server.address, "ana", "send", "-", typed="fine\n\nfine too\n")
    assert done.returncode == 1
    assert "line 2 was not sent" in done.stderr


def test_a_name_that_another_device_claimed(server: ServerProcess, home: Path, tmp_path: Path) -> None:
    assert mystic(home, server.address, "ana", "send", "mine").returncode == 0
    done = mystic(tmp_path / "other", server.address, "ana", "send", "mine too")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


def test_lists(server: ServerProcess, home: Path) -> None:
    (server.shared / "Guides").mkdir()
    (server.shared / "Guides" / "with spaces.txt").write_text("hello")
    (server.shared / "a.bin").write_bytes(bytes(2048))
    with Program(home, server.address, "carl", "chat") as chat:
        chat.says("Welcome")
        chat.type("mystic create group team")
        chat.says("You are in team")
        assert mystic(home, server.address, "ana", "users").stdout == "carl\n"
        assert mystic(home, server.address, "ana", "groups").stdout == "team: carl\n"
    listed = mystic(home, server.address, "ana", "ls", "--json").stdout.splitlines()
    guides, file = (json.loads(line) for line in listed)
    assert (guides["name"], guides["kind"], guides["entries"]) == ("Guides", "folder", 1)
    assert (file["name"], file["kind"], file["size"]) == ("a.bin", "file", 2048)
    lines = mystic(home, server.address, "ana", "ls").stdout.splitlines()
    assert [line.split()[-1] for line in lines] == ["Guides/", "a.bin"]
    assert mystic(home, server.address, "ana", "ls", "Guides").stdout.endswith("with spaces.txt\n")


def test_get(server: ServerProcess, home: Path, tmp_path: Path) -> None:
    content = os.urandom(3_000_001)
    (server.shared / "Sub").mkdir()
    (server.shared / "Sub" / "big file.bin").write_bytes(content)
    (server.shared / "empty").write_bytes(b"")
    names = ["big file.bin", "big file.bin", "big file (1).bin"]
    for number, name in enumerate(names):
        if number == 2:  # what is there is another file now: it is left alone
            (home / "downloads" / "ana" / "big file.bin").write_bytes(b"another")
        done = mystic(home, server.address, "ana", "get", "Sub/big file.bin")
        saved = home / "downloads" / "ana" / name
        assert (done.returncode, done.stdout) == (0, f"{saved}\n"), number
        assert "NOT" not in done.stderr
        assert saved.read_bytes() == content
    target = tmp_path / "here.bin"
    target.write_text("something else")
    assert mystic(home, server.address, "ana", "get", "Sub/big file.bin", "-o", str(target)).returncode == 0
    assert target.read_bytes() == content
    assert mystic(home, server.address, "ana", "get", "empty", "-o", str(tmp_path)).stdout == f"{tmp_path / 'empty'}\n"
    assert (tmp_path / "empty").read_bytes() == b""
    assert list(tmp_path.rglob("*.part")) == []


def test_three_people_talk(server: ServerProcess, home: Path) -> None:
    with (
        Program(home, server.address, "ana", "chat") as ana,
        Program(home, server.address, "bob", "chat") as bob,
    ):
        ana.says("[SERVER] Welcome")
        bob.says("[SERVER] Welcome")
        with Program(home, server.address, "carl", "chat") as carl:
            carl.says("[SERVER] Welcome")
            ana.says("[SERVER] carl has joined")
            bob.says("[SERVER] carl has joined")
            ana.type("hello", "/to bob, carl only you two", "mystic pm bob only you")
            bob.says("[GLOBAL] ana: hello")
            carl.says("[GLOBAL] ana: hello")
            bob.says("ana: only you two")
            carl.says("ana: only you two")
            bob.says("[PM] ana: only you")

            ana.type("mystic create group team", "mystic groups")
            ana.says("team: ana")
            bob.type("mystic join group team")
            bob.says("You are in team")
            ana.says("[SERVER] bob has joined team")
            carl.type("only global hears this", "mystic broadcast everybody hears this")
            bob.says("[BROADCAST] carl: everybody hears this")
            ana.says("[BROADCAST] carl: everybody hears this")
            bob.type("in the team")
            ana.says("[team] bob: in the team")
            bob.type("mystic create group other")
            bob.says("Leave it first")
            bob.type("mystic leave group")
            bob.says("You have left team")
            carl.type("global again")
            bob.says("[GLOBAL] carl: global again")
            ana.type("mystic leave group", "mystic groups")
            ana.says("0 groups")
            carl.process.kill()
            bob.says("[SERVER] carl lost the connection")
        ana.type("mystic disconnect")
        ana.says("Goodbye!")
        assert ana.ends() == 0
        bob.says("[SERVER] ana has left")
        heard_by_bob, heard_by_ana = "\n".join(bob.output), "\n".join(ana.output)
        bob.end_input()
        assert bob.ends() == 0
    assert "only global hears this" not in heard_by_bob + heard_by_ana
    assert "carl: global again" not in heard_by_ana


def test_chat_in_a_pipe_sends_everything_and_downloads(server: ServerProcess, home: Path) -> None:
    (server.shared / "some notes.txt").write_text("notes")
    typed = "".join(f"line {number}\n" for number in range(300)) + "/get some notes.txt\n"
    done = mystic(home, server.address, "ana", "chat", typed=typed)
    assert done.returncode == 0, done.stderr
    assert (home / "downloads" / "ana" / "some notes.txt").read_text() == "notes"
    with Program(home, server.address, "ana", "tail", "--last", "300") as tail:
        tail.says("line 299")
        assert tail.output == [f"[GLOBAL] ana: line {number}" for number in range(300)]


def test_a_killed_server_that_comes_back_has_everything_that_was_acknowledged(
    server: ServerProcess, home: Path
) -> None:
    with (
        Program(home, server.address, "bob", "tail", "--json") as tail,
        Program(home, server.address, "ana", "chat") as chat,
        Program(home, server.address, "eve", "send", "-") as send,
    ):
        tail.talks("connected")
        chat.says("Welcome")
        chat.type("before")
        tail.says("before")
        send.type(*(f"eve {number}" for number in range(200)))
        tail.says("eve 50")
        server.kill()
        chat.says("trying again")
        chat.type("while it was away")
        server.start()
        send.end_input()
        tail.says_all("while it was away", "eve 199")
        assert send.ends() == 0, send.errors
        chat.type("after")
        tail.says('"after"')
        texts = [json.loads(line)["text"] for line in tail.output]
    assert sorted(texts) == sorted(["before", "while it was away", "after", *(f"eve {n}" for n in range(200))])
    assert [text for text in texts if text.startswith("eve")] == [f"eve {number}" for number in range(200)]


def test_a_download_goes_on_after_the_server_was_killed(server: ServerProcess, home: Path) -> None:
    path = server.shared / "large.bin"
    with path.open("wb") as file:
        file.truncate(600_000_000)
        file.write(b"start")
    with Program(home, server.address, "ana", "get", "large.bin") as get:
        folder = home / "downloads" / "ana"
        while not any(part.stat().st_size for part in folder.glob("*.part")):
            assert get.process.poll() is None
        server.kill()
        server.start()
        assert get.ends() == 0, get.errors
    saved = folder / "large.bin"
    assert saved.stat().st_size == path.stat().st_size
    assert subprocess.run(["cmp", str(saved), str(path)], check=False).returncode == 0


@pytest.mark.parametrize("words", [["tail"], ["chat"], ["send", "-"]])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_quietly(
    server: ServerProcess, home: Path, words: list[str], number: signal.Signals, status: int
) -> None:
    with Program(home, server.address, "bob", *words) as program:
        if words == ["chat"]:
            program.says("Welcome")
        elif words == ["tail"]:
            program.talks("connected")
        else:
            with Program(home, server.address, "ana", "tail") as tail:
                tail.talks("connected")
                program.type("hi")
                tail.says("[GLOBAL] bob: hi")
        program.process.send_signal(number)
        assert program.ends() == status
    assert "Traceback" not in program.errors
    assert "Error" not in program.errors


def test_a_reader_that_goes_away_ends_tail_quietly(server: ServerProcess, home: Path) -> None:
    with subprocess.Popen(
        [*CLI, "tail"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=surroundings(home, server.address, "bob"),
        text=True,
    ) as tail:
        assert tail.stdout is not None and tail.stderr is not None
        assert tail.stderr.readline() == "mystic: connected\n"
        tail.stdout.close()
        assert mystic(home, server.address, "ana", "send", "is anybody there?").returncode == 0
        assert tail.wait(20) == 0
        assert tail.stderr.read() == ""


def test_a_server_that_stops_is_waited_for(server: ServerProcess, home: Path) -> None:
    with Program(home, server.address, "bob", "tail") as tail:
        tail.talks("connected")
        server.stop()
        tail.talks("trying again")
        server.start()
        tail.talks("connected again")
        assert mystic(home, server.address, "ana", "send", "hello again").returncode == 0
        tail.says("[GLOBAL] ana: hello again")


def test_the_command_line_starts_fast_and_without_a_screen(home: Path) -> None:
    probe = (
        "import sys, mystic_client.cli; import mystic_client.cli.chat, mystic_client.cli.get, mystic_client.cli.look;"
        "assert not any(name.partition('.')[0] in ('textual', 'rich') for name in sys.modules)"
    )
    environment = surroundings(home, "127.0.0.1:1", "ana")
    assert subprocess.run([CLI[0], "-c", probe], env=environment, check=False).returncode == 0
