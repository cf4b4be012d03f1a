"""What the operator sees: the lines, that nobody can forge them, and that the server never waits for them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_server.console import (
    LINES_PER_CAUSE,
    MAX_LINE_BYTES,
    MAX_PENDING_LINES,
    Console,
    Status,
    cut,
    shown,
    size_text,
)

STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ")
MANY = 10**9


class Reader:
    """The other end of a console's descriptor, and a clock that stands still."""

    def __init__(self, log_format: str = "text", lines_per_cause: int = MANY) -> None:
        self.now = 1_700_000_000.0
        self.end, self._descriptor = os.pipe()
        os.set_blocking(self.end, False)
        self.console = Console(log_format, self._descriptor, None, lines_per_cause, lambda: self.now)

    def read(self) -> str:
        """What was written so far."""
        data = b""
        while True:
            self.console.flush()
            try:
                data += os.read(self.end, 1 << 20)
            except BlockingIOError:
                return data.decode()

    def lines(self) -> list[str]:
        """The lines written so far, without their times."""
        return [STAMP.sub("", line) for line in self.read().split("\n")[:-1]]

    def objects(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.read().split("\n")[:-1]]

    def close(self) -> None:
        self.console.close()
        for descriptor in (self.end, self._descriptor):
            if descriptor >= 0:
                os.close(descriptor)
        self.end = self._descriptor = -1

    def stop_reading(self) -> None:
        os.close(self.end)
        self.end = -1


@pytest.fixture
def text() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.close()


@pytest.fixture
def limited() -> Iterator[Reader]:
    reader = Reader(lines_per_cause=LINES_PER_CAUSE)
    yield reader
    reader.close()


@pytest.fixture
def objects() -> Iterator[Reader]:
    reader = Reader("json")
    yield reader
    reader.close()


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


# Lines.

