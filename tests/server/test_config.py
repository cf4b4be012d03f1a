"""Settings: which source wins, and what is refused with a sentence."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest

from mystic_server import server
from mystic_server.config import EVERY_INTERFACE, ConfigError, Limits, Settings, make_folders, parse, version


def settings(*argv: str, **environ: str) -> Settings:
    return parse(argv, environ)


def complaint(*argv: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(argv, environ)
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text
    return text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "conf" / "mystic.toml"
    path.parent.mkdir()
    return path


def test_defaults() -> None:
    found = settings()
    assert (found.port, found.hosts, found.listen) == (12000, (EVERY_INTERFACE,), ())
    assert found.shared == Path.cwd() / "SharedFiles"
    assert found.data.is_absolute() and found.data.name == "mystic"
    assert (found.name, found.log_format, found.unlimited, found.limits) == ("Mystic", "text", False, Limits())


def test_the_command_line() -> None:
    found = settings(
        "0", "--host", "::1", "--host", "127.0.0.1", "--data", "d", "--shared", "/s", "--listen", "native=1,2",
        "--listen", "native=3", "--log-format", "json", "--name", "Ours",
    )  # fmt: skip
    assert (found.port, found.hosts) == (0, ("::1", "127.0.0.1"))
    assert (found.data, found.shared) == (Path.cwd() / "d", Path("/s"))
    assert found.listen == (("native", 1), ("native", 2), ("native", 3))
    assert (found.log_format, found.name) == ("json", "Ours")


def test_who_may_come_in_and_who_is_an_operator(file: Path) -> None:
    assert (settings().auth, settings().operators) == ("open", frozenset())
    found = settings("--auth", "claimed", "--operator", "Ana", "--operator", "BOB")
    assert (found.auth, found.operators) == ("claimed", frozenset({"ana", "bob"}))
    found = settings(MYSTIC_AUTH="claimed", MYSTIC_OPERATORS="ana, bob")
    assert (found.auth, found.operators) == ("claimed", frozenset({"ana", "bob"}))
    file.write_text('auth = "claimed"\noperators = ["cleo"]\n')
    found = settings("--config", str(file))
    assert (found.auth, found.operators) == ("claimed", frozenset({"cleo"}))
    assert settings("--config", str(file), "--auth", "open", "--operator", "dan").operators == {"dan"}


def test_who_can_t_be_an_operator() -> None:
    assert "--operator: 'a b' can't be a user's name" in complaint("--operator", "a b")
    assert "MYSTIC_OPERATORS: 'server' can't be a user's name" in complaint(MYSTIC_OPERATORS="ana,server")
    assert "--auth: 'maybe' is not a choice" in complaint("--auth", "maybe")


def test_the_environment() -> None:
    found = settings(
        MYSTIC_PORT="13000",
        MYSTIC_HOST="::1, 10.0.0.1",
        MYSTIC_DATA="/d",
        SERVER_SHARED_FILES="/s",
        MYSTIC_SERVER_NAME="Ours",
        MYSTIC_LOG_FORMAT="json",
        MYSTIC_NAME="a client's",
    )
    assert (found.port, found.hosts, found.data, found.shared) == (13000, ("::1", "10.0.0.1"), Path("/d"), Path("/s"))
    assert (found.name, found.log_format) == ("Ours", "json")


def test_tls_is_there_unless_it_is_switched_off(file: Path) -> None:
    file.write_text('tls = "off"\n')
    assert settings().tls == "optional"
    assert settings("--tls", "required").tls == "required"
    assert settings("--config", str(file), MYSTIC_TLS="required").tls == "required"
    assert settings("--config", str(file)).tls == "off"


def test_an_empty_variable_says_nothing() -> None:
    assert settings(MYSTIC_PORT="", SERVER_SHARED_FILES="") == settings()


def test_the_file(file: Path) -> None:
    file.write_text(
        'port = 1\nhost = ["::"]\ndata = "data"\nshared = "../files"\nname = "Ours"\nlog_format = "json"\n'
        "[listen]\nnative = [2, 3]\n[limits]\nmax_connections = 5\nidle_timeout_s = 3\n"
    )
    for found in (settings("--config", str(file)), settings(MYSTIC_CONFIG=str(file))):
        assert (found.port, found.hosts, found.name, found.log_format) == (1, ("::",), "Ours", "json")
        assert (found.data, found.shared) == (file.parent / "data", file.parent / "../files")
        assert found.listen == (("native", 2), ("native", 3))
        assert found.limits == Limits(max_connections=5, idle_timeout_s=3.0)


def test_flags_beat_the_environment_and_that_beats_the_file(file: Path) -> None:
    file.write_text('port = 1\nname = "file"\nlog_format = "json"\n[listen]\nnative = [9]\n')
    found = settings(
        "3", "--config", str(file), "--listen", "native=8", MYSTIC_PORT="2", MYSTIC_SERVER_NAME="environment"
    )
    assert (found.port, found.name, found.log_format, found.listen) == (3, "environment", "json", (("native", 8),))


def test_unlimited_switches_rates_off_and_nothing_else(file: Path) -> None:
    file.write_text("unlimited = true\n")
    assert settings("--config", str(file)).limits == settings("--unlimited").limits
    changed = {
        name
        for name in Limits.__struct_fields__
        if getattr(Limits(), name) != getattr(settings("--unlimited").limits, name)
    }
    assert changed
    assert all(any(word in name for word in ("_per_", "burst", "_address")) for name in changed)
    assert {name for name in Limits.__struct_fields__ if "per_second" in name or "burst" in name} <= changed


def test_every_limit_limits_something() -> None:
    text = Path(server.__file__).read_text(encoding="utf-8")
    assert [name for name in Limits.__struct_fields__ if not re.search(rf"limits\.{name}\b", text)] == []


@pytest.mark.parametrize("port", ["-1", "65536", "x", "1.5", "0x10", "١٢", "", " ", "1e3", "99999999999999999999"])
def test_a_port_is_a_number(port: str) -> None:
    assert complaint("--", port).startswith("PORT: ") or port.startswith("-")
    if port:
        assert complaint(MYSTIC_PORT=port).startswith("MYSTIC_PORT: ")


@pytest.mark.parametrize(
    ("argv", "start"),
    [
        (["--listen", "irc=1"], "--listen: 'irc' is not a wire"),
        (["--listen", "native"], "--listen: 'native' is not of the form"),
        (["--listen", "native="], "--listen: '' is not a port"),
        (["--listen", "native=1,x"], "--listen: 'x' is not a port"),
        (["5", "--listen", "native=5"], "--listen: a port can't be listened on twice"),
        (["--listen", "native=5,5"], "--listen: a port can't be listened on twice"),
        (["--host", ""], "--host: a host is empty"),
        (["--log-format", "xml"], "--log-format: 'xml' is not a log format"),
        (["--tls", "maybe"], "--tls: 'maybe' is not a choice; there are optional and required and off"),
        (["--name", ""], "--name: the server's name"),
        (["--name", "\x1b[2J"], "--name: the server's name"),
        (["--name", "x" * 65], "--name: the server's name"),
        (["--data", "\0"], "--data: a path can't contain a zero byte"),
        (["--shared", "~nobody-of-that-name/x"], "--shared: there is no such user"),
        (["--bogus"], "Command line: "),
        (["1", "2"], "Command line: "),
        (["--shar", "x"], "Command line: "),
        (["--port"], "Command line: "),
    ],
)
def test_mistakes_on_the_command_line(argv: list[str], start: str) -> None:
    assert complaint(*argv).startswith(start)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("port =", "is wrong"),
        ('port = "1"', "$.port"),
        ("port = 70000", "port: 70000 is not a port"),
        ("bogus = 1", "bogus"),
        ("[limits]\nbogus = 1", "bogus"),
        ("[limits]\nmax_connections = 0", "$.limits.max_connections"),
        ("[limits]\nmax_connections = true", "$.limits.max_connections"),
        ("[limits]\nidle_timeout_s = nan", "$.limits.idle_timeout_s"),
        ("[limits]\nidle_timeout_s = inf", "$.limits.idle_timeout_s"),
        ("[limits]\nmessages_per_second = 0", "$.limits.messages_per_second"),
        ("[limits]\nsend_queue_soft_bytes = 2000000", "send_queue_soft_bytes"),
        ("[listen]\nirc = [1]", "listen: 'irc' is not a wire"),
        ("[listen]\nnative = [-1]", "listen: -1 is not a port"),
    ],
)
def test_mistakes_in_the_file(file: Path, text: str, part: str) -> None:
    file.write_text(text)
    assert part in complaint("--config", str(file))


def test_a_file_that_cannot_be_read(file: Path) -> None:
    assert "No such file" in complaint("--config", str(file))
    assert "can't be read" in complaint("--config", str(file.parent))
    file.write_bytes(b"name = '\xff'")
    assert "UTF-8" in complaint("--config", str(file))


def test_wires_are_what_the_server_knows() -> None:
    assert parse(["--listen", "irc=6667"], {}, wires=("native", "irc")).listen == (("irc", 6667),)


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_words_that_only_ask(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        settings(flag)
    assert caught.value.code == 0
    assert "mystic-server" in capsys.readouterr().out
    assert version()


# Folders.


def folders(data: Path, shared: Path) -> Settings:
    return msgspec.structs.replace(settings(), data=data, shared=shared)


def test_missing_folders_are_made(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_folders(folders(tmp_path / "a" / "data", tmp_path / "b" / "shared"))
    finally:
        os.umask(before)
    assert (tmp_path / "a" / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "b" / "shared").is_dir()


def test_folders_that_are_there_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o555)
    (tmp_path / "data").mkdir(mode=0o755)
    make_folders(folders(tmp_path / "data", tmp_path / "shared"))
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o755


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigError, match="The shared folder .* there is a file in its place"):
            make_folders(folders(tmp_path / "data", path))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="The shared folder .* can't be used: "):
        make_folders(folders(tmp_path / "data", tmp_path / ("x" * 300)))


@pytest.mark.parametrize("place", ["shared", "shared/data", "link/data"])
def test_data_in_the_share_would_be_everybodys(tmp_path: Path, place: str) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "link").symlink_to("shared")
    with pytest.raises(ConfigError, match="inside the shared folder"):
        make_folders(folders(tmp_path / place, tmp_path / "shared"))
    assert list((tmp_path / "shared").iterdir()) == []


@pytest.mark.parametrize("choice", ["members", "operators", "off"])
def test_who_may_bring_files(choice: str) -> None:
    assert parse(["--uploads", choice], {}).uploads == choice
    assert parse([], {"MYSTIC_UPLOADS": choice}).uploads == choice


def test_nobody_else_may_bring_files() -> None:
    assert parse([], {}).uploads == "members"
    with pytest.raises(ConfigError, match="'friends' is not a choice; there are members and operators and off"):
        parse(["--uploads", "friends"], {})


def test_files_may_have_more_bytes_than_memory_has(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("[limits]\nmax_upload_bytes = 5000000000\nupload_bytes_per_user = 500000000000\n")
    limits = parse(["--config", str(tmp_path / "c")], {}).limits
    assert (limits.max_upload_bytes, limits.upload_bytes_per_user) == (5_000_000_000, 500_000_000_000)


def test_datagrams() -> None:
    assert (settings().udp, settings().udp_port) == (True, None)
    assert (settings("--udp", "off").udp, settings(MYSTIC_UDP="on").udp) == (False, True)
    assert (settings("--udp-port", "0").udp_port, settings(MYSTIC_UDP_PORT="4001").udp_port) == (0, 4001)
    assert "--udp: 'maybe' is neither on nor off." in complaint("--udp", "maybe")
    assert "--udp-port: '70000' is not a port" in complaint("--udp-port", "70000")


def test_datagrams_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mystic.toml"
    file.write_text("udp = false\nudp_port = 4001\n", encoding="utf-8")
    found = settings("--config", str(file))
    assert (found.udp, found.udp_port) == (False, 4001)
    assert settings("--config", str(file), "--udp", "on").udp
