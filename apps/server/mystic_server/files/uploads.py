"""The server's side of what people bring: who brings what, tickets for it, and how far it is.

    open     -> the child says how much of it is here already -> a ticket
    redeem   -> `Incoming`: `write` what comes, at most WINDOW_BYTES ahead of the child
    the end  -> the child verifies and places the file -> `Incoming.ended`

From `open` to the end of its `Incoming` an upload takes one of the places that its user and the server have. All that
is known of uploads is kept by the child (`storing`) and told when it starts; here is a copy of it, by which quotas are
counted. While there is none, everything is refused.

A file for some people only is of no use without its message, and counts in its user's quota. If nobody has asked for
it again for as long as unfinished uploads are kept, `on_unannounced` is called: it may be that the server was killed
before it knew which message brings it. Then it is `announced` late; else it is to be given up.
"""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from mystic_server.files.placing import may_be_stored
from mystic_server.files.transfer import TICKET_BYTES, ChildLike
from mystic_server.files.tree import is_path
from mystic_server.files.upload_messages import (
    Begin,
    Begun,
    Drop,
    Failed,
    Finish,
    Finished,
    Gone,
    Known,
    Leave,
    Mark,
    Piece,
    Sweep,
    Upload,
    Written,
    encode,
    from_child,
)
from mysticproto.errors import Code
from mysticproto.model import OpenUpload, Refused, UploadTicket
from mysticproto.names import clean_line

CHILD_MODULE = "mystic_server.files.storing"
"""What the child runs; its arguments are `UploadArea.folder`, the shared folder, and the reserve in bytes."""
WINDOW_BYTES = 1024 * 1024
"""What of one upload the child may have yet to write."""
HASH_BYTES = 32
_ID_BYTES = 16
_SWEEP_S = 3600.0
UNANNOUNCED_MAX = 100
"""That are asked about in one sweep."""
_ABOUT_CHARS = 200


class UploadLimits(Struct, frozen=True, kw_only=True):
    """How much; bytes are on disk. `kept_per_user` and `kept`: files that are remembered, unfinished ones included."""

    file_bytes: int = 100 * 1024 * 1024
    user_bytes: int = 1024 * 1024 * 1024
    uploads: int = 16
    uploads_per_user: int = 2
    ticket_life_s: float = 60.0
    unfinished_life_s: float = 24 * 3600.0
    kept_per_user: int = 10_000
    kept: int = 50_000


class Ended(Struct, frozen=True):
    """How an upload ended: with a `code` and a sentence, or with the file at `path` ("": it is sent to some people
    only)."""

    upload: Upload
    code: str = ""
    text: str = ""


class Incoming:
    """A redeemed ticket. `finished` MUST be called once it is over.

    `moved()` is called whenever there is room again, `ended` once, unless `finished` came first. `note` is of whoever
    opened it.
    """

    def __init__(self, number: int, upload: Upload, left: int, note: object, area: "UploadArea") -> None:
        self.number = number
        self.upload = upload
        self.left = left
        self.note = note
        self.unwritten = 0
        self.moved: Callable[[], None] = lambda: None
        self.ended: Callable[[Ended], None] = lambda ended: None
        self._area = area

    @property
    def is_full(self) -> bool:
        """Whether nothing may be written just now."""
        return self.unwritten >= WINDOW_BYTES

    def begin(self) -> None:
        """MUST be called first, once `moved` and `ended` are set; may call `ended`."""
        if not self.left:
            self._area.complete(self)

    def write(self, data: bytes) -> None:
        """The next bytes; more than are `left` MUST NOT be given."""
        self.left -= len(data)
        self.unwritten += len(data)
        self._area.pass_on(self, data)
        if not self.left:
            self._area.complete(self)

    def finished(self) -> None:
        """Gives the place back; what has come is kept. May be called again."""
        self._area.release(self.number)


Answered: TypeAlias = Callable[[UploadTicket | Refused], None]


class _Attempt(Struct):
    """A place that is taken: while the child is asked (`answered`), by a ticket, or by an `incoming`."""

    number: int
    upload: Upload
    n: int
    note: object
    answered: Answered | None
    ticket: bytes = b""
    left: int = 0
    expires_at: float = 0.0
    incoming: Incoming | None = None


