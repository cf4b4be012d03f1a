"""The storing child: writes what people bring, verifies it, and puts it where it belongs.

    python -m mystic_server.files.storing DESCRIPTOR FOLDER SHARED RESERVE

In FOLDER every upload has two files, which its id names:

    ID.about    what is known of it, JSON
    ID.part     its bytes, as far as they have come
    ID          its bytes, whole, of an upload that is sent to some people only

An upload for the shared folder is verified, written to disk, noted in ID.about with the name it is about to get, and
only then linked there. So after a crash at any point the folders show how far it had got, and an upload that is asked
for again is gone on with, or is found to be whole. The files are hashed by turns, a slice each, when all of their bytes
are here; before every slice what has come in meanwhile is written.
"""

import os
import re
import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from mystic_server.files.hashes import SLICE_BYTES, Hashing
from mystic_server.files.placing import FILE_MODE, place, sync_folder
from mystic_server.files.tree import DISK_FULL, FileId, PathRefused, Tree
from mystic_server.files.upload_messages import (
    Begin,
    Begun,
    Drop,
    Failed,
    Finish,
    Finished,
    FromChild,
    Gone,
    Known,
    Leave,
    Mark,
    Piece,
    Sweep,
    Upload,
    Written,
    encode,
    to_child,
)
from mystic_server.net.children import ParentLink
from mysticproto.errors import Code

KNOWN_PART = 500
"""Uploads in one message."""
MAX_ABOUT_BYTES = 64 * 1024
SYNC_BYTES = 4 * 1024 * 1024
"""So much of a file may wait for the disk: what is written there at once, at its end, the messages' log waits for."""
_NICENESS = 5
_ABOUT = re.compile(r"([0-9a-f]{32})\.about")
_PIECE_OF = re.compile(r"([0-9a-f]{32})\.(?:part|new)")
_LOCK_POLL_S = 0.05
_WRITE = (
    os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
)


_sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)  # macOS and Windows have fsync alone


class _Attempt:
    """Somebody is bringing a file; owns its descriptor."""

    def __init__(self, upload: Upload, fd: int, written: int) -> None:
        self.upload = upload
        self.fd = fd
        self.written = written
        self._unsynced = 0

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.fd, view) :]
        self.written += len(data)
        self._unsynced += len(data)
        if self._unsynced >= SYNC_BYTES:
            self._unsynced = 0
            _sync_data(self.fd)

    def close(self) -> None:
        os.close(self.fd)