EVENTS: list[tuple[Callable[[Console], None], str, dict[str, object]]] = [
    (lambda c: c.started([("0.0.0.0", 1), ("::", 2)]), "started       listening on 0.0.0.0:1, [::]:2",
     {"event": "started", "addresses": "0.0.0.0:1, [::]:2"}),
    (lambda c: c.certificate("ab:cd"), "tls           fingerprint ab:cd", {"event": "tls", "fingerprint": "ab:cd"}),
    (lambda c: c.connected("10.0.0.1", 50), "connected     10.0.0.1:50",
     {"event": "connected", "address": "10.0.0.1", "port": 50, "wire": ""}),
    (lambda c: c.connected("::1", 50, "native"), "connected     [::1]:50 speaks native", {"wire": "native"}),
    (lambda c: c.disconnected("::1", 50, "ana", "lost", 100, 2048),
     "disconnected  [::1]:50 ana (lost), 100 B in, 2.0 KiB out",
     {"name": "ana", "reason": "lost", "bytes_in": 100, "bytes_out": 2048}),
    (lambda c: c.disconnected("::1", 50), "disconnected  [::1]:50 (closed), 0 B in, 0 B out", {"name": ""}),
    (lambda c: c.joined("ana"), "joined        ana", {"event": "joined", "name": "ana", "level": "info"}),
    (lambda c: c.left("ana", "lost"), "left          ana (lost)", {"event": "left", "reason": "lost"}),
    (lambda c: c.group("created", "cats", "ana"), "group         cats created by ana",
     {"what": "created", "group": "cats"}),
    (lambda c: c.group("deleted", "cats"), "group         cats deleted", {"name": ""}),
    (lambda c: c.transfer_started("ana", "a/b.txt", 2048, 1024),
     "transfer      ana fetches a/b.txt, 2.0 KiB from 1.0 KiB on", {"what": "started", "size": 2048, "offset": 1024}),
    (lambda c: c.transfer_finished("ana", "b", 4096, 2.0), "transfer      ana has b, 4.0 KiB in 2.0 s, 2.0 KiB/s",
     {"what": "finished", "seconds": 2.0, "bytes_per_s": 2048}),
    (lambda c: c.transfer_finished("ana", "b", 0, 0.0), "transfer      ana has b, 0 B in 0.0 s", {"bytes_per_s": 0}),
    (lambda c: c.upload_started("ana", "a/b.txt", 2048, 1024),
     "transfer      ana brings a/b.txt, 2.0 KiB from 1.0 KiB on", {"what": "upload_started", "offset": 1024}),
    (lambda c: c.upload_started("ana", "b", 2048), "transfer      ana brings b, 2.0 KiB", {"offset": 0}),
    (lambda c: c.upload_finished("ana", "b", 4096, 2.0), "transfer      ana has brought b, 4.0 KiB in 2.0 s",
     {"what": "upload_finished", "size": 4096, "seconds": 2.0}),
    (lambda c: c.upload_failed("ana", "b", 10, 20),
     "transfer      ana did not bring b: it ended after 10 B of 20 B", {"what": "upload_failed", "level": "warning"}),
    (lambda c: c.transfer_failed("ana", "b", 10, 20, "connection lost"),
     "transfer      ana did not get b: connection lost after 10 B of 20 B", {"what": "failed", "level": "warning"}),
    (lambda c: c.warning("Hm."), "warning       Hm.", {"event": "warning", "level": "warning", "text": "Hm."}),
    (lambda c: c.error("Oh."), "error         Oh.", {"event": "error", "level": "error", "text": "Oh."}),
    (lambda c: c.stopping("SIGTERM"), "stopping      SIGTERM", {"reason": "SIGTERM"}),
    (lambda c: c.stopped(), "stopped       good-bye", {"event": "stopped"}),
    (
        lambda c: c.stopped(0.01234),
        "stopped       good-bye; the longest stall was 12.3 ms",
        {"event": "stopped", "longest_stall_ms": 12.3},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("happen", "line", "fields"), EVENTS)
def test_a_line_for_everything_that_happens(
    text: Reader, objects: Reader, happen: Callable[[Console], None], line: str, fields: dict[str, object]
) -> None:
    happen(text.console)
    assert text.lines() == [line]
    happen(objects.console)
    (found,) = objects.objects()
    assert found.items() >= fields.items()
    assert found["time"] == 1_700_000_000.0


def test_nothing_is_written_before_the_flush(text: Reader) -> None:
    text.console.joined("ana")
    with pytest.raises(BlockingIOError):
        os.read(text.end, 10)
    text.console.status(Status(users=1))
    assert text.lines() == ["joined        ana"]


@pytest.mark.parametrize(
    ("host", "line"), [("127.0.0.1", "mystic: ready on 127.0.0.1:5\n"), ("::1", "mystic: ready on [::1]:5\n")]
)
def test_the_ready_line_is_all_that_standard_output_has(
    text: Reader, capsys: pytest.CaptureFixture[str], host: str, line: str
) -> None:
    text.console.ready(host, 5)
    text.console.joined("ana")
    text.console.flush()
    assert capsys.readouterr() == (line, "")


def test_a_bug_shows_its_traceback_once(text: Reader, objects: Reader) -> None:
    for reader in (text, objects):
        for _ in range(3):
            reader.console.fault(raised(LookupError("a\nbug")))
    lines = text.lines()
    assert lines[0].startswith("fault         LookupError at test_console.py:")
    assert lines[1] == "    Traceback (most recent call last):"
    assert lines.count("    Traceback (most recent call last):") == 1
    assert lines[-1].endswith(": a\\x0abug (number 3)")
    first, *others = objects.objects()
    assert "traceback" in first and not any("traceback" in other for other in others)


def test_a_bug_without_a_place(text: Reader) -> None:
    text.console.fault(LookupError())
    assert text.lines()[0] == "fault         LookupError at nowhere: "


# Other people's text.


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("ana", "ana"),
        ("日本 é ✓", "日本 é ✓"),
        ("a\nb\r", "a\\x0ab\\x0d"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202e", "\\xe2\\x80\\xae"),
        ("\u2028", "\\xe2\\x80\\xa8"),
        ("\ud800", "\\xed\\xa0\\x80"),
        ("\\x1b", "\\\\x1b"),
        ("%s {0} [b]", "%s {0} [b]"),
    ],
)
def test_what_is_not_printable_is_shown_as_numbers(given_: str, expected: str) -> None:
    assert shown(given_) == expected


@given(st.text(), st.text(max_size=5000), st.sampled_from(["text", "json"]))
def test_one_event_is_one_line_whatever_people_write(name: str, path: str, log_format: str) -> None:
    reader = Reader(log_format)
    reader.console.transfer_failed(name, path, 1, 2, name)
    reader.console.left(name, path)
    reader.console.warning(path)
    written = reader.read()
    reader.close()
    lines = written.split("\n")
    assert len(lines) == 4 and lines[-1] == ""
    assert written.replace("\n", "").isprintable()
    assert all(len(line.encode()) <= MAX_LINE_BYTES for line in lines)
    if log_format == "json":
        assert [json.loads(line)["level"] for line in lines[:-1]] == ["warning", "info", "warning"]


