"""What widgets and screens tell the app: what the user did, never what is to be done about it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from textual.message import Message

from mystic_client.model.commands import Command
from mystic_client.model.timeline import Entry


class Wanted(Message):
    """The user wants to be on a server; `password` proves a name there that this device is new to."""

    def __init__(self, name: str, host: str, port: int, password: str = "") -> None:
        super().__init__()
        self.name, self.host, self.port, self.password = name, host, port, password


class Stopped(Message):
    """The user gives up connecting."""


class Typed(Message):
    """The user finished a line in the conversation `key`; it means `command`. `settled` is to be called once it has
    been carried out, or can't be."""

    def __init__(self, key: str, command: Command, settled: Callable[[], None]) -> None:
        super().__init__()
        self.key, self.command, self.settled = key, command, settled


class Commanded(Message):
    """The user asked for something by button, key or click; it means `command`."""

    def __init__(self, command: Command) -> None:
        super().__init__()
        self.command = command


class Turned(Message):
    """The user turns to the conversation `key`."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class Closed(Message):
    """The user closes the conversation `key`; closing a group's leaves the group."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class PeopleChosen(Message):
    """The user wants to talk with these people, privately."""

    def __init__(self, ids: tuple[int, ...]) -> None:
        super().__init__()
        self.ids = ids


class AuthorChosen(Message):
    """The user clicked on a name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class GroupChosen(Message):
    """The user wants into a group, or to its conversation if they are in it."""

    def __init__(self, group_id: int) -> None:
        super().__init__()
        self.group_id = group_id


class Retried(Message):
    """The user wants messages that failed to be sent again: one, or all of the conversation in front."""

    def __init__(self, cid: bytes = b"") -> None:
        super().__init__()
        self.cid = cid


class Dropped(Message):
    """The user gives a message up that failed."""

    def __init__(self, cid: bytes) -> None:
        super().__init__()
        self.cid = cid


class PastWanted(Message):
    """The user scrolled to where the conversation `key` has older messages."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class FutureWanted(Message):
    """The user scrolled to where an excerpt of the conversation `key` has newer messages."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class QuoteWanted(Message):
    """A message of the conversation `key` answers the one with this number, which is not here."""

    def __init__(self, key: str, number: int) -> None:
        super().__init__()
        self.key, self.number = key, number


class JumpWanted(Message):
    """The user wants to see the message with this number of the conversation `key`."""

    def __init__(self, key: str, number: int) -> None:
        super().__init__()
        self.key, self.number = key, number


class BackToNow(Message):
    """The user has read enough of the past of the conversation `key`."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class MessageActed(Message):
    """The user wants to do something with a message of the conversation `key`.

    `act`: "menu", "reply", "edit", "delete", "copy", "readers", "original", "author", "retry", "drop", "get" (the file
    that it brought) or "folder" (open the one where it is here).
    """

    def __init__(self, key: str, act: str, entry: Entry, *, y: int = 0, rows: int = 1) -> None:
        super().__init__()
        self.key, self.act, self.entry = key, act, entry
        self.y, self.rows = y, rows
        """Where it is on the screen, for a menu beside it."""


class EditDone(Message):
    """The user has typed what is to be put in the place of a message."""

    def __init__(self, key: str, entry: Entry, text: str) -> None:
        super().__init__()
        self.key, self.entry, self.text = key, entry, text


class Drafted(Message):
    """The user has begun something in the conversation `key`."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__()
        self.key, self.text = key, text


class Seen(Message):
    """The user has seen the conversation `key` up to this number."""

    def __init__(self, key: str, upto: int) -> None:
        super().__init__()
        self.key, self.upto = key, upto


class LinkChosen(Message):
    """The user clicked on a link."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url


class ReconnectWanted(Message):
    """The user does not want to wait for the next attempt."""


class FolderWanted(Message):
    """The user wants to see a shared folder, or to see it again."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path


class OwnFolderWanted(Message):
    """The user types a path of this computer, and wants to see what is in this folder of it."""

    def __init__(self, typed: str) -> None:
        super().__init__()
        self.typed = typed


class FilesWanted(Message):
    """The user wants shared files and whole folders, each a path and whether it is a folder."""

    def __init__(self, wanted: Sequence[tuple[str, bool]]) -> None:
        super().__init__()
        self.wanted = tuple(wanted)


class TransportChosen(Message):
    """The user wants files over another transport: "tcp", "udp" or "auto"."""

    def __init__(self, over: str) -> None:
        super().__init__()
        self.over = over


class TransferActed(Message):
    """The user wants something done with the transfer `number`: an `act` of `widgets.transfers.DEEDS`.

    "clear" is about all that have ended.
    """

    def __init__(self, number: int, act: str) -> None:
        super().__init__()
        self.number, self.act = number, act


class TransferMenuWanted(Message):
    """The user wants to see what can be done with the transfer `number`."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class UploadWanted(Message):
    """The user wants to send files: into the shared folder `folder`, or to the conversation `key` if there is one.

    Without `files` it is to be asked which.
    """

    def __init__(self, *, folder: str = "", key: str = "", files: Sequence[Path] = ()) -> None:
        super().__init__()
        self.folder, self.key, self.files = folder, key, tuple(files)


class DialogWanted(Message):
    """The user wants to see more of something.

    `what`: "menu", "account", "server" and "go-on" (for operators: what there is to decide, and not to stop after all),
    "safety" (of the connection), "details" (of the conversation in front), "talk" (the conversation with the key
    `about`), or a "group" or "person" with the id or the name `about`.
    """

    def __init__(self, what: str, about: int | str = 0) -> None:
        super().__init__()
        self.what, self.about = what, about
