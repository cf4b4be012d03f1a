"""A Mystic CLI client as it was published, without its screen: same reads, same parser, same ways to go wrong.

`MysticCliDisplay` is the parser: bytes go in as they were read, and what the person would see comes out in `shown`,
with the prompt and the files that were saved. `OldMysticCli` puts it behind a socket.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

READ_BYTES = 8192
PATIENCE_S = 20.0
UDP_READ_BYTES = 2048
UDP_SILENCE_S = 10.0
_LOOK_UP_S = 0.2

_PARTIAL_MARKERS = (b"[FILE_", b"[UDP_F")
_MARGIN_BYTES = 30
_SERVER = "[SERVER]"


@dataclass(frozen=True)
class Offer:
    """A file that waits on a UDP port."""

    name: str
    size: int
    port: int


class MysticCliDisplay:
    """See the module. `shown` has one entry for each text that the client would print, tag and all."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.prompt = "[GLOBAL]"
        self.saved: list[tuple[str, bytes]] = []
        self.not_saved: list[str] = []
        """Files of which nothing came, or something else than was announced."""
        self.started: list[str] = []
        """Files of which a header came."""
        self.offers: list[Offer] = []
        self.dropped: list[bytes] = []
        """Reads that were not whole UTF-8."""
        self._buffer = b""
        self._file: bytearray | None = None
        self._name = ""
        self._size = 0

    def read(self, data: bytes) -> None:
        """What one `recv` gave."""
        self._buffer += data
        while self._step():
            pass

    def _step(self) -> bool:
        if self._file is not None:
            return self._file_data()
        if b"[FILE_START]" in self._buffer:
            return self._header(b"[FILE_START]", b"[FILE_START_END]", self._begin_file)
        if b"[UDP_FILE_START]" in self._buffer:
            return self._header(b"[UDP_FILE_START]", b"[UDP_FILE_START_END]", self._take_offer)
        keep = min(
            len(self._buffer) - length
            for marker in (b"", *_PARTIAL_MARKERS)
            for length in range(len(marker) + 1)
            if self._buffer.endswith(marker[:length])
        )
        self._text(self._buffer[:keep])
        self._buffer = self._buffer[keep:]
        return False

    def _header(self, start: bytes, end: bytes, use: Callable[[list[str]], None]) -> bool:
        begins, ends = self._buffer.find(start), self._buffer.find(end)
        self._text(self._buffer[:begins])
        if ends < 0:
            self._buffer = self._buffer[begins:]
            return False
        parts = self._buffer[begins + len(start) : ends].decode().split("|")
        self._buffer = self._buffer[ends + len(end) :]
        self.started.append(parts[0])
        use(parts)
        return True

    def _begin_file(self, parts: list[str]) -> None:
        self._name, self._size, self._file = parts[0], int(parts[1]), bytearray()

    def _take_offer(self, parts: list[str]) -> None:
        self.offers.append(Offer(parts[0], int(parts[1]), int(parts[2])))

    def _file_data(self) -> bool:
        assert self._file is not None
        ends = self._buffer.find(b"[FILE_END]")
        if ends < 0:
            safe = max(0, len(self._buffer) - _MARGIN_BYTES)
            self._file += self._buffer[:safe]
            self._buffer = self._buffer[safe:]
            return False
        self._file += self._buffer[:ends]
        last = self._buffer.find(b"[FILE_END_END]")
        self._buffer = self._buffer[last + len(b"[FILE_END_END]") :] if last >= 0 else self._buffer[ends:]
        if last < 0:
            return False
        self.save(self._name, self._size, bytes(self._file))
        self._file = None
        return True

    def save(self, name: str, size: int, data: bytes) -> None:
        """What the client writes: nothing if nothing came, whatever came if it has another size."""
        if data:
            self.saved.append((name, data))
        if len(data) != size or not data:
            self.not_saved.append(name)

    def _text(self, data: bytes) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.dropped.append(data)
            return
        if text.strip():
            self.shown.append(text.strip())
            self._look_for_prompt(text)

    def _look_for_prompt(self, text: str) -> None:
        if not text.startswith(_SERVER):
            return
        content = text[len(_SERVER) :].strip()
        if content.startswith("You are now chatting in "):
            self.prompt = f"[{content[24:].split('.')[0]}]"
        elif "You have left" in content and "You're now in global chat" in content:
            self.prompt = "[GLOBAL]"


