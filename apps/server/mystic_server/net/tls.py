"""TLS on a connection's own socket: the same calls as a socket's, with OpenSSL working in memory in between.

    kernel -> incoming -> OpenSSL -> recv
    kernel <- unsent <- outgoing <- OpenSSL <- send

What comes is decrypted until OpenSSL wants more of it: bytes that stayed in there would wake no selector. What goes is
encrypted only while the kernel takes it, so a slow reader costs no more than one piece beside its queue. Those bytes
count as sent when the kernel has them: until then `send` reports less than it was given, and must be given the rest
again.
"""

import socket
import ssl
from contextlib import suppress

RECORD_TYPE = b"\x16"
"""The first byte of whoever speaks TLS: a handshake record."""
NO_TLS = bytes.fromhex("15 0301 0002 02 28")
"""What to say to whom we speak no TLS with: an alert, fatal, handshake_failure (RFC 8446, 6)."""
TLS_BUT_NO_ROOM = bytes.fromhex("15 0301 0002 02 50")
"""The same, internal_error: it may go better another time."""
PIECE_BYTES = 64 * 1024
"""Encrypted at once, and so what may wait beside the queue."""
MAX_UNSENT_BYTES = 4 * PIECE_BYTES
"""OpenSSL's own answers included: a peer that asks for them and doesn't read is cut off."""
_READ_BYTES = 64 * 1024


class TlsSocket:
    """See the module. Owns `sock`, which must not block; `first_bytes` were read from it already. Nothing can be sent
    before `is_established`."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, first_bytes: bytes) -> None:
        self.is_established = False
        self.has_ended = False
        """The peer has said that nothing more comes."""
        self._sock = sock
        self._first_bytes = first_bytes
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._unsent = b""
        self._owed = 0  # bytes in the clear that are in `_unsent`, and not reported as sent
        self._is_over = False

    def fileno(self) -> int:
        return self._sock.fileno()

    def getsockopt(self, level: int, name: int) -> int:
        """Of the connection underneath."""
        return self._sock.getsockopt(level, name)

    def getsockname(self) -> tuple[str, int]:
        host, port, *_ = self._sock.getsockname()
        return host, port

    def close(self) -> None:
        self._sock.close()

    @property
    def has_unsent(self) -> bool:
        """Whether the kernel is yet to take something that is encrypted already."""
        return bool(self._unsent)

    def recv(self, count: int) -> bytes:
        """As a socket's, in the clear, of at most `count` bytes from the kernel; b"" once the peer has said that it was
        all. Raises BlockingIOError also while nothing is whole, and OSError as well for what is no TLS, or for an end
        of file without a farewell: somebody may have cut it short."""
        raw, self._first_bytes = self._first_bytes or self._sock.recv(count), b""
        if self._is_over:
            return raw
        if raw:
            self._incoming.write(raw)
        else:
            self._incoming.write_eof()
        try:
            data = self._decrypted()
        finally:
            with suppress(OSError):  # reading will say so
                self.flush()  # answers, or the alert that goes with an error
        if len(self._unsent) > MAX_UNSENT_BYTES:
            raise ConnectionAbortedError("the peer reads nothing")
        if not data and not self.has_ended:
            raise BlockingIOError
        return data

    def send(self, data: bytes | memoryview) -> int:
        """As a socket's, except that what it didn't report as sent MUST be given to it again, first."""
        sent = self._push()
        view = memoryview(data)
        while not self._unsent and sent < len(view) and self.is_established:
            self._encrypt(view[sent : sent + PIECE_BYTES])
            try:
                sent += self._push()
            except OSError:
                if not sent:
                    raise
                break  # the next call will say so
        if not sent and len(view):
            raise BlockingIOError
        return sent

    def flush(self) -> None:
        """Hands over what is encrypted, or was said by OpenSSL itself, as far as the kernel takes it."""
        self._unsent += self._outgoing.read()
        if self._unsent:
            with suppress(BlockingIOError, InterruptedError):
                self._unsent = self._unsent[self._sock.send(self._unsent) :]

    def shutdown(self, how: int) -> None:
        """Takes leave of the peer and says end of file; from now on what comes is only thrown away."""
        self._is_over = True
        if self.is_established:
            with suppress(ssl.SSLError):  # the peer's own farewell has not come yet
                self._tls.unwrap()
            self.flush()
        self._sock.shutdown(how)

    def _decrypted(self) -> bytes:
        parts: list[bytes] = []
        try:
            if not self.is_established:
                self._tls.do_handshake()
                self.is_established = True
            while part := self._tls.read(_READ_BYTES):
                parts.append(part)
            self.has_ended = True
        except ssl.SSLWantReadError:
            pass
        return b"".join(parts)

    def _encrypt(self, piece: memoryview) -> None:
        at = 0
        while at < len(piece):  # one record at a time
            at += self._tls.write(piece[at:])
        self._owed += len(piece)

    def _push(self) -> int:
        """`flush`, and how many more bytes in the clear have left. A byte of ours needs more than a byte of TLS, so as
        many as these are still there at most."""
        self.flush()
        sent = max(0, self._owed - len(self._unsent))
        self._owed -= sent
        return sent
