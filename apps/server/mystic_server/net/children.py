"""Child processes as peers: one socket pair each, frames of a 4-byte length and a body, in the reactor like the rest.

What may wait (the disk, hashing) runs in a child, so the loop has no threads. A child is started by exec with one
inherited socket, never by a bare fork, and ends by itself when its socket ends. One that dies is started again, later
and later; meanwhile its owner refuses what needs it. An open file goes to a child beside a frame (SCM_RIGHTS).

    parent: ChildProcess(reactor, "mystic_server.log.sqlite", [...], on_message, on_up, on_down)
    child:  link = ParentLink.inherited(sys.argv[1]); while (body := link.receive()) is not None: ...
"""

import os
import select
import selectors
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from mystic_server.net.outqueue import OutQueue
from mystic_server.net.reactor import READ, WRITE, Reactor

MAX_BODY_BYTES = 256 * 1024 * 1024
"""A frame longer than this is a bug: the largest is a start's world state."""
CAN_PASS_FILES = hasattr(socket, "send_fds")
"""Whether this system has what `send_file` needs."""
_RESTART_DELAYS_S = (0.1, 0.5, 2.0, 5.0)
_STOP_LIMIT_S = 10.0
_READ_BYTES = 64 * 1024
_FILES_IN_A_READ = 64
_LENGTH = struct.Struct(">I")
_FD = struct.Struct("@i")


def pack_frame(body: bytes) -> bytes:
    """A frame of either direction."""
    return _LENGTH.pack(len(body)) + body


class _Frames:
    """Bytes of one direction, cut into bodies."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Whole bodies, in order."""
        self._bytes += data
        bodies = []
        start = 0
        while len(self._bytes) - start >= _LENGTH.size:
            length = _LENGTH.unpack_from(self._bytes, start)[0]
            assert length <= MAX_BODY_BYTES, f"a frame of {length} bytes between processes"
            end = start + _LENGTH.size + length
            if len(self._bytes) < end:
                break
            bodies.append(bytes(self._bytes[start + _LENGTH.size : end]))
            start = end
        del self._bytes[:start]
        return bodies


