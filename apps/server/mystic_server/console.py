"""What the operator sees: one line for everything that happens, and a status line below them on a terminal.

Lines go to standard error: as text, as coloured text with Rich if that is a terminal, or as one JSON object each.
Standard output has nothing but the ready lines, which other programs wait for.

The server never waits for its log. Lines are gathered and written by `flush`, no more at once than the descriptor takes
without waiting. When too much has gathered, lines are left out and counted; and of one cause there are ten lines a
second at most, the rest is counted too. Text of other people is escaped: what isn't printable shows as \\xNN of its
UTF-8, so that nobody can forge a line or talk to the operator's terminal.
"""

import io
import os
import select
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec
from msgspec import Struct
from rich.console import Console as RichConsole
from rich.live import Live
from rich.text import Text

MAX_LINE_BYTES: Final = 1024
MAX_PENDING_LINES: Final = 1000
"""Gathered and not written yet; beyond that lines are left out."""
LINES_AT_ONCE: Final = 100
"""Made into bytes in one tick."""
LINES_PER_CAUSE: Final = 10
"""In one second."""
MAX_FAULTS_KNOWN: Final = 100
"""Places in our code whose traceback was shown already."""
MAX_TRACEBACK_ROWS: Final = 60

# What a pipe takes at once, as POSIX promises, after select has called it writable.
_WRITE_BYTES = getattr(select, "PIPE_BUF", 4096)
_CLOSE_LIMIT_S = 0.5
_EVENT_COLUMN = 14
_NEVER_LEFT_OUT = frozenset({"started", "stopping", "stopped", "error"})
_STYLES = {
    "started": "bold green",
    "stopping": "bold yellow",
    "stopped": "bold yellow",
    "tls": "green",
    "connected": "cyan",
    "disconnected": "dim cyan",
    "joined": "green",
    "left": "yellow",
    "group": "magenta",
    "account": "magenta",
    "peace": "bold yellow",
    "transfer": "blue",
    "warning": "bold yellow",
    "error": "bold red",
    "fault": "bold white on red",
    "left_out": "dim",
}


class Status(Struct, frozen=True):
    """The figures of the status line."""

    connections: int = 0
    users: int = 0
    groups: int = 0
    messages_per_s: float = 0.0
    deliveries_per_s: float = 0.0
    transfers: int = 0
    transfer_bytes_per_s: float = 0.0
    uptime_s: float = 0.0


class _Line(Struct, frozen=True):
    """Something that happened. `text` and the texts in `fields` are other people's in part, and not escaped yet."""

    time_s: float
    event: str
    level: str
    text: str
    fields: Mapping[str, object]
    below: Sequence[str] = ()
    """More lines that belong to it."""


class _Format(Protocol):
    """How lines become bytes."""

    def render(self, lines: Sequence[_Line], status: Status | None) -> bytes:
        """The bytes of these lines, and of the figures if there are newer ones."""

    def end(self) -> bytes:
        """Leaves the terminal as it was."""