class UploadArea:
    """See the module. The owner of the child passes on its `received`, `came_up` and `went_down`."""

    def __init__(
        self, child: ChildLike, folder: Path, random_bytes: Callable[[int], bytes], limits: UploadLimits
    ) -> None:
        self._child = child
        self._folder = folder
        self._random_bytes = random_bytes
        self._limits = limits
        self._is_ready = False
        self._uploads: dict[str, Upload] = {}
        self._bytes_of: Counter[int] = Counter()
        self._of_user: dict[int, dict[str, Upload]] = {}
        self._by_message: dict[int, str] = {}
        self._attempts: dict[int, _Attempt] = {}
        self._last_number = 0
        self._sweep_at = 0.0
        self.on_unannounced: Callable[[Upload], None] = lambda upload: None
        """Called with what is whole, but no message is known for it; wants `announced`, `give_up` or nothing at all."""

    # Requests.

    def open(self, request: OpenUpload, user: int, now: float, now_us: int, note: object, answered: Answered) -> None:
        """Asks for leave to bring a file; `answered` is called once, in here if it is refused at once.

        The same upload that is still open elsewhere ends there.
        """
        if refused := self._refused(request):
            answered(refused)
            return
        earlier = self._find(request, user)
        if earlier:
            self._take_over(earlier)
        upload = self._upload(request, user, earlier, now_us)
        if refused := self._no_place(request, user) or self._no_room(request, upload, earlier):
            answered(refused)
            return
        self._last_number += 1
        expires_at = now + self._limits.ticket_life_s
        self._attempts[self._last_number] = _Attempt(
            self._last_number, upload, request.n, note, answered, expires_at=expires_at
        )
        self._keep(upload)
        self._child.send(encode(Begin(self._last_number, upload)))

    def redeem(self, n: int, ticket: bytes, now: float) -> Incoming | Refused:
        """Uses a ticket up, whether it can be granted or not."""
        attempt = next((each for each in self._attempts.values() if ticket and each.ticket == ticket), None)
        if attempt is None or attempt.expires_at <= now:
            return Refused(n, Code.BAD_TICKET, "This ticket is not valid, or not any more.")
        attempt.ticket = b""
        attempt.incoming = Incoming(attempt.number, attempt.upload, attempt.left, attempt.note, self)
        return attempt.incoming

    def cancel(self, user: int, name: str, blake3: bytes) -> bool:
        """Gives up what a user has begun and not finished; whether there was any of that name and hash."""
        begun = [
            each
            for each in self._of_user.get(user, {}).values()
            if (each.name, each.blake3) == (name, blake3) and not each.is_whole
        ]
        for upload in begun:
            self._take_over(upload)
            self._drop(upload)
        return bool(begun)

    def end_all(self, user: int) -> None:
        """Ends what a user brings just now; what has come is kept for a while."""
        text = "You may not bring this any more."
        for attempt in [each for each in self._attempts.values() if each.upload.user == user]:
            self._end(attempt, _refused(attempt.n, Code.NOT_ALLOWED, text, attempt.upload.name))

    def open_kept(self, id: str, size: int) -> int | None:
        """A descriptor of the whole file that an upload has kept, for reading; None if it isn't there."""
        flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            fd = os.open(self._folder / id, flags)
        except OSError:
            return None
        if os.fstat(fd).st_size == size:
            return fd
        os.close(fd)
        return None

    def announced(self, upload: Upload, seq: int) -> None:
        """A message of this number brings it."""
        known = self._uploads.get(upload.id)
        if known and known.seq != seq:
            known = replace(known, seq=seq)
            self._keep(known)
            if self._child.is_up:
                self._child.send(encode(Mark(known)))

    def give_up(self, upload: Upload) -> None:
        """No message brings it: it is removed, unless somebody has gone on with it meanwhile."""
        known = self._uploads.get(upload.id)
        if known and _is_unannounced(known) and upload.id not in self._running():
            self._drop(known)

    def message_deleted(self, seq: int) -> None:
        """What was sent with it to some people only is removed; what lies in the shared folder stays."""
        upload = self._uploads.get(self._by_message.get(seq, ""))
        if upload and upload.keeps and upload.is_whole:
            self._drop(upload)

    # Time and the end.

    def expire(self, now: float, now_us: int) -> None:
        """Gives up tickets whose time is over, and what nobody has gone on with; to be called every second or so."""
        for attempt in [each for each in self._attempts.values() if each.ticket and each.expires_at <= now]:
            self.release(attempt.number)
        if not self._is_ready or now < self._sweep_at:
            return
        self._sweep_at = now + min(_SWEEP_S, self._limits.unfinished_life_s)
        running, limit_us = self._running(), self._limits.unfinished_life_s * 1_000_000
        # Also when the clock was put back by more than that.
        left = [each for each in self._uploads.values() if abs(now_us - each.touched_us) >= limit_us]
        left = [each for each in left if each.id not in running]
        for upload in left:
            if not upload.is_whole:
                self._drop(upload)
        for upload in [each for each in left if _is_unannounced(each)][:UNANNOUNCED_MAX]:
            self.on_unannounced(upload)
        self._child.send(encode(Sweep()))

    @property
    def uploads(self) -> int:
        """Places in use."""
        return len(self._attempts)

    # The child.

    def received(self, body: bytes) -> None:
        """A message of the child."""
        match from_child.decode(body):
            case Known(uploads, more):
                for upload in uploads:
                    self._keep(upload)
                self._is_ready = not more
            case Begun(number, offset, upload):
                self._begun(number, offset, upload)
            case Written(number, count):
                self._written(number, count)
            case Finished(number, upload):
                self._finished(number, upload)
            case Failed(number, code, text, is_dropped):
                self._failed(number, code, text, is_dropped)
            case Gone(ids):
                for id in ids:
                    self._forget(id)

    def came_up(self) -> None:
        """The child runs again, and will say what there is."""

    def went_down(self) -> None:
        """The child died: whatever was under way is over, and can be gone on with when it is up again."""
        self._is_ready = False
        for number in list(self._attempts):
            self._failed(number, Code.FILES_UNAVAILABLE, "The server can't store files just now; try again.", False)
        for id in list(self._uploads):
            self._forget(id)

    def _begun(self, number: int, offset: int, upload: Upload) -> None:
        attempt = self._attempts.get(number)
        if attempt is None or attempt.answered is None:
            return
        self._keep(upload)
        attempt.upload, attempt.left = upload, upload.size - offset
        attempt.ticket = self._random_bytes(TICKET_BYTES)
        answered, attempt.answered = attempt.answered, None
        answered(UploadTicket(attempt.n, attempt.ticket, offset))

    def _written(self, number: int, count: int) -> None:
        attempt = self._attempts.get(number)
        if attempt and attempt.incoming:
            attempt.incoming.unwritten -= count
            attempt.incoming.moved()

    def _finished(self, number: int, upload: Upload) -> None:
        self._keep(upload)
        attempt = self._attempts.get(number)
        if attempt and attempt.incoming:
            attempt.incoming.ended(Ended(upload))

    def _failed(self, number: int, code: str, text: str, is_dropped: bool) -> None:
        attempt = self._attempts.pop(number, None)
        if attempt is None:
            return
        if is_dropped:
            self._forget(attempt.upload.id)
        if attempt.answered:
            attempt.answered(_refused(attempt.n, Code(code), text, attempt.upload.name))
        elif attempt.incoming:
            attempt.incoming.ended(Ended(attempt.upload, code, text))

    # What an `Incoming` asks for.

    def pass_on(self, incoming: Incoming, data: bytes) -> None:
        """To the child; what comes after a failure goes nowhere."""
        if incoming.number in self._attempts:
            self._child.send(encode(Piece(incoming.number, data)))

    def complete(self, incoming: Incoming) -> None:
        """All of it has come."""
        if incoming.number not in self._attempts:
            return
        if incoming.upload.is_whole:
            incoming.ended(Ended(incoming.upload))
        else:
            self._child.send(encode(Finish(incoming.number)))

    def release(self, number: int) -> None:
        """The attempt is over."""
        if self._attempts.pop(number, None) and self._child.is_up:
            self._child.send(encode(Leave(number)))

    # Places and room.

    def _refused(self, request: OpenUpload) -> Refused | None:
        """What can be said without looking at anything but the request."""
        n, name = request.n, request.name
        if not self._is_ready:
            return _refused(n, Code.FILES_UNAVAILABLE, "The server can't store files just now; try again.", name)
        if not may_be_stored(name):
            return _refused(n, Code.FILE_NAME_INVALID, "A file of this name can't be stored here; rename it.", name)
        if len(request.blake3) != HASH_BYTES or request.size < 0:
            return _refused(n, Code.MALFORMED, f"A file has a size, and a hash of {HASH_BYTES} bytes.", name)
        if request.size > self._limits.file_bytes:
            text = f"A file may have {_size_text(self._limits.file_bytes)} at most."
            return _refused(n, Code.FILE_TOO_LARGE, text, name)
        if not is_path(request.folder) or not all(map(may_be_stored, filter(None, request.folder.split("/")))):
            return _refused(n, Code.FILE_NAME_INVALID, "There can't be a shared folder of that name.", request.folder)
        return None

    def _no_place(self, request: OpenUpload, user: int) -> Refused | None:
        mine = sum(attempt.upload.user == user for attempt in self._attempts.values())
        if mine >= self._limits.uploads_per_user:
            text = f"You bring {mine} files already; wait until one is over."
            return _refused(request.n, Code.LIMIT_REACHED, text, request.name)
        if len(self._attempts) >= self._limits.uploads:
            text = "Too many people bring files just now; try again later."
            return _refused(request.n, Code.LIMIT_REACHED, text, request.name)
        return None

    def _no_room(self, request: OpenUpload, upload: Upload, earlier: Upload | None) -> Refused | None:
        if earlier:
            return None  # it was counted when it was begun
        if self._bytes_of[upload.user] + upload.size > self._limits.user_bytes:
            used, limit = _size_text(self._bytes_of[upload.user]), _size_text(self._limits.user_bytes)
            text = f"You have brought {used} of {limit} already; there is no room for {_size_text(upload.size)} more."
            return _refused(request.n, Code.QUOTA_REACHED, text, request.name)
        if (
            len(self._of_user.get(upload.user, ())) >= self._limits.kept_per_user
            or len(self._uploads) >= self._limits.kept
        ):
            return _refused(request.n, Code.QUOTA_REACHED, "Too many files have been brought already.", request.name)
        return None

    def _find(self, request: OpenUpload, user: int) -> Upload | None:
        """What is gone on with: something unfinished, or what is whole and only its answer was lost."""
        keeps = _keeps(request)
        for each in self._of_user.get(user, {}).values():
            if (each.name, each.size, each.blake3) != (request.name, request.size, request.blake3):
                continue
            is_same = each.cid == request.cid if keeps else each.folder == request.folder
            if each.keeps == keeps and (is_same or not each.is_whole):
                return each
        return None

    def _upload(self, request: OpenUpload, user: int, earlier: Upload | None, now_us: int) -> Upload:
        if earlier and earlier.is_whole:
            return earlier
        id = earlier.id if earlier else self._random_bytes(_ID_BYTES).hex()
        return Upload(
            id=id,
            user=user,
            name=request.name,
            size=request.size,
            blake3=request.blake3,
            touched_us=now_us,
            folder=request.folder,
            keeps=_keeps(request),
            cid=request.cid,
        )

    def _running(self) -> set[str]:
        return {attempt.upload.id for attempt in self._attempts.values()}

    def _take_over(self, upload: Upload) -> None:
        for attempt in [each for each in self._attempts.values() if each.upload.id == upload.id]:
            text = "This upload goes on elsewhere, or was given up."
            self._end(attempt, _refused(attempt.n, Code.BAD_TICKET, text, upload.name))

    def _end(self, attempt: _Attempt, why: Refused) -> None:
        self.release(attempt.number)
        if attempt.answered:
            attempt.answered(why)
        elif attempt.incoming:
            attempt.incoming.ended(Ended(attempt.upload, why.code, why.text))

    # The copy of what the child keeps.

    def _keep(self, upload: Upload) -> None:
        self._forget(upload.id)
        self._uploads[upload.id] = upload
        self._bytes_of[upload.user] += upload.size
        self._of_user.setdefault(upload.user, {})[upload.id] = upload
        if upload.seq:
            self._by_message[upload.seq] = upload.id

    def _forget(self, id: str) -> None:
        known = self._uploads.pop(id, None)
        if known is None:
            return
        self._by_message.pop(known.seq, None)
        theirs = self._of_user[known.user]
        del theirs[id]
        self._bytes_of[known.user] -= known.size
        if not theirs:
            del self._of_user[known.user], self._bytes_of[known.user]

    def _drop(self, upload: Upload) -> None:
        self._forget(upload.id)
        if self._child.is_up:
            self._child.send(encode(Drop((upload.id,))))


def _keeps(request: OpenUpload) -> bool:
    """Whether a file is for some people only, and not for the shared folder."""
    return request.to is not None and not request.folder


def _is_unannounced(upload: Upload) -> bool:
    return upload.is_whole and upload.keeps and not upload.seq


def _size_text(count: int) -> str:
    """For people."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}".replace(".0 ", " ")
    return f"{count} bytes"


def _refused(n: int, code: Code, text: str, about: str) -> Refused:
    return Refused(n, code, text, clean_line(about[: 2 * _ABOUT_CHARS], _ABOUT_CHARS))