class ChildProcess:
    """The parent's side; see the module.

    `on_message(body)` for every frame; `on_up()` after each start, before anything is received; `on_down()` when it
    died unasked. `send` before `start`, or while the child is down, is an error of the caller: ask `is_up`.
    """

    def __init__(
        self,
        reactor: Reactor,
        module: str,
        arguments: Sequence[str],
        on_message: Callable[[bytes], None],
        on_up: Callable[[], None],
        on_down: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._command = [module, *arguments]
        self._on_message = on_message
        self._on_up = on_up
        self._on_down = on_down
        self._process: subprocess.Popen[bytes] | None = None
        self._sock: socket.socket | None = None
        self._queue = OutQueue()
        self._frames = _Frames()
        self._deaths_in_a_row = 0
        self._stopping = False

    @property
    def is_up(self) -> bool:
        """Whether there is a child to talk to."""
        return self._sock is not None

    @property
    def pid(self) -> int:
        """Of the running child, or 0."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Starts the child; the first time and, by itself, again after each death."""
        self._stopping = False
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = _spawn(self._command, theirs)
        ours.setblocking(False)
        self._sock, self._queue, self._frames = ours, OutQueue(), _Frames()
        self._reactor.register(ours, self)
        self._on_up()

    def send(self, body: bytes) -> None:
        """One frame; goes out at once as far as the kernel takes it."""
        assert self._sock is not None
        self._queue.push(pack_frame(body))
        self._flush()

    def send_file(self, body: bytes, fd: int) -> bool:
        """One frame with an open file, of which the child gets a descriptor of its own.

        False, and nothing is sent, while the child is behind with its reading, and where systems have no such thing.
        """
        assert self._sock is not None
        if self._queue or not CAN_PASS_FILES:
            return False
        frame = pack_frame(body)
        try:
            sent = socket.send_fds(self._sock, [frame], [fd])
        except OSError:  # it is full, or its end of file follows
            return False
        if sent < len(frame):
            self._queue.push(frame[sent:])
            self._flush()
        return True

    def ready(self, readable: bool, writable: bool) -> None:
        """The reactor's call."""
        if writable:
            self._flush()
        if readable and self._sock:
            self._receive(self._sock)

    def abort(self) -> None:
        """A message could not be used: the child is ended and started anew."""
        if self._process:
            self._process.kill()
        self._gone()

    def stop(self) -> None:
        """Ends the child after it has done what it was sent, and waits for it, ten seconds at most.

        What it still says is not heard.
        """
        self._stopping = True
        deadline = time.monotonic() + _STOP_LIMIT_S
        if self._sock:
            self._reactor.unregister(self._sock)
            with suppress(OSError):
                self._say_the_rest(self._sock, deadline)
            self._close_socket()
        if self._process:
            _wait_or_kill(self._process, max(0.1, deadline - time.monotonic()))
            self._process = None

    def _say_the_rest(self, sock: socket.socket, deadline: float) -> None:
        """Sends what is queued, then the end, and reads until the child's own end: a socket that is closed with
        something unread in it, or is not read, would keep the child from its work."""
        with selectors.DefaultSelector() as selector:
            selector.register(sock, READ | WRITE)
            while selector.select(max(0.0, deadline - time.monotonic())):
                if self._queue:
                    self._queue.flush(sock, self._reactor.now)
                if not self._queue and selector.get_key(sock).events != READ:
                    sock.shutdown(socket.SHUT_WR)
                    selector.modify(sock, READ)
                with suppress(BlockingIOError):
                    if not sock.recv(_READ_BYTES):
                        return

    def _receive(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._gone()
            return
        self._deaths_in_a_row = 0
        for body in self._frames.feed(data):
            self._on_message(body)

    def _flush(self) -> None:
        if not self._sock:
            return
        try:
            self._queue.flush(self._sock, self._reactor.now)
        except OSError:
            return  # its end of file follows as a readable socket
        self._reactor.modify(self._sock, self, READ | WRITE if self._queue else READ)

    def _gone(self) -> None:
        self._close_socket()
        if self._process:
            _wait_or_kill(self._process, limit_s=1.0)
            self._process = None
        if self._stopping:
            return
        delay_s = _RESTART_DELAYS_S[min(self._deaths_in_a_row, len(_RESTART_DELAYS_S) - 1)]
        self._deaths_in_a_row += 1
        self._reactor.call_later(delay_s, self._start_again)
        self._on_down()

    def _start_again(self) -> None:
        if not self._stopping and not self._sock:
            self.start()

    def _close_socket(self) -> None:
        if self._sock:
            self._reactor.unregister(self._sock)
            self._sock.close()
            self._sock = None
        self._queue.close()


class ParentLink:
    """The child's side: blocking, since waiting is what a child is for.

    One that waits for more than its parent has it in a reactor instead, and calls `receive_all` when it is readable.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._frames = _Frames()
        self._waiting: list[bytes] = []
        self.files: deque[int] = deque()
        """Descriptors that `receive_all` found beside frames, in their order; whoever takes one closes it."""
        self.ended = False
        """The parent is gone or wants no more; what had come before may still be waiting."""

    @classmethod
    def inherited(cls, descriptor: str) -> "ParentLink":
        """From the first argument that the parent gave; "stdin" means a shared socket's description there (Windows)."""
        if descriptor == "stdin":
            share: Callable[[bytes], socket.socket] = getattr(socket, "fromshare")  # noqa: B009  (Windows alone has it)
            return cls(share(sys.stdin.buffer.read()))
        return cls(socket.socket(fileno=int(descriptor)))

    def fileno(self) -> int:
        """For a reactor."""
        return self._sock.fileno()

    def receive_all(self) -> list[bytes]:
        """The bodies that are there, without waiting; see `files`, and `ended`."""
        while True:
            try:
                data = self._read_with_files()
            except BlockingIOError:
                break
            except OSError:
                data = b""
            self._waiting += self._frames.feed(data)
            if not data:
                self.ended = True
                break
        bodies, self._waiting = self._waiting, []
        return bodies

    def _read_with_files(self) -> bytes:
        """As `socket.recv_fds`, whose flags are of no effect in Python 3.11."""
        room = socket.CMSG_SPACE(_FILES_IN_A_READ * _FD.size)
        data, ancillary, _, _ = self._sock.recvmsg(_READ_BYTES, room, socket.MSG_DONTWAIT)
        for level, kind, numbers in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                whole = len(numbers) - len(numbers) % _FD.size
                self.files += (fd for (fd,) in _FD.iter_unpack(numbers[:whole]))
        return data

    def receive(self) -> bytes | None:
        """The next body; waits. None: the parent is gone or wants no more."""
        while not self._waiting:
            if not self._read():
                return None
        return self._waiting.pop(0)

    def maybe_receive(self) -> bytes | None:
        """The next body if one is there already; None also at the end, see `ended`."""
        self._sock.setblocking(False)
        while not self._waiting and self._read():
            pass
        self._sock.setblocking(True)
        return self._waiting.pop(0) if self._waiting else None

    def has_something(self, limit_s: float) -> bool:
        """Waits so long at most. True: a body has come, at least in part, or the end."""
        return bool(self._waiting) or bool(select.select([self._sock], [], [], limit_s)[0])

    def send(self, body: bytes) -> None:
        """One frame; waits until the kernel has it."""
        self._sock.sendall(pack_frame(body))

    def _read(self) -> bool:
        """False: nothing came, because nothing is there or because it has ended."""
        try:
            data = self._sock.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        self._waiting += self._frames.feed(data)
        self.ended = not data
        return bool(data)


def _spawn(command: Sequence[str], theirs: socket.socket) -> subprocess.Popen[bytes]:
    """Starts `python -m MODULE FD ARGUMENTS` with the one socket; signals of the terminal are the parent's business."""
    module, *arguments = command
    if sys.platform == "win32":
        process = subprocess.Popen([sys.executable, "-m", module, "stdin", *arguments], stdin=subprocess.PIPE)
        assert process.stdin
        process.stdin.write(theirs.share(process.pid))
        process.stdin.close()
        return process
    descriptor = theirs.fileno()
    return subprocess.Popen(
        [sys.executable, "-m", module, str(descriptor), *arguments],
        pass_fds=(descriptor,),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env=_child_environment(),
    )


def _child_environment() -> dict[str, str]:
    """The parent's, with its module path: a child must find the package wherever the parent found it."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _wait_or_kill(process: subprocess.Popen[bytes], limit_s: float) -> None:
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