class Storage:
    """What the child does, apart from waiting. `reserve_bytes` of the disk stay free."""

    def __init__(self, folder: str, tree: Tree, reserve_bytes: int, send: Callable[[bytes], None]) -> None:
        self._folder = folder
        self._tree = tree
        self._reserve_bytes = reserve_bytes
        self._send = send
        self._attempts: dict[int, _Attempt] = {}
        self._hashing: deque[tuple[int, Hashing]] = deque()
        self._buffer = memoryview(bytearray(SLICE_BYTES))

    @property
    def is_busy(self) -> bool:
        """Whether there is a file to go on with."""
        return bool(self._hashing)

    def tell_known(self) -> None:
        """Says what is here; MUST come before anything is taken."""
        known = list(self._look_through())
        for start in range(0, max(1, len(known)), KNOWN_PART):
            self._say(Known(tuple(known[start : start + KNOWN_PART]), start + KNOWN_PART < len(known)))

    def take(self, body: bytes) -> None:
        """Does what was asked."""
        match to_child.decode(body):
            case Begin(number, upload):
                self._guarded(number, lambda: self._begin(number, upload))
            case Piece(number, data):
                self._write(number, data)
            case Finish(number):
                self._finish(number)
            case Leave(number):
                self._leave(number)
            case Drop(ids):
                for id in ids:
                    self._forget(id)
            case Mark(upload):
                with suppress(OSError):  # the next time that it is asked for it will be found out again
                    self._keep(upload)
            case Sweep():
                self._sweep()

    def step(self) -> None:
        """Hashes one slice of the file whose turn it is; the last one ends its upload."""
        number, hashing = self._hashing.popleft()
        try:
            digest = hashing.step(self._buffer)
        except (OSError, ValueError):
            digest = b""
        if digest is None:
            self._hashing.append((number, hashing))
            return
        hashing.close()
        attempt = self._attempts.pop(number)
        try:
            self._guarded(number, lambda: self._settle(number, attempt, digest))
        finally:
            attempt.close()

    def close(self) -> None:
        """Lets go of the files; what was written stays."""
        for _, hashing in self._hashing:
            hashing.close()
        for attempt in self._attempts.values():
            attempt.close()
        self._hashing.clear()
        self._attempts.clear()

    # One upload's way.

    def _begin(self, number: int, upload: Upload) -> None:
        upload = self._as_it_is(upload)
        if upload.is_whole:
            self._keep(upload)
            self._say(Begun(number, upload.size, upload))
            return
        upload = replace(upload, path="", file=None)
        self._keep(upload)
        fd = os.open(self._at(upload.id, ".part"), _WRITE, 0o600)
        written = os.lseek(fd, 0, os.SEEK_END)
        if written > upload.size:
            os.ftruncate(fd, 0)
            written = os.lseek(fd, 0, os.SEEK_SET)
        self._attempts[number] = _Attempt(upload, fd, written)
        if self._is_too_much(self._folder) or (not upload.keeps and self._is_too_much(self._tree.root)):
            self._fail(number, Code.DISK_FULL, "The server's disk is too full for this file.", is_dropped=not written)
            return
        self._say(Begun(number, written, upload))

    def _write(self, number: int, data: bytes) -> None:
        attempt = self._attempts.get(number)
        if attempt is None:
            return  # it has failed, which the sender does not know yet
        try:
            attempt.write(data)
        except OSError as error:
            self._fail(number, *_explained(error), is_dropped=True)
        else:
            self._say(Written(number, len(data)))

    def _finish(self, number: int) -> None:
        attempt = self._attempts.get(number)
        if attempt is None:
            return
        if attempt.written != attempt.upload.size:
            self._fail(number, Code.MALFORMED, "The file has another size than it was said to have.", is_dropped=True)
            return
        try:
            fd = os.open(self._at(attempt.upload.id, ".part"), os.O_RDONLY | getattr(os, "O_BINARY", 0))
            self._hashing.append((number, Hashing(fd, FileId.of(fd))))
        except OSError as error:
            self._fail(number, *_explained(error))

    def _settle(self, number: int, attempt: _Attempt, digest: bytes) -> None:
        """The bytes are all here, and this is their hash."""
        upload = attempt.upload
        if digest != upload.blake3:
            self._forget(upload.id)
            text = "What came is not the file that was announced; send it again from its beginning."
            self._say(Failed(number, Code.WRONG_HASH, text, True))
            return
        if hasattr(os, "fchmod") and not upload.keeps:
            os.fchmod(attempt.fd, FILE_MODE)
        os.fsync(attempt.fd)
        done = self._put_aside(upload) if upload.keeps else self._share(upload)
        self._say(Finished(number, replace(done, is_whole=True)))

    def _put_aside(self, upload: Upload) -> Upload:
        self._keep(upload, to_disk=True)
        os.replace(self._at(upload.id, ".part"), self._at(upload.id))
        self._sync()
        return upload

    def _share(self, upload: Upload) -> Upload:
        noted = upload

        def announce(name: str, file: FileId) -> None:
            nonlocal noted
            noted = replace(upload, path="/".join(filter(None, (upload.folder, name))), file=file)
            self._keep(noted, to_disk=True)

        part = self._at(upload.id, ".part")
        place(self._tree, upload.folder, upload.name, part, announce)
        self._remove(upload.id, ".part")
        return noted

    def _leave(self, number: int) -> None:
        attempt = self._attempts.pop(number, None)
        if attempt:
            for each in [each for each in self._hashing if each[0] == number]:
                self._hashing.remove(each)
                each[1].close()
            attempt.close()

    def _fail(self, number: int, code: Code, text: str, is_dropped: bool = False) -> None:
        attempt = self._attempts[number]
        self._leave(number)
        if is_dropped:
            self._forget(attempt.upload.id)
        self._say(Failed(number, code, text, is_dropped))

    def _guarded(self, number: int, act: Callable[[], None]) -> None:
        """Nothing that the disk or a folder refuses ends the child."""
        try:
            act()
        except PathRefused as refused:
            self._leave(number)
            self._say(Failed(number, refused.code, refused.text))
        except OSError as error:
            self._leave(number)
            self._say(Failed(number, *_explained(error)))

    # What is here.

    def _look_through(self) -> Iterator[Upload]:
        """All uploads as they are; what belongs to none is removed."""
        names = os.listdir(self._folder)
        ids = {found[1] for name in names if (found := _ABOUT.fullmatch(name))}
        for name in names:
            piece = _PIECE_OF.fullmatch(name)
            if piece and (piece[1] not in ids or name.endswith(".new")):
                with suppress(OSError):
                    os.unlink(os.path.join(self._folder, name))
        for id in sorted(ids):
            if upload := self._read(id):
                yield upload

    def _read(self, id: str) -> Upload | None:
        """None: it can't be read, or what it was about is gone."""
        try:
            with open(self._at(id, ".about"), "rb") as file:
                about = msgspec.json.decode(file.read(MAX_ABOUT_BYTES), type=Upload)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        if about.id != id:
            return None
        upload = self._as_it_is(about)
        if not upload.is_whole and about.path and not os.path.exists(self._at(id, ".part")):
            self._forget(id)
            return None
        return upload

    def _as_it_is(self, upload: Upload) -> Upload:
        """With `is_whole` as the folders show it; what a crash left behind of one that is whole is removed."""
        if upload.keeps:
            is_whole = os.path.exists(self._at(upload.id))
        else:
            is_whole = bool(upload.path) and upload.file is not None and self._lies_at(upload.path) == upload.file
        if is_whole:
            self._remove(upload.id, ".part")
        return replace(upload, is_whole=is_whole)

    def _lies_at(self, path: str) -> FileId | None:
        try:
            return self._tree.look_at(path)
        except PathRefused:
            return None

    def _sweep(self) -> None:
        """Forgets the uploads that somebody has taken out of the shared folder, or changed there."""
        running = {attempt.upload.id for attempt in self._attempts.values()}
        ids = [found[1] for name in os.listdir(self._folder) if (found := _ABOUT.fullmatch(name))]
        gone = [id for id in ids if id not in running and self._read(id) is None]
        if gone:
            self._say(Gone(tuple(gone)))

    def _is_too_much(self, folder: str) -> bool:
        """Whether less than must be would be free there, once all has come that is on its way."""
        coming = sum(each.upload.size - each.written for each in self._attempts.values())
        return shutil.disk_usage(folder).free - coming < self._reserve_bytes

    def _keep(self, upload: Upload, to_disk: bool = False) -> None:
        """Writes what is known of an upload in the place of what was known before."""
        new = self._at(upload.id, ".new")
        fd = os.open(new, _WRITE | os.O_TRUNC, 0o600)
        with open(fd, "wb") as file:
            file.write(msgspec.json.encode(upload))
            file.flush()
            if to_disk:
                os.fsync(fd)
        os.replace(new, self._at(upload.id, ".about"))
        if to_disk:
            self._sync()

    def _forget(self, id: str) -> None:
        for ending in (".about", ".part", ""):
            self._remove(id, ending)

    def _remove(self, id: str, ending: str) -> None:
        with suppress(OSError):
            os.unlink(self._at(id, ending))

    def _sync(self) -> None:
        if hasattr(os, "O_DIRECTORY"):
            fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                sync_folder(fd)
            finally:
                os.close(fd)

    def _at(self, id: str, ending: str = "") -> str:
        return os.path.join(self._folder, id + ending)

    def _say(self, said: FromChild) -> None:
        self._send(encode(said))


