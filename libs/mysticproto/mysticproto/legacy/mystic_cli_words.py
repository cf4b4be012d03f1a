"""What a `mystic_cli` client is told, in the words that it knows and parses.

A line is a tag, perhaps who speaks, and a text. The client shows each chunk that it reads as one text by the tag in
front, looks for file markers anywhere, and changes its prompt at two sentences of the server. So every text of other
people is one line in which none of these occurs (`neutral`), and every chunk ends in a newline, which the client strips
from the last line and shows between merged ones. A chunk that is not whole UTF-8 is dropped by the client, which reads
8192 bytes at a time: a long text goes in several chunks, apart from each other unless it is ASCII.
"""

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from mysticproto.errors import Code
from mysticproto.legacy.plain import in_older_words
from mysticproto.model import (
    Broadcast,
    CreateGroup,
    Direct,
    Event,
    Global,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupInfo,
    GroupJoined,
    GroupLeft,
    JoinGroup,
    LeaveGroup,
    Login,
    Message,
    Notice,
    Passing,
    Post,
    Refused,
    Request,
    SendFile,
    StoppingIn,
    ToUsers,
    UserJoined,
    UserLeft,
)
from mysticproto.names import clean_line
from mysticproto.wire import Alone, Chunks, Role

MAX_LINE_BYTES: Final = 6000
"""One chunk, well under the 8192 bytes of the client's reads."""
SERVER: Final = "[SERVER] "
FILE_END_MARKER: Final = b"[FILE_END"
"""How both marks behind a file's bytes begin: a file that has this in it can't be sent between them."""

DID_YOU_MEAN: Final = 'Did you mean to enter a command? Type "mystic help" for commands.'
NOT_RECOGNIZED: Final = 'Command not recognized. Type "mystic help" for commands.'
NO_SPACES: Final = "Group name cannot contain spaces."
USAGE_PM: Final = "Usage: mystic pm <user> <message>"
USAGE_BROADCAST: Final = "Usage: mystic broadcast <message>"
USAGE_CREATE: Final = "Usage: mystic create group <name>"
USAGE_JOIN: Final = "Usage: mystic join group <name>"
USAGE_DOWNLOAD: Final = "Usage: mystic download <filename> [tcp|udp]"
GOODBYE: Final = "You have left the chat. Goodbye!"
HELP: Final = """--- Mystic Commands ---
mystic help - what can be typed
mystic users - who is here
mystic groups - which groups there are
mystic pm <user> <message> - say something to one user
mystic broadcast <message> - say something to everybody, in groups too
mystic create group <name> - make a group and chat in it
mystic join group <name> - chat in a group, which is made if there is none
mystic leave group [<name>] - go back to the global chat
mystic files - which files can be downloaded
mystic download <filename> [tcp|udp] - get a file, over TCP if nothing else is said
mystic disconnect - leave"""

Line: TypeAlias = tuple[str, str]
"""The tag, with who speaks, and the text behind it."""

_STRUCTURE = re.compile(r"\[(?=FILE_|UDP_FILE_|SERVER\]|GLOBAL\]|PM\]|BROADCAST\]|GROUP:)")
_GLOBAL_AGAIN = "You're now in global chat"


# Texts as chunks.


def neutral(text: str) -> str:
    """One line, with nothing in it that a client would take for a marker, a tag or a change of the prompt."""
    line = _STRUCTURE.sub("[ ", text.replace("\n", " "))
    return line.replace(_GLOBAL_AGAIN, "You are now in global chat")


def typed(text: str) -> str:
    """What this client's user typed, as it may stand in an answer."""
    return neutral(clean_line(text, 200))


def chunks_of(line: Line) -> Chunks:
    """A line's bytes, in several chunks if it is long; each of them begins with the tag."""
    tag, text = line
    whole = _encoded(tag, text)
    if len(whole) <= MAX_LINE_BYTES:
        return (whole,)
    parts = [_encoded(tag, part) for part in _cut(text, MAX_LINE_BYTES - len(tag.encode()) - 1)]
    return tuple(parts) if text.isascii() else tuple(map(Alone, parts))


