"""The words of the command line: each command's, and what it runs.

Commands are imported when they are called: `mystic --help` has nothing to wait for.
"""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mystic_client.cli.status import Failure, Status

if TYPE_CHECKING:
    from mystic_client.cli.visit import Place
    from mysticproto.model import Target, ToGlobal, ToGroup, ToUsers

DEFAULT_SERVER = "127.0.0.1:12000"
MAX_COUNT = 1_000_000
Work: TypeAlias = Coroutine[object, object, None]
_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Options, with `run(place, options)` as the command. Ends the program with status 2 for what makes no sense."""
    parser = argparse.ArgumentParser(
        prog="mystic",
        description="Chat and files of a Mystic server, without a screen.",
        epilog="Exit status: 0 done, 1 refused or not found, 2 usage, 3 no server.",
        allow_abbrev=False,
    )
    parser.add_argument("--server", metavar="HOST:PORT", help=f"MYSTIC_SERVER, or {DEFAULT_SERVER}")
    parser.add_argument("--name", help="who to be: MYSTIC_NAME, or the name of your account")
    parser.add_argument("--config", metavar="FILE", type=Path, help="settings to use instead of the usual ones")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for add in (_add_talk, _add_past, _add_files, _add_lists, _add_groups, _add_account, _add_operators):
        add(commands)
    return parser.parse_args(arguments)


# Talking.


def _add_talk(commands: _Commands) -> None:
    send = commands.add_parser("send", help="say something, to everybody unless told otherwise")
    _add_whom(send)
    send.add_argument("--broadcast", action="store_true", help="to everybody, whatever group they are in")
    send.add_argument("--reply", metavar="NUMBER", type=_number, default=0, help="in reply to this message")
    send.add_argument("text", metavar="TEXT", help="what to say, or - for each line of standard input")
    send.set_defaults(run=_send)
    tail = commands.add_parser("tail", help="print messages as they come")
    tail.add_argument("--last", metavar="N", type=_count, default=0, help="first print the last N messages")
    tail.add_argument("--count", metavar="N", type=_count, default=0, help="end after N new messages")
    tail.add_argument("--json", action="store_true", help="one JSON object for each message")
    tail.set_defaults(run=_tail)
    commands.add_parser("chat", help="talk line by line").set_defaults(run=_chat)
    edit = commands.add_parser("edit", help="replace the text of a message of yours")
    edit.add_argument("message", metavar="NUMBER", type=_number, help="the message, as history and --json show it")
    edit.add_argument("text", metavar="TEXT")
    edit.set_defaults(run=_edit)
    delete = commands.add_parser("delete", help="take a message of yours away")
    delete.add_argument("message", metavar="NUMBER", type=_number)
    delete.set_defaults(run=_delete)
    receipts = commands.add_parser("receipts", help="show how far the others have got")
    _add_whom(receipts)
    receipts.set_defaults(run=_receipts)


def _add_past(commands: _Commands) -> None:
    search = commands.add_parser("search", help="find messages by their words")
    search.add_argument("words", metavar="WORD", nargs="+", help='all of them; "words in quotes" stand together')
    _add_whom(search)
    search.add_argument("--global", dest="everybody", action="store_true", help="in the global conversation alone")
    search.add_argument("--from", metavar="USER", dest="author", default="", help="said by this user")
    search.add_argument("--since", metavar="WHEN", default="", help="2026-11-21, 14:30, yesterday, 2d")
    search.add_argument("--until", metavar="WHEN", default="", help="as --since")
    _add_page(search)
    search.set_defaults(run=_search)
    history = commands.add_parser(
        "history", help="print the last messages of a conversation, the global one by default"
    )
    _add_whom(history)
    history.add_argument("--before", metavar="NUMBER", type=_number, default=0, help="those before this message")
    _add_page(history)
    history.set_defaults(run=_history)


def _add_files(commands: _Commands) -> None:
    ls = commands.add_parser("ls", help="list a shared folder")
    ls.add_argument("folder", metavar="FOLDER", nargs="?", default="")
    ls.add_argument("--json", action="store_true", help="one JSON object for each entry")
    ls.set_defaults(run=_ls)
    get = commands.add_parser("get", help="fetch shared files or folders, verified")
    get.add_argument("paths", metavar="PATH", nargs="*", help="a folder's path brings all that is in it")
    get.add_argument("--folder", action="store_true", help="the paths are folders")
    get.add_argument("--message", metavar="NUMBER", type=_number, default=0, help="what this message brought")
    get.add_argument("-o", dest="output", metavar="FILE", default="", help="where to save it, instead of the downloads")
    over = get.add_mutually_exclusive_group()
    for way, help_text in (
        ("tcp", "over TCP (the usual way)"),
        ("udp", "in datagrams: faster over long ways that lose packets"),
        ("auto", "what suits the way to the server"),
    ):
        over.add_argument(f"--{way}", dest="over", action="store_const", const=way, default="tcp", help=help_text)
    get.set_defaults(run=_get)
    put = commands.add_parser("put", help="send a file, or all that is in a folder")
    put.add_argument("file", metavar="FILE", type=Path)
    put.add_argument("folder", metavar="FOLDER", nargs="?", help="the shared folder that it goes into")
    _add_whom(put)
    put.add_argument("--global", dest="everybody", action="store_true", help="announced to everybody")
    put.add_argument("--text", metavar="TEXT", default="", help="what to say with it")
    put.set_defaults(run=_put)


def _add_lists(commands: _Commands) -> None:
    users = commands.add_parser("users", help="list who is here")
    users.add_argument("--all", action="store_true", help="also who is away, and since when")
    users.set_defaults(run=_users)
    commands.add_parser("groups", help="list the groups and their members").set_defaults(run=_groups)


# Groups, accounts, operators.


def _add_groups(commands: _Commands) -> None:
    group = commands.add_parser("group", help="make and run groups that stay when their members are away")
    verbs = group.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, help_text in (
        ("create", "make a group with these members"),
        ("add", "add people to your group"),
        ("remove", "remove people from your group"),
    ):
        people = verbs.add_parser(verb, help=help_text)
        people.add_argument("group", metavar="GROUP")
        people.add_argument("members", metavar="USER", nargs="*" if verb == "create" else "+")
        people.set_defaults(run=_group)
    for verb, what, help_text in (
        ("rename", "NAME", "give your group another name"),
        ("handover", "USER", "make another member the owner"),
    ):
        change = verbs.add_parser(verb, help=help_text)
        change.add_argument("group", metavar="GROUP")
        change.add_argument("to", metavar=what)
        change.set_defaults(run=_group)
    for verb, help_text in (
        ("keep", "let it stay when its members are away"),
        ("unkeep", "let it end when its members leave"),
        ("delete", "end your group"),
        ("leave", "leave a group"),
    ):
        plain = verbs.add_parser(verb, help=help_text)
        plain.add_argument("group", metavar="GROUP")
        plain.set_defaults(run=_group)


def _add_account(commands: _Commands) -> None:
    commands.add_parser("register", help="set or change the password of your name").set_defaults(run=_register)
    commands.add_parser("login", help="use a name with a password on this device too").set_defaults(run=_login)
    devices = commands.add_parser("devices", help="list the devices that may log in as you")
    devices.add_argument("--remove", metavar="KEY", default="", help="take one away, by the beginning of its key")
    devices.set_defaults(run=_devices)
    unregister = commands.add_parser("unregister", help="give your name up for ever")
    unregister.add_argument("--yes", action="store_true", help="without being asked again")
    unregister.set_defaults(run=_unregister)
    commands.add_parser("trust", help="accept a server's new fingerprint").set_defaults(run=_trust)


def _add_operators(commands: _Commands) -> None:
    operators = commands.add_parser("op", help="what operators do")
    verbs = operators.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, what, help_text in (
        ("kick", "USER", "end the sessions of a user"),
        ("ban", "TARGET", "keep a name, an address or a network out"),
        ("mute", "USER", "keep a user from saying anything"),
        ("unban", "TARGET", "end a ban"),
        ("unmute", "USER", "let a user speak again"),
    ):
        against = verbs.add_parser(verb, help=help_text)
        against.add_argument("target", metavar=what)
        if not verb.startswith("un"):
            against.add_argument("--reason", metavar="TEXT", default="")
        if verb in ("ban", "mute"):
            against.add_argument("--for", dest="span", metavar="TIME", default="forever", help="10m, 2h, 3d or forever")
        against.set_defaults(run=_operate)
    verbs.add_parser("bans", help="list who is banned").set_defaults(run=_operate)
    role = verbs.add_parser("role", help="make somebody an operator, or a member again")
    role.add_argument("target", metavar="USER")
    role.add_argument("role", choices=("operator", "member"))
    role.set_defaults(run=_operate)
    announce = verbs.add_parser("announce", help="say something to everybody")
    announce.add_argument("text", metavar="TEXT")
    announce.set_defaults(run=_operate)
    shutdown = verbs.add_parser("shutdown", help="let the server count down and stop")
    shutdown.add_argument("--cancel", action="store_true", help="not after all")
    shutdown.set_defaults(run=_operate)


# Words that several commands have.


def _add_whom(command: argparse.ArgumentParser) -> None:
    command.add_argument("--to", metavar="USER", action="append", default=[], help="with this user; may be repeated")
    command.add_argument("--group", metavar="NAME", help="in this group")


def _add_page(command: argparse.ArgumentParser) -> None:
    command.add_argument("--limit", metavar="N", type=_number, default=20, help="so many at most (20)")
    command.add_argument("--json", action="store_true", help="one JSON object for each message")


def _count(word: str) -> int:
    count = int(word)
    if not 0 <= count <= MAX_COUNT:
        raise argparse.ArgumentTypeError(f"a number from 0 to {MAX_COUNT} is wanted")
    return count


def _number(word: str) -> int:
    number = int(word)
    if not 0 < number < 2**63:
        raise argparse.ArgumentTypeError("a number from 1 on is wanted")
    return number


def _target(options: argparse.Namespace) -> Target:
    from mysticproto.model import ToEveryone, ToGlobal

    return _maybe_whom(options) or (ToEveryone() if options.broadcast else ToGlobal())


def _maybe_whom(options: argparse.Namespace) -> ToGroup | ToUsers | None:
    """The group or the people that are named."""
    from mysticproto.model import ToGroup, ToUsers

    others = [option for option in ("broadcast", "everybody") if getattr(options, option, False)]
    if bool(options.to) + (options.group is not None) + len(others) > 1:
        raise Failure(Status.USAGE, "--to, --group and what means everybody exclude each other")
    if options.group == "":
        raise Failure(Status.USAGE, "--group needs a name")
    if options.to:
        return ToUsers(tuple(dict.fromkeys(options.to)))
    return ToGroup(options.group) if options.group is not None else None


# What the words run.


def _send(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.send import send

    return send(place, _target(options), options.text, options.reply)


def _tail(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.tail import tail

    return tail(place, options.last, options.count, as_json=options.json)


def _chat(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.chat import chat

    return chat(place)


def _edit(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.amend import edit

    return edit(place, options.message, options.text)


def _delete(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.amend import delete

    return delete(place, options.message)


def _receipts(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.amend import receipts

    of = _maybe_whom(options)
    if of is None:
        raise Failure(Status.USAGE, "of which conversation? --to USER or --group NAME")
    return receipts(place, of)


def _search(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.past import search
    from mysticproto.model import ToGlobal

    of: ToGlobal | ToGroup | ToUsers | None = _maybe_whom(options)
    if options.everybody:
        of = ToGlobal()
    words = " ".join(f'"{word}"' if " " in word and '"' not in word else word for word in options.words)
    return search(place, words, of, options.author, options.since, options.until, options.limit, as_json=options.json)


def _history(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.past import history
    from mysticproto.model import ToGlobal

    return history(place, _maybe_whom(options) or ToGlobal(), options.before, options.limit, as_json=options.json)


def _ls(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.look import ls

    return ls(place, options.folder, as_json=options.json)


def _get(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.get import get

    if not options.paths and not options.message:
        raise Failure(Status.USAGE, "get what? PATH or --message NUMBER")
    if options.paths and options.message:
        raise Failure(Status.USAGE, "a PATH and --message exclude each other")
    return get(place, options.paths, options.output, over=options.over, message=options.message, folders=options.folder)


def _put(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.put import put
    from mysticproto.model import ToGlobal

    to: ToGlobal | ToGroup | ToUsers | None = _maybe_whom(options)
    if options.everybody:
        to = ToGlobal()
    if options.text and to is None:
        raise Failure(Status.USAGE, "--text is for those who get the file: --to, --group or --global")
    return put(place, options.file, options.folder, to, options.text)


def _users(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.look import users

    return users(place, known=options.all)


def _groups(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.look import groups

    return groups(place)


def _group(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli import group

    match options.verb:
        case "create":
            return group.create(place, options.group, options.members)
        case "add":
            return group.add(place, options.group, options.members)
        case "remove":
            return group.remove(place, options.group, options.members)
        case "rename":
            return group.rename(place, options.group, options.to)
        case "handover":
            return group.hand_over(place, options.group, options.to)
        case "delete":
            return group.delete(place, options.group)
        case "leave":
            return group.leave(place, options.group)
    return group.keep(place, options.group, kept=options.verb == "keep")


def _register(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.account import register

    return register(place)


def _login(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.account import login

    return login(place)


def _devices(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.account import devices

    return devices(place, options.remove)


def _unregister(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.account import unregister

    return unregister(place, is_sure=options.yes)


def _trust(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli.account import trust

    return trust(place)


def _operate(place: Place, options: argparse.Namespace) -> Work:
    from mystic_client.cli import operate

    match options.verb:
        case "kick":
            return operate.kick(place, options.target, options.reason)
        case "ban":
            return operate.ban(place, options.target, options.span, options.reason)
        case "mute":
            return operate.mute(place, options.target, options.span, options.reason)
        case "unban":
            return operate.unban(place, options.target)
        case "unmute":
            return operate.unmute(place, options.target)
        case "role":
            return operate.role(place, options.target, options.role)
        case "announce":
            return operate.announce(place, options.text)
        case "shutdown":
            return operate.shutdown(place, cancel=options.cancel)
    return operate.bans(place)