class Console:
    """See the module. `flush` is to be called at the end of every tick, `status` once a second, `close` at the end.

    `descriptor` is where lines go, standard error by default; `is_terminal` None: whatever that is.
    """

    def __init__(
        self,
        log_format: str = "text",
        descriptor: int | None = None,
        is_terminal: bool | None = None,
        lines_per_cause: int = LINES_PER_CAUSE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        number = _standard_error() if descriptor is None else descriptor
        on_terminal = number >= 0 and os.isatty(number) if is_terminal is None else is_terminal
        self._output = _Output(number, on_terminal)
        self._format: _Format = _Json() if log_format == "json" else _Terminal() if on_terminal else _Plain()
        self._clock = clock
        self._lines: deque[_Line] = deque()
        self._status: Status | None = None  # if it is not on the screen yet
        self._causes: dict[str, _Cause] = {}
        self._lines_per_cause = lines_per_cause
        self._unread = 0  # lines left out because nobody read the log
        self._faults: dict[str, int] = {}

    # What happens.

    def ready(self, host: str, port: int) -> None:
        """The line on standard output that says that connections are accepted."""
        self.flush()
        try:
            print(f"mystic: ready on {_place(host, port)}", flush=True)
        except OSError as error:
            self.warning(f"Nobody reads the standard output: {error.strerror}.")

    def started(self, addresses: Sequence[tuple[str, int]]) -> None:
        """The server accepts connections."""
        places = ", ".join(_place(host, port) for host, port in addresses)
        self._say("started", f"listening on {places}", {"addresses": places})

    def certificate(self, fingerprint: str) -> None:
        """Connections can be encrypted; clients know the server by this."""
        self._say("tls", f"fingerprint {fingerprint}", {"fingerprint": fingerprint})

    def connected(self, address: str, port: int, wire: str = "") -> None:
        """A connection was accepted, or (with `wire`) has shown what it speaks."""
        text = _place(address, port) + (f" speaks {wire}" if wire else "")
        self._say("connected", text, {"address": address, "port": port, "wire": wire})

    def disconnected(
        self, address: str, port: int, name: str = "", reason: str = "", bytes_in: int = 0, bytes_out: int = 0
    ) -> None:
        """A connection ended; `name` is empty before the login."""
        who = f" {name}" if name else ""
        sizes = f"{size_text(bytes_in)} in, {size_text(bytes_out)} out"
        place = {"address": address, "port": port, "name": name, "reason": reason}
        fields = {**place, "bytes_in": bytes_in, "bytes_out": bytes_out}
        self._say("disconnected", f"{_place(address, port)}{who} ({reason or 'closed'}), {sizes}", fields)

    def joined(self, name: str) -> None:
        """A user came."""
        self._say("joined", name, {"name": name})

    def left(self, name: str, cause: str) -> None:
        """A user's last session ended."""
        self._say("left", f"{name} ({cause})", {"name": name, "reason": cause})

    def group(self, what: str, group: str, name: str = "") -> None:
        """Something happened to a group: `what` is "created", "joined", "left" or "deleted", `name` who did it."""
        text = f"{group} {what}" + (f" by {name}" if name else "")
        self._say("group", text, {"what": what, "group": group, "name": name})

    def account(self, name: str, what: str, by: str = "") -> None:
        """A name became somebody's, has another role, or was given up: `what` says so, `by` who did it if another."""
        self._say("account", f"{name} {what}" + (f" by {by}" if by else ""), {"name": name, "what": what, "by": by})

    def moderated(self, act: str, target: str, by: str, reason: str, until: str) -> None:
        """An operator did something to keep the peace: `act` is "kick", "ban", "unban", "mute" or "unmute"."""
        text = f"{act} {target} by {by}" + (f" until {until}" if until else "") + (f": {reason}" if reason else "")
        fields = {"act": act, "target": target, "by": by, "reason": reason, "until": until}
        self._say("peace", text, fields)

    def login_failed(self, address: str, port: int, name: str, why: str) -> None:
        """Somebody was not let in."""
        fields = {"address": address, "port": port, "name": name, "reason": why}
        self._say("login", f"{_place(address, port)} not let in as {name} ({why})", fields, "warning")

    def transfer_started(self, name: str, path: str, size: int, offset: int = 0) -> None:
        """A file is being sent; `offset`: the client had so much of it already."""
        resumed = f" from {size_text(offset)} on" if offset else ""
        fields = {"what": "started", "name": name, "path": path, "size": size, "offset": offset}
        self._say("transfer", f"{name} fetches {path}, {size_text(size)}{resumed}", fields)

    def transfer_finished(self, name: str, path: str, size: int, seconds: float) -> None:
        """A file was sent; `size` is what of it went over the wire."""
        speed = int(size / seconds) if seconds > 0 else 0
        text = f"{name} has {path}, {size_text(size)} in {seconds:.1f} s" + (f", {size_text(speed)}/s" if speed else "")
        fields = {"name": name, "path": path, "size": size, "seconds": round(seconds, 3), "bytes_per_s": speed}
        self._say("transfer", text, {"what": "finished", **fields})

    def transfer_failed(self, name: str, path: str, sent: int, size: int, reason: str) -> None:
        """A file was not sent to its end."""
        text = f"{name} did not get {path}: {reason} after {size_text(sent)} of {size_text(size)}"
        fields = {"what": "failed", "name": name, "path": path, "sent": sent, "size": size, "reason": reason}
        self._say("transfer", text, fields, "warning")

    def upload_started(self, name: str, path: str, size: int, offset: int = 0) -> None:
        """Somebody brings a file; `offset`: so much of it was here already."""
        resumed = f" from {size_text(offset)} on" if offset else ""
        fields = {"what": "upload_started", "name": name, "path": path, "size": size, "offset": offset}
        self._say("transfer", f"{name} brings {path}, {size_text(size)}{resumed}", fields)

    def upload_finished(self, name: str, path: str, size: int, seconds: float) -> None:
        """A file has come, and is where it belongs."""
        fields = {"what": "upload_finished", "name": name, "path": path, "size": size, "seconds": round(seconds, 3)}
        self._say("transfer", f"{name} has brought {path}, {size_text(size)} in {seconds:.1f} s", fields)

    def upload_failed(self, name: str, path: str, came: int, size: int) -> None:
        """A file has not come to its end, or was not what it was said to be."""
        fields = {"what": "upload_failed", "name": name, "path": path, "came": came, "size": size}
        text = f"{name} did not bring {path}: it ended after {size_text(came)} of {size_text(size)}"
        self._say("transfer", text, fields, "warning")

    def warning(self, text: str, cause: str = "") -> None:
        """Something that the operator may want to look into; `cause` is what is limited to ten lines a second."""
        self._say("warning", text, {"text": text}, "warning", cause)

    def error(self, text: str) -> None:
        """Something that the operator has to look into."""
        self._say("error", text, {"text": text}, "error")

    def fault(self, error: BaseException) -> None:
        """A bug of ours that was survived: with its traceback the first time, then as a line."""
        key = _place_of(error)
        is_new = key not in self._faults
        if is_new and len(self._faults) >= MAX_FAULTS_KNOWN:
            self._faults.clear()
        count = self._faults[key] = self._faults.get(key, 0) + 1
        rows = "".join(traceback.format_exception(error)).splitlines()[-MAX_TRACEBACK_ROWS:] if is_new else []
        text = f"{type(error).__name__} at {key}: {error}" + ("" if is_new else f" (number {count})")
        fields = {"text": text, "traceback": rows} if rows else {"text": text}
        self._say("fault", text, fields, "error", below=rows)

    def stopping_in(self, seconds: int) -> None:
        """A countdown runs; 0: not any more."""
        text = f"in {seconds} seconds" if seconds else "not after all"
        self._say("stopping", text, {"seconds": seconds})

    def stopping(self, reason: str) -> None:
        """The server takes no more connections."""
        self._say("stopping", reason, {"reason": reason})

    def stopped(self, longest_stall_s: float = 0.0) -> None:
        """Everything is done. `longest_stall_s`: what any peer had to wait for the loop at most, while it ran."""
        self._report_all()
        stall_ms = round(longest_stall_s * 1000, 1)
        text = f"good-bye; the longest stall was {stall_ms} ms" if stall_ms else "good-bye"
        self._say("stopped", text, {"longest_stall_ms": stall_ms} if stall_ms else {})

    def status(self, status: Status) -> None:
        """The newest figures, for the status line of a terminal; also reports what was left out."""
        now = self._clock()
        for name in [name for name, cause in self._causes.items() if cause.is_over(now)]:
            self._report(now, name, self._causes.pop(name))
        self._status = status

    # Writing.

    def flush(self) -> None:
        """Writes what the descriptor takes without waiting."""
        if not (self._lines or self._status or self._output.pending):
            return
        if not self._output.flush():
            return
        lines = [self._lines.popleft() for _ in range(min(len(self._lines), LINES_AT_ONCE))]
        status, self._status = self._status, None
        self._output.push(self._format.render(lines, status))
        self._output.flush()

    def close(self) -> None:
        """Writes the rest, waiting half a second at most, and leaves the terminal as it was."""
        self._report_all()
        self._output.push(self._format.render(list(self._lines), None) + self._format.end())
        self._lines.clear()
        self._output.close()

    def _say(
        self,
        event: str,
        text: str,
        fields: Mapping[str, object],
        level: str = "info",
        cause: str = "",
        below: Sequence[str] = (),
    ) -> None:
        now = self._clock()
        if event not in _NEVER_LEFT_OUT and not self._may(cause or event, now):
            return
        if len(self._lines) >= MAX_PENDING_LINES:
            self._unread += 1
            return
        self._report_unread(now)
        self._lines.append(_Line(now, event, level, text[:MAX_LINE_BYTES], fields, below))

    def _may(self, name: str, now: float) -> bool:
        """Counts a line of a cause; False: it is one too many in this second."""
        cause = self._causes.get(name)
        if cause and cause.is_over(now):
            self._report(now, name, self._causes.pop(name))
            cause = None
        if cause is None:
            cause = self._causes[name] = _Cause(now)
        cause.lines += 1
        return cause.lines <= self._lines_per_cause

    def _report(self, now: float, name: str, cause: "_Cause") -> None:
        if (count := cause.lines - self._lines_per_cause) > 0:
            text = f"{count} more lines in one second ({name})"
            self._lines.append(_Line(now, "left_out", "warning", text, {"cause": name, "lines": count}))

    def _report_all(self) -> None:
        now = self._clock()
        for name, cause in self._causes.items():
            self._report(now, name, cause)
        self._causes.clear()
        self._report_unread(now)

    def _report_unread(self, now: float) -> None:
        if self._unread:
            text = f"{self._unread} lines that were not read in time"
            self._lines.append(_Line(now, "left_out", "warning", text, {"cause": "unread", "lines": self._unread}))
            self._unread = 0


class _Cause:
    """Lines of one cause in one second."""

    __slots__ = ("lines", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.lines = 0

    def is_over(self, now: float) -> bool:
        return not 0 <= now - self.since < 1.0  # the clock may be set back


# Words.


def shown(text: str) -> str:
    """Other people's text in one line that does nothing: not printable characters as \\xNN of their UTF-8."""
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_shown_char, text))