def say(text: str) -> Chunks:
    """The server's words to one client."""
    return chunks_of((SERVER, text))


def say_alone(text: str) -> Chunks:
    """Words that change the client's prompt, which they only do at the beginning of what it reads."""
    return (Alone(_encoded(SERVER, text)),)


def _encoded(tag: str, text: str) -> bytes:
    return f"{tag}{text}\n".encode(errors="replace")


def _cut(text: str, limit: int) -> Iterator[str]:
    """Pieces of at most `limit` bytes, at the end of a line or a word if there is one."""
    data = text.encode(errors="replace")
    while len(data) > limit:
        end = (data.rfind(b"\n", 0, limit) + 1) or (data.rfind(b" ", 0, limit) + 1) or limit
        piece = data[:end].decode(errors="ignore")
        data = data[len(piece.encode()) :]
        yield piece.rstrip("\n")
    yield data.decode()


# What happened.


def line_of(said: Event | Passing, role: Role) -> Line | None:
    """What somebody in this role is told; None for nothing."""
    match in_older_words(said, role):
        case Message() as said:
            return _message(said) if role is Role.OTHER else None
        case UserJoined(user=user):
            return (SERVER, f"{user.name} has joined") if role is Role.OTHER else None
        case UserLeft(user=user):
            return (SERVER, f"{user.name} has left") if role is Role.OTHER else None
        case GroupCreated() | GroupJoined() | GroupLeft() | GroupDeleted() as said:
            return _group_line(said, role)
        case Notice(text):
            return SERVER, neutral(text)
        case StoppingIn(seconds):
            return SERVER, f"Server shutting down in {seconds} second{'' if seconds == 1 else 's'}..."
        case _:
            return None


def _message(message: Message) -> Line:
    who, text = message.author.name, neutral(message.text)
    match message.conversation:
        case Global():
            return f"[GLOBAL] {who}: ", text
        case Broadcast():
            return f"[BROADCAST] {who}: ", text
        case Group(name=name):
            return f"[GROUP:{name}] {who}: ", text
        case Direct(users):
            others = ", ".join(user.name for user in users if user.id != message.author.id)
            return (f"[PM] {who} (to {others}): " if len(users) > 2 else f"[PM] {who}: "), text


def _group_line(said: GroupCreated | GroupJoined | GroupLeft | GroupDeleted, role: Role) -> Line | None:
    group = said.group.name
    match said:
        case GroupCreated(by=by, members=members):
            others = ", ".join(user.name for user in members if user.id != by.id)
            added = f" with {others}" if others and role is not Role.BYSTANDER else ""
            return SERVER, f"{by.name} has created the group {group}{added}!"
        case GroupDeleted(by=by) if by:
            return SERVER, f"Group '{group}' has been deleted by {by.name}."
        case GroupDeleted():
            return SERVER, f"Group '{group}' has been deleted (no members left)."
        case _ if role is not Role.OTHER:
            return None
        case GroupJoined(user=user, by=by):
            return SERVER, f"{user.name} has {f'been added to {group} by {by.name}' if by else f'joined {group}'}!"
        case GroupLeft(user=user, cause="removed"):
            return SERVER, f"{user.name} has been removed from {group}."
        case GroupLeft(user=user):
            return SERVER, f"{user.name} has left {group}."


# Answers.


def welcome(name: str) -> str:
    """To a newcomer."""
    return f"Welcome to the Mystic chat room, {name}! Type 'mystic help' for commands."


def now_chatting(group: str) -> str:
    """To who has created or joined a group; the client takes its prompt from this."""
    return f"You are now chatting in {group}. Use 'mystic leave group' to leave."


def has_left(group: str) -> str:
    """To who is in no group any more; the client's prompt is global again."""
    return f"You have left {group}. {_GLOBAL_AGAIN}."


def online_users(names: list[str]) -> str:
    """In the order of their coming."""
    return f"Online users: {', '.join(names)}"


def group_figure(info: GroupInfo) -> str:
    """One group of the list."""
    return f"{info.group.name} ({len(info.members)} members)"


