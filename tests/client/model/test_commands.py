"""What a typed line means."""

import pytest

from mystic_client.model import commands
from mystic_client.model.commands import (
    Broadcast,
    Clear,
    CommandError,
    Create,
    Direct,
    Disconnect,
    Download,
    Files,
    Help,
    Join,
    Leave,
    Put,
    Say,
    ShowGroups,
    ShowUsers,
    parse,
)

MEANT = {
    "mystic help": Help(),
    "mystic disconnect": Disconnect(),
    "mystic users": ShowUsers(),
    "  mystic   users  ": ShowUsers(),
    "mystic groups": ShowGroups(),
    "mystic pm bob hi": Direct(("bob",), "hi"),
    "mystic pm bob  two  spaces\nand a line": Direct(("bob",), "two  spaces\nand a line"),
    "mystic broadcast fire! fire!": Broadcast("fire! fire!"),
    "mystic create group dev": Create("dev"),
    "mystic join group dev": Join("dev"),
    "mystic leave group dev": Leave("dev"),
    "mystic leave group": Leave(""),
    "mystic files": Files(""),
    "mystic download a.txt": Download("a.txt"),
    "mystic download my file.txt UDP": Download("my file.txt", "udp"),
    "mystic download my  file.txt tcp": Download("my  file.txt", "tcp"),
    "mystic download notes about tcp/ip": Download("notes about tcp/ip"),
    "/help": Help(),
    "/quit": Disconnect(),
    "/disconnect": Disconnect(),
    "/users": ShowUsers(),
    "/groups": ShowGroups(),
    "/clear": Clear(),
    "/pm bob hi there": Direct(("bob",), "hi there"),
    "/to ana, bob hello, you two": Direct(("ana", "bob"), "hello, you two"),
    "/to ana,bob,ana hi": Direct(("ana", "bob"), "hi"),
    "/to ana hi, bob": Direct(("ana",), "hi, bob"),
    "/to ana , bob hi": Direct(("ana", "bob"), "hi"),
    "/broadcast all of you": Broadcast("all of you"),
    "/create dev": Create("dev"),
    "/join dev": Join("dev"),
    "/leave": Leave(""),
    "/leave dev": Leave("dev"),
    "/files": Files(""),
    "/files Music/Old stuff/": Files("Music/Old stuff"),
    "/download a b.bin udp": Download("a b.bin", "udp"),
    "/get a b.bin": Download("a b.bin"),
    "/get a b.bin auto": Download("a b.bin", "auto"),
    "/put": Put(),
    "/put ~/my file [1].txt": Put("~/my file [1].txt"),
    "hello": Say("hello"),
    "hello mystic users": Say("hello mystic users"),
    "mystical things": Say("mystical things"),
    "Mystic help": Say("Mystic help"),
    "//shrug": Say("/shrug"),
    "several\nlines": Say("several\nlines"),
    "": Say(""),
}

REFUSED = {
    "mystic": 'Did you mean to enter a command? Type "mystic help" for commands.',
    " mystic ": 'Did you mean to enter a command? Type "mystic help" for commands.',
    "mystic dance": 'Command not recognized. Type "mystic help" for commands.',
    "mystic users please": 'Command not recognized. Type "mystic help" for commands.',
    "mystic create": 'Command not recognized. Type "mystic help" for commands.',
    "mystic pm": "Usage: mystic pm <user> <message>",
    "mystic pm bob": "Usage: mystic pm <user> <message>",
    "mystic broadcast": "Usage: mystic broadcast <message>",
    "mystic create group": "Usage: mystic create group <name>",
    "mystic join group": "Usage: mystic join group <name>",
    "mystic create group my group": "Group name cannot contain spaces.",
    "mystic join group my group": "Group name cannot contain spaces.",
    "mystic leave group my group": "Group name cannot contain spaces.",
    "mystic download": "Usage: mystic download <filename> [tcp|udp]",
    "mystic download tcp": "Usage: mystic download <filename> [tcp|udp]",
    "/to ana": "Usage: /to <user>, <user> <message>",
    "/to ana, bob": "Usage: /to <user>, <user> <message>",
    "/to": "Usage: /to <user>, <user> <message>",
    "/join a b": "Group name cannot contain spaces.",
    "/": commands.UNKNOWN_SLASH,
    "/dance": commands.UNKNOWN_SLASH,
    "/help me": commands.UNKNOWN_SLASH,
}


@pytest.mark.parametrize("line", MEANT)
def test_a_line_means_one_command(line: str) -> None:
    assert parse(line) == MEANT[line]


@pytest.mark.parametrize("line", REFUSED)
def test_a_wrong_command_says_what_is_right(line: str) -> None:
    assert parse(line) == CommandError(REFUSED[line])


def test_the_help_text_names_every_command_in_words() -> None:
    lines = commands.help_text().splitlines()
    assert lines[0] == "--- Mystic Commands ---"
    assert all(any(line.startswith(spelling.usage) for line in lines) for spelling in commands.MYSTIC)