def _shown_char(char: str) -> str:
    if char.isprintable():
        return "\\\\" if char == "\\" else char
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))


def cut(text: str, max_bytes: int) -> str:
    """At most so many bytes of UTF-8; what was cut off shows as an ellipsis."""
    if len(text) * 4 <= max_bytes or len(data := text.encode()) <= max_bytes:
        return text
    return data[: max_bytes - 3].decode(errors="ignore") + "…"


def size_text(count: float) -> str:
    """Bytes for people: "512 B", "1.5 MiB"."""
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 1024:
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} TiB"


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _place_of(error: BaseException) -> str:
    """Where it was raised, as file:line."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"


def _status_text(status: Status) -> str:
    minutes, seconds = divmod(int(status.uptime_s), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        f"up {hours}:{minutes:02}:{seconds:02}",
        _count_text(status.connections, "connection"),
        _count_text(status.users, "user"),
        _count_text(status.groups, "group"),
        f"{status.messages_per_s:,.0f} messages/s",
        f"{status.deliveries_per_s:,.0f} deliveries/s",
    ]
    if status.transfers:
        speed = size_text(status.transfer_bytes_per_s)
        parts.insert(4, f"{_count_text(status.transfers, 'download')} {speed}/s")
    return " · ".join(parts)


def _count_text(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


# The three formats.


class _Plain:
    """Lines of text, for a file or another program."""

    def __init__(self) -> None:
        self._second = -1
        self._stamp = ""

    def render(self, lines: Sequence[_Line], status: Status | None) -> bytes:
        return b"".join(map(self._line, lines))

    def end(self) -> bytes:
        return b""

    def _line(self, line: _Line) -> bytes:
        if int(line.time_s) != self._second:
            self._second = int(line.time_s)
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._second))
        text = f"{self._stamp}  {line.event:<{_EVENT_COLUMN}}{shown(line.text)}"
        rows = [text, *(f"    {shown(row)}" for row in line.below)]
        return "".join(cut(row, MAX_LINE_BYTES - 1) + "\n" for row in rows).encode()


class _Json:
    """One JSON object a line."""

    def render(self, lines: Sequence[_Line], status: Status | None) -> bytes:
        return b"".join(map(self._line, lines))

    def end(self) -> bytes:
        return b""

    def _line(self, line: _Line) -> bytes:
        fields = {name: _shown_field(value) for name, value in line.fields.items()}
        head = {"time": round(line.time_s, 3), "level": line.level, "event": line.event}
        data = msgspec.json.encode({**head, **fields}) + b"\n"
        max_chars = MAX_LINE_BYTES // 2
        while len(data) > MAX_LINE_BYTES and max_chars and not line.below:
            fields = {name: value[:max_chars] if isinstance(value, str) else value for name, value in fields.items()}
            data = msgspec.json.encode({**head, **fields}) + b"\n"
            max_chars //= 2
        return data


def _shown_field(value: object) -> object:
    if isinstance(value, str):
        return cut(shown(value[:MAX_LINE_BYTES]), MAX_LINE_BYTES)
    return [_shown_field(part) for part in value] if isinstance(value, list) else value


class _Terminal:
    """Coloured lines above a status line. Rich writes into a buffer of ours, so it never waits for the terminal."""

    def __init__(self) -> None:
        self._buffer = io.StringIO()
        self._rich = RichConsole(file=self._buffer, force_terminal=True, markup=False, emoji=False, highlight=False)
        self._live: Live | None = None

    def render(self, lines: Sequence[_Line], status: Status | None) -> bytes:
        if status:
            self._show(status)
        if lines:
            rows = Text("\n").join(map(_terminal_line, lines))
            self._rich.print(rows)
        elif self._live:
            self._live.refresh()
        return self._take()

    def end(self) -> bytes:
        if self._live:
            self._live.stop()
            self._live = None
        return self._take()

    def _show(self, status: Status) -> None:
        text = Text(" ● ", "green", no_wrap=True, overflow="ellipsis").append(_status_text(status), "reverse")
        if self._live:
            self._live.update(text)
            return
        self._live = Live(
            text, console=self._rich, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._live.start()
        self._rich.show_cursor(True)  # a server that is killed must not leave a terminal without a cursor

    def _take(self) -> bytes:
        written = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return written.encode()


def _terminal_line(line: _Line) -> Text:
    style = _STYLES.get(line.event, "")
    stamp = time.strftime("%H:%M:%S", time.localtime(line.time_s))
    text = Text.assemble((f"{stamp}  ", "dim"), (f"{line.event:<{_EVENT_COLUMN}}", style))
    text.append(cut(shown(line.text), MAX_LINE_BYTES))
    for row in line.below:
        text.append(f"\n    {cut(shown(row), MAX_LINE_BYTES)}", "dim")
    return text


# The descriptor.


class _Output:
    """Bytes on their way to a descriptor that is never waited for; one that is broken swallows them."""

    def __init__(self, descriptor: int, on_terminal: bool) -> None:
        self._own = _terminal_of_ours(descriptor) if on_terminal else -1
        self._fd = descriptor if self._own < 0 else self._own
        self._bytes = bytearray()

    @property
    def pending(self) -> bool:
        return bool(self._bytes)

    def push(self, data: bytes) -> None:
        if self._fd >= 0:
            self._bytes += data

    def flush(self, limit_s: float = 0.0) -> bool:
        """Writes what is taken at once. True: nothing is left."""
        try:
            while self._bytes and self._is_writable(limit_s):
                del self._bytes[: os.write(self._fd, self._bytes[:_WRITE_BYTES])]
        except BlockingIOError:
            return False
        except OSError:
            self._give_up()
        return not self._bytes

    def close(self) -> None:
        self.flush(_CLOSE_LIMIT_S)
        self._give_up()

    def _is_writable(self, limit_s: float) -> bool:
        if os.name == "nt":
            return True  # select knows sockets only
        return bool(select.select([], [self._fd], [], limit_s)[1])

    def _give_up(self) -> None:
        self._bytes.clear()
        if self._own >= 0:
            os.close(self._own)
        self._fd = self._own = -1


def _terminal_of_ours(descriptor: int) -> int:
    """The same terminal, opened anew: it can be told not to wait without telling whoever shares the first one."""
    if sys.platform == "win32":
        return -1
    try:
        return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return -1


def _standard_error() -> int:
    """-1 if there is none: its number may belong to something else."""
    return sys.stderr.fileno() if sys.stderr else -1