def groups(figures: list[str]) -> str:
    """All groups."""
    return f"Groups: {', '.join(figures)}" if figures else "No groups exist yet."


def files(figures: list[str]) -> str:
    """All files, each with its size."""
    count = f"{len(figures)} file(s) available:" if figures else "0 files available."
    lines = [f"  {number}. {figure}" for number, figure in enumerate(figures, 1)]
    return "\n".join([f"Successfully accessed SharedFiles folder. {count}", *lines])


def file_not_found(name: str) -> str:
    """There is no such file at the top of the shared folder."""
    return f"File '{typed(name)}' not found in SharedFiles."


# File headers and trailers. The client takes what is between them apart at each bar.


def file_start(path: str, size: int) -> Chunks:
    """Before a file's bytes, on the same connection."""
    return (f"[FILE_START]{_announced(path)}|{size}[FILE_START_END]".encode(),)


def file_end(size: int) -> Chunks:
    """Behind them."""
    return (f"[FILE_END]{size}[FILE_END_END]".encode(),)


def udp_file_start(path: str, size: int, port: int) -> Chunks:
    """Where a file waits."""
    return (f"[UDP_FILE_START]{_announced(path)}|{size}|{port}[UDP_FILE_START_END]".encode(),)


def _announced(path: str) -> str:
    """The name under which the client will save a file."""
    return typed(path).replace("|", "_").replace("/", "_").replace("\\", "_")


# Refusals.


def refusal(request: Request, refused: Refused) -> str:
    """Why something was not done, in this program's words where it has any."""
    match request:
        case Login(name=name):
            return _login_refusal(typed(name), refused)
        case Post(to=ToUsers(names)):
            return _direct_refusal(typed(names[0]), refused)
        case CreateGroup() | JoinGroup() | LeaveGroup():
            return _group_refusal(request, refused)
        case SendFile():
            return _file_refusal(request, refused)
        case _:
            return neutral(refused.text)


def _login_refusal(name: str, refused: Refused) -> str:
    if refused.code in (Code.NAME_IN_USE, Code.NAME_CLAIMED):
        return f"Username '{name}' is already taken. Please reconnect with a different name."
    if refused.code == Code.NAME_INVALID:
        return f"Username '{name}' can't be used: {neutral(refused.text)} Please reconnect with a different name."
    return neutral(refused.text)


def _direct_refusal(name: str, refused: Refused) -> str:
    match refused.code:
        case Code.NOT_TO_YOURSELF:
            return "You can't send a PM to yourself!"
        case Code.UNKNOWN_USER:
            return f"User '{name}' not found. Use 'mystic users' to see online users."
        case _:
            return f"Failed to send PM to {name}. {neutral(refused.text)}"


def _group_refusal(request: CreateGroup | JoinGroup | LeaveGroup, refused: Refused) -> str:
    asked = typed(request.name)
    match refused.code:
        case Code.GROUP_EXISTS:
            return "Group already exists! Try a new group name."
        case Code.IN_ANOTHER_GROUP:
            return f"You're already in '{neutral(refused.about)}'. Leave it first with 'mystic leave group'."
        case Code.ALREADY_IN_GROUP:
            return f"You're already in {neutral(refused.about)}!"
        case Code.UNKNOWN_GROUP if isinstance(request, JoinGroup):
            return f"'{asked}' doesn't exist! Creating it now..."
        case Code.UNKNOWN_GROUP:
            return f"Group '{asked}' doesn't exist!"
        case Code.NOT_IN_GROUP:
            return f"You're not in '{asked}'!"
        case Code.NO_GROUP:
            return "You're not in any group!"
        case _:
            return neutral(refused.text)


def _file_refusal(request: SendFile, refused: Refused) -> str:
    match refused.code:
        case Code.FILE_NOT_FOUND | Code.NOT_A_FOLDER:
            return file_not_found(request.path)
        case Code.IDLE:
            return "UDP transfer timed out. Client did not respond."
        case Code.MALFORMED:
            return "UDP handshake failed."
        case _:
            over = " via UDP" if request.over == "udp" else ""
            return f"Error sending file{over}: {neutral(refused.text)}"