def test_a_huge_text_is_cut(text: Reader, objects: Reader) -> None:
    for reader in (text, objects):
        reader.console.error('"é' * 500_000)
        (line,) = reader.read().split("\n")[:-1]
        assert 500 < len(line.encode()) < MAX_LINE_BYTES


@given(st.text(), st.integers(10, 100))
def test_a_cut_keeps_whole_characters(text: str, limit: int) -> None:
    text = text.encode(errors="replace").decode()
    short = cut(text, limit)
    assert len(short.encode()) <= limit
    assert short == text or (short[-1] == "…" and text.startswith(short[:-1]))


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1.5 * 2**20, "1.5 MiB"), (2**50, "1024.0 TiB")],
)
def test_sizes_for_people(count: float, expected: str) -> None:
    assert size_text(count) == expected


# Too many lines.


def test_one_cause_has_ten_lines_a_second(limited: Reader) -> None:
    for _ in range(25):
        limited.console.joined("ana")
    limited.console.left("bob", "left")
    assert limited.lines() == ["joined        ana"] * 10 + ["left          bob (left)"]
    limited.now += 1
    limited.console.joined("cia")
    assert limited.lines() == ["left_out      15 more lines in one second (joined)", "joined        cia"]


def test_what_was_left_out_is_told_soon(limited: Reader) -> None:
    for _ in range(11):
        limited.console.joined("ana")
    limited.console.status(Status())
    assert len(limited.lines()) == 10
    limited.now += 1
    limited.console.status(Status())
    assert limited.lines() == ["left_out      1 more lines in one second (joined)"]
    limited.console.status(Status())
    assert limited.lines() == []


def test_a_clock_that_is_set_back_does_not_silence_anybody(limited: Reader) -> None:
    for _ in range(11):
        limited.console.joined("ana")
    limited.lines()
    limited.now -= 3600
    limited.console.joined("ana")
    assert limited.lines()[-1] == "joined        ana"


def test_warnings_have_causes_of_their_own(limited: Reader) -> None:
    for number in range(30):
        limited.console.warning(f"{number}", "disk" if number % 2 else "net")
    assert len(limited.lines()) == 20


def test_errors_and_the_end_are_never_left_out(limited: Reader) -> None:
    for _ in range(50):
        limited.console.error("Oh.")
        limited.console.stopping("twice")
        limited.console.joined("ana")
    limited.console.stopped()
    lines = limited.lines()
    assert len(lines) == 112
    assert lines[-2:] == ["left_out      40 more lines in one second (joined)", "stopped       good-bye"]


# A log that nobody reads.


def test_the_server_does_not_wait_for_its_log(text: Reader) -> None:
    for number in range(10_000):
        text.console.error(f"number {number} " + "x" * 500)
        text.console.flush()
    lines = text.lines()
    assert MAX_PENDING_LINES < len(lines) < 10_000
    assert lines[0].startswith("error         number 0 ")
    text.console.error("at last")
    left_out, last = text.lines()
    assert left_out == f"left_out      {10_000 - len(lines)} lines that were not read in time"
    assert last == "error         at last"


def test_no_line_is_cut_by_a_slow_reader(text: Reader) -> None:
    for _ in range(500):
        text.console.error("x" * 500)
    lines: list[str] = []
    while len(lines) < 500:
        text.console.flush()
        lines += text.lines()
    assert set(lines) == {"error         " + "x" * 500}


def test_a_reader_that_is_gone_is_no_trouble(text: Reader) -> None:
    text.stop_reading()
    for _ in range(3):
        text.console.error("Oh.")
        text.console.flush()


def test_a_server_without_standard_error_is_silent() -> None:
    console = Console(descriptor=-1)
    console.error("Oh.")
    console.flush()
    console.close()


def test_what_is_left_is_written_at_the_end(text: Reader) -> None:
    text.console.joined("ana")
    text.console.close()
    assert text.lines() == ["joined        ana"]


