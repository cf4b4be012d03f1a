"""The words of the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from mystic_client.cli import look
from mystic_client.cli.program import default_name, main
from mystic_client.cli.status import Failure, Status
from mystic_client.cli.visit import Place
from mysticproto.model import ToEveryone, ToGlobal, ToGroup, ToUsers


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSTIC_CONFIG_HOME", str(tmp_path))
    for name in ("MYSTIC_SERVER", "MYSTIC_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """Where `mystic users` goes, instead of going there."""
    found: list[Place] = []

    async def users(place: Place, *, known: bool = False) -> None:
        found.append(place)

    monkeypatch.setattr(look, "users", users)
    return found


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [
        ("example.org:4000", "example.org", 4000),
        ("example.org", "example.org", 12000),
        ("127.0.0.1:1", "127.0.0.1", 1),
        ("[::1]:4000", "::1", 4000),
        ("[::1]", "::1", 12000),
        ("::1", "::1", 12000),
        ("fe80::1:2", "fe80::1:2", 12000),
    ],
)
def test_servers(places: list[Place], server: str, host: str, port: int) -> None:
    assert main(["--server", server, "--name", "ana", "users"]) == 0
    assert (places[0].address.host, places[0].address.port) == (host, port)


@pytest.mark.parametrize("server", [":4000", "host:", "host:x", "host:0", "host:65536", "host:-1", "[]:1", "host:¹"])
def test_what_is_no_server(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--server", server, "--name", "ana", "users"]) == Status.USAGE
    assert capsys.readouterr().err == f"mystic: {server!r} is not HOST:PORT\n"


def test_words_go_before_the_environment_and_that_before_defaults(
    places: list[Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["users"])
    monkeypatch.setenv("MYSTIC_SERVER", "there:1")
    monkeypatch.setenv("MYSTIC_NAME", "bob")
    main(["users"])
    main(["--server", "here:2", "--name", "ana", "users"])
    assert [str(place.address) for place in places] == ["127.0.0.1:12000", "there:1", "here:2"]
    assert [place.name for place in places] == [default_name(), "bob", "ana"]


@pytest.mark.parametrize("name", ["", "two words", "server", "a" * 100, "\x1b[2J", "-x-"])
def test_names_that_cannot_be(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"--name={name}", "users"]) == Status.REFUSED
    told = capsys.readouterr().err
    assert told.startswith("mystic: ") and "\x1b" not in told


@pytest.mark.parametrize(
    ("account", "name"),
    [("ana", "ana"), ("DOMAIN\\Ana Maria", "DOMAIN-Ana-Maria"), ("root", "guest"), ("", "guest"), ("日本", "guest")],
)
def test_the_accounts_name(account: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: account)
    assert default_name() == name


def test_an_account_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise OSError("no such account")

    monkeypatch.setattr("getpass.getuser", unknown)
    assert default_name() == "guest"


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ([], ToGlobal()),
        (["--to", "bob", "--to", "eve", "--to", "bob"], ToUsers(("bob", "eve"))),
        (["--group", "team"], ToGroup("team")),
        (["--broadcast"], ToEveryone()),
    ],
)
def test_targets(words: list[str], target: object, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    async def send(place: Place, to: object, text: str, reply_to: int) -> None:
        seen.append((to, text))

    monkeypatch.setattr("mystic_client.cli.send.send", send)
    assert main(["--name", "ana", "send", *words, "hi there"]) == 0
    assert seen == [(target, "hi there")]


@pytest.mark.parametrize(
    "words",
    [["--to", "bob", "--broadcast"], ["--group", "x", "--broadcast"], ["--group", ""], ["--to", "b", "--group", "g"]],
)
def test_targets_exclude_each_other(words: list[str]) -> None:
    assert main(["--name", "ana", "send", *words, "hi"]) == Status.USAGE


@pytest.mark.parametrize(
    "words",
    [[], ["dance"], ["tail", "--last", "-1"], ["tail", "--count", "x"], ["put"], ["get", "x", "--tcp", "--udp"]],
)
def test_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == Status.USAGE
    told = capsys.readouterr()
    assert told.out == "" and "mystic" in told.err


def _ending(problem: BaseException) -> Coroutine[Any, Any, None]:
    async def end() -> None:
        raise problem

    return end()


@pytest.mark.parametrize(
    ("problem", "status", "told"),
    [
        (Failure(Status.NO_SERVER, "Nobody there."), 3, "mystic: Nobody there.\n"),
        (Failure(Status.REFUSED, ""), 1, ""),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_statuses(
    problem: BaseException, status: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(look, "users", lambda place, known: _ending(problem))
    assert main(["users"]) == status
    assert capsys.readouterr().err == told


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "users", lambda place, known: _ending(asyncio.CancelledError()))
    with pytest.raises(asyncio.CancelledError):
        main(["users"])