class OldMysticCli:
    """One client. Its reader is a thread, as the original's; `wait_for` looks at what it has shown."""

    def __init__(self, host: str, port: int, name: str) -> None:
        self.display = MysticCliDisplay()
        self.is_over = False
        self._host = host
        self._changed = threading.Condition()
        self._is_killed = threading.Event()
        self._fetchers: list[threading.Thread] = []
        self._sock = socket.create_connection((host, port), timeout=PATIENCE_S)
        self._sock.settimeout(None)
        self._sock.sendall(name.encode())
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> OldMysticCli:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What the person does.

    def type(self, line: str) -> None:
        """One line, sent without a newline."""
        self._sock.sendall(line.encode())

    def close(self) -> None:
        """Leaves by closing, as the original does whatever was said before."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._join()

    def reset(self) -> None:
        """Is gone from one moment to the next."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._is_killed.set()
        self._sock.shutdown(socket.SHUT_RD)  # wakes the reader, and tells the server nothing
        self._join()

    def _join(self) -> None:
        self._reader.join(PATIENCE_S)
        for fetcher in self._fetchers:
            fetcher.join(PATIENCE_S)
        self._sock.close()

    # What the person sees.

    @property
    def text(self) -> str:
        """Everything shown so far."""
        with self._changed:
            return "\n".join(self.display.shown)

    def wait_for(self, wanted: str) -> str:
        """Waits until this was shown, anywhere; returns everything shown since the last such wait."""
        self._wait(lambda: wanted in "\n".join(self.display.shown), wanted)
        with self._changed:
            shown, self.display.shown = "\n".join(self.display.shown), []
        return shown

    def wait_for_prompt(self, prompt: str) -> None:
        self._wait(lambda: self.display.prompt == prompt, f"the prompt {prompt}")

    def wait_for_start(self, name: str) -> None:
        """Until a file's header has come."""
        self._wait(lambda: name in self.display.started, f"the start of {name}")

    def wait_for_nothing(self, name: str) -> None:
        """Until a file has come to nothing."""
        self._wait(lambda: name in self.display.not_saved, f"the end of {name}")

    def wait_for_file(self) -> tuple[str, bytes]:
        """The next file that was saved."""
        self._wait(lambda: bool(self.display.saved), "a file")
        with self._changed:
            return self.display.saved.pop(0)

    def wait_for_end(self) -> None:
        """Until the server has closed the connection."""
        self._wait(lambda: self.is_over, "the end")

    def _wait(self, is_true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        with self._changed:
            while not is_true():
                left = deadline - time.monotonic()
                assert left > 0, f"{what!r} never came; shown: {self.display.shown}"
                self._changed.wait(left)

    # The reader.

    def _read(self) -> None:
        while data := self._recv():
            with self._changed:
                self.display.read(data)
                offers, self.display.offers = self.display.offers, []
                self._changed.notify_all()
            for offer in offers:
                fetcher = threading.Thread(target=self._fetch, args=(offer,), daemon=True)
                self._fetchers.append(fetcher)
                fetcher.start()
        with self._changed:
            self.is_over = True
            self._changed.notify_all()

    def _recv(self) -> bytes:
        try:
            return self._sock.recv(READ_BYTES)
        except OSError:
            return b""

    def _fetch(self, offer: Offer) -> None:
        """The original's receiver, acknowledgements and all."""
        packets = receive_udp(self._host, offer.port, self._is_killed.is_set)
        with self._changed:
            self.display.save(offer.name, offer.size, b"".join(packets[at] for at in sorted(packets)))
            self._changed.notify_all()


def receive_udp(host: str, port: int, is_killed: Callable[[], bool] = lambda: False) -> dict[int, bytes]:
    """What comes from a server's UDP port, by sequence number."""
    packets: dict[int, bytes] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", 0))
        sock.settimeout(_LOOK_UP_S)
        sock.sendto(b"UDP_READY", (host, port))
        heard_at = time.monotonic()
        while time.monotonic() < heard_at + UDP_SILENCE_S and not is_killed():
            with contextlib.suppress(TimeoutError):
                data, source = sock.recvfrom(UDP_READ_BYTES)
                heard_at = time.monotonic()
                (sequence,) = struct.unpack("!I", data[:4])
                if data[4:] == b"[UDP_FILE_END]":
                    break
                packets[sequence] = data[4:]
                sock.sendto(data[:4], source)
    return packets