def test_a_file_takes_everything(tmp_path: os.PathLike[str]) -> None:
    descriptor = os.open(os.path.join(tmp_path, "log"), os.O_CREAT | os.O_RDWR)
    console = Console(descriptor=descriptor)
    for _ in range(500):
        console.error("x" * 100)
    console.close()
    assert os.fstat(descriptor).st_size > 50_000
    os.close(descriptor)


# A terminal.


class Terminal:
    """A console on a pseudo terminal."""

    def __init__(self) -> None:
        self.screen, self.descriptor = os.openpty()
        os.set_blocking(self.screen, False)
        self.console = Console(descriptor=self.descriptor)

    def read(self) -> str:
        data = b""
        for _ in range(100):
            self.console.flush()
            try:
                data += os.read(self.screen, 1 << 16)
            except BlockingIOError:
                break
        return data.decode()

    def close(self) -> None:
        self.console.close()
        os.close(self.descriptor)
        os.close(self.screen)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    yield terminal
    terminal.close()


def plain(written: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)


def test_a_terminal_gets_colours_and_a_status_line(terminal: Terminal) -> None:
    terminal.console.joined("ana")
    terminal.console.status(Status(3, 1, 2, 1234.5, 20_000, 1, 2**20, 3661))
    written = terminal.read()
    assert "\x1b[32mjoined" in written
    lines = plain(written).split("\r\n")
    assert re.fullmatch(r"\d\d:\d\d:\d\d  joined        ana", lines[0])
    assert lines[-1].strip() == (
        "● up 1:01:01 · 3 connections · 1 user · 2 groups · 1 download 1.0 MiB/s · 1,234 messages/s · 20,000 deliveri…"
    )


def test_the_status_line_stays_below_and_is_gone_at_the_end(terminal: Terminal) -> None:
    terminal.console.status(Status(users=5, uptime_s=61))
    assert (
        plain(terminal.read())
        .rstrip()
        .endswith("● up 0:01:01 · 0 connections · 5 users · 0 groups · 0 messages/s · 0 deliveries/s")
    )
    terminal.console.joined("ana")
    assert (
        plain(terminal.read())
        .rstrip()
        .endswith("● up 0:01:01 · 0 connections · 5 users · 0 groups · 0 messages/s · 0 deliveries/s")
    )
    terminal.console.status(Status(users=6))
    assert "6 users" in plain(terminal.read())
    terminal.console.stopped()
    terminal.console.close()
    last = terminal.read()
    assert "users" not in last[last.rindex("good-bye") :].rpartition("\x1b[2K")[2]
    assert last.endswith("\x1b[?25h") or "\x1b[?25l" not in last


def test_the_cursor_is_never_left_hidden(terminal: Terminal) -> None:
    terminal.console.status(Status())
    written = terminal.read()
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")


def test_a_terminal_gets_no_orders_from_people(terminal: Terminal) -> None:
    terminal.console.joined("[bold]x[/bold] [/] \x1b]52;c;aGk=\a \x9b2J :smile:")
    terminal.console.fault(raised(LookupError("[/oops]")))
    written = terminal.read()
    assert "[bold]x[/bold] [/] \\x1b]52;c;aGk=\\x07 \\xc2\\x9b2J :smile:" in plain(written)
    assert "LookupError: [/oops]" in plain(written)
    assert "\x1b]" not in written and "\x9b" not in written


def test_a_terminal_that_is_not_read_holds_nobody_up(terminal: Terminal) -> None:
    for number in range(3000):
        terminal.console.error(f"number {number} " + "x" * 80)
        terminal.console.status(Status(users=number))
        terminal.console.flush()
    assert "number 0 " in terminal.read()


def test_what_operators_do_and_who_was_not_let_in_is_said_in_a_line_each(text: Reader) -> None:
    console = text.console
    console.account("ana", "made operator", "olga")
    console.moderated("kick", "bob", "olga", "spam", "")
    console.moderated("ban", "9.9.0.0/16", "olga", "", "2030-01-01 00:00:00")
    console.login_failed("::1", 4711, "ana\x1b[2J", "wrong password")
    console.stopping_in(60)
    console.stopping_in(0)
    assert [" ".join(line.split()) for line in text.lines()] == [
        "account ana made operator by olga",
        "peace kick bob by olga: spam",
        "peace ban 9.9.0.0/16 by olga until 2030-01-01 00:00:00",
        "login [::1]:4711 not let in as ana\\x1b[2J (wrong password)",
        "stopping in 60 seconds",
        "stopping not after all",
    ]