def _explained(error: OSError) -> tuple[Code, str]:
    if error.errno in DISK_FULL:
        return Code.DISK_FULL, "The server's disk is full."
    return Code.FILES_UNAVAILABLE, f"The server can't write the file: {error.strerror}."


def run(storage: Storage, link: ParentLink) -> None:
    """Works until the parent wants no more."""
    storage.tell_known()
    while not link.ended:
        body = link.maybe_receive() if storage.is_busy else link.receive()
        if body is not None:
            storage.take(body)
        elif storage.is_busy and not link.ended:
            storage.step()
    storage.close()


def _has_lock(folder: str, link: ParentLink) -> bool:
    """Waits until the child of an earlier run has ended; False: the parent has. The lock ends with the process."""
    try:
        import fcntl
    except ImportError:  # Windows, where what is open can't be taken away
        return True
    fd = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while not link.has_something(0):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            link.has_something(_LOCK_POLL_S)
        else:
            return True
    return False


def main(arguments: list[str]) -> None:
    """The process."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    link = ParentLink.inherited(arguments[0])
    folder, shared, reserve = arguments[1:]
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if not _has_lock(folder, link):
        return
    with suppress(BrokenPipeError, ConnectionResetError):  # the parent died while it was answered
        run(Storage(folder, Tree(shared), int(reserve), link.send), link)


if __name__ == "__main__":
    main(sys.argv[1:])
