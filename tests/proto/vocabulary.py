"""Values of the whole vocabulary for tests: one sample of every struct, and Hypothesis strategies."""

from __future__ import annotations

from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from mysticproto import model
from mysticproto.model import Event, FromServer, Passing, Reply, Request

ANA = model.UserRef(3, "ana")
BOB = model.UserRef(9, "Боб")
ROOM = model.Group(17, "crew")
FILE = model.FolderEntry("a b.txt", "file", 1024, 1_700_000_000_000_000)
FOLDER = model.FolderEntry("photos", "folder", 0, 1_700_000_000_000_001, 12)
ROOM_INFO = model.GroupInfo(ROOM, ANA, (ANA, BOB), True)
T = 1_800_000_000_123_456
CID = bytes(range(16))
MESSAGE = model.Message(41, T, ANA, model.Global(), "hi\n☺", CID, 40)

# What came with the second version: kinds and fields that the first one did not have.
REQUESTS_2: list[Request] = [
    model.Login(18, "ana", b"", b"", True, 0, -1, "muca", "Ana M.", "all", True),
    model.Post(19, model.ToGlobal(), "who has it?", b"", 0, True),
    model.CreateGroup(20, "crew", False, True, ("ana", "Боб")),
    model.AddMember(21, "crew", "Боб"),
    model.RemoveMember(22, "crew", "Боб"),
    model.SendFile(23, "a b.txt", "udp", b"<END>", True),
    model.Shutdown(24),
]
EVENTS_2: list[Event] = [
    model.GroupCreated(50, T, ROOM, ANA, (ANA, BOB)),
    model.GroupJoined(51, T, ROOM, BOB, ANA),
    model.GroupLeft(52, T, ROOM, BOB, "removed"),
]
PASSING_2: list[Passing] = [
    model.Seen(BOB),
    model.Roster((model.UserInfo(ANA, "guest", "Ana M."), model.UserInfo(BOB))),
    model.StoppingIn(30),
]
REPLIES_2: list[Reply] = [
    model.Ok(12, 41, T, (), ("Боб",), (T,), ("ana",)),
    model.Users(13, (model.UserInfo(ANA, "guest", "Ana M."),)),
    model.FileEnd(14, 1024),
    model.UdpOffer(15, 1024, 40_000),
]

# What came with the third version.
REQUESTS_3: list[Request] = [
    model.Login(25, "ana", b"", b"", True, 0, -1, "mystic", "", "", False, "correct horse", False),
    model.Edit(26, 41, "hi there"),
    model.Delete(27, 41),
    model.Announce(28, "cake in the kitchen", CID),
    model.Mark(29, "direct:3,9", 41, 40, True),
    model.GetReceipts(30, "group:17"),
    model.RenameGroup(31, "crew", "team"),
    model.HandOver(32, "crew", "Боб"),
    model.KeepGroup(33, "crew", False),
    model.DeleteGroup(34, "crew"),
    model.SetPassword(35, "correct horse"),
    model.DeleteAccount(36, "Боб"),
    model.ListDevices(37),
    model.RemoveDevice(38, b"k" * 32),
    model.SetRole(39, "Боб", "operator"),
    model.Kick(40, "Боб", "too loud"),
    model.Ban(41, "10.1.0.0/16", 3600, "too loud"),
    model.Unban(42, "10.1.0.0/16"),
    model.ListBans(43),
    model.Mute(44, "Боб", 600, "too loud"),
    model.Unmute(45, "Боб"),
    model.ListUsers(46, True),
    model.GetHistory(47, model.ToGlobal(), 0, 50, 40, 41),
    model.ListConversations(48),
    model.Search(49, 'cake "in the kit"', model.ToGroup("crew"), "Боб", T, T + 1, 41, 20),
    model.Shutdown(50, True),
]
EVENTS_3: list[Event] = [
    model.Message(53, T, ANA, model.Broadcast(), "cake", CID, 0, T, False, True),
    model.Message(54, T, ANA, ROOM, "", CID, 41, 0, True),
    model.MessageEdited(55, T, 41, ANA, model.Direct((ANA, BOB)), "hi there"),
    model.MessageDeleted(56, T, 41, BOB, ROOM),
    model.GroupLeft(57, T, ROOM, ANA, "left", BOB),
    model.GroupRenamed(58, T, ROOM, ANA, "team"),
    model.GroupHandedOver(59, T, ROOM, ANA, BOB),
    model.GroupKept(60, T, ROOM, ANA, True),
    model.GroupDeleted(61, T, ROOM, ANA),
    model.AccountClaimed(62, T, BOB, "operator", ANA),
    model.AccountDeleted(63, T, BOB, ANA),
    model.Moderated(64, T, "mute", ANA, "Боб", "too loud", T + 600_000_000),
]
PASSING_3: list[Passing] = [model.Marked("direct:3,9", BOB, 41, 40)]
REPLIES_3: list[Reply] = [
    model.Welcome(16, 77, ANA, "operator", 41, ROOM, True, "welcome, ana", True),
    model.Users(17, (model.UserInfo(BOB, "member", "", False, T, T + 1),)),
    model.History(18, (MESSAGE,), True, True),
    model.Found(19, (MESSAGE,), True, 41, False),
    model.Receipts(20, "direct:3,9", (model.Watermark(ANA, 41, 41), model.Watermark(BOB, 41, 40))),
    model.Conversations(21, (model.ConversationInfo(model.Direct((ANA, BOB)), 41, T, 40),)),
    model.Devices(22, (model.DeviceInfo(b"k" * 32, T, True),), True),
    model.Bans(23, (model.BanInfo("10.1.0.0/16", ANA, "too loud", T, model.FOR_EVER_US),), True),
]

# What came with the fourth version.
FILE_REF = model.FileRef("plan.txt", 4096, b"h" * 32, "plans/plan (1).txt")
REQUESTS_4: list[Request] = [
    model.OpenDownload(51, "", "udp", 41),
    model.OpenUpload(52, "plan.txt", 4096, b"h" * 32, "plans", model.ToUsers(("Боб",)), "the plan", CID),
    model.OpenUpload(53, "plan.txt", 4096, b"h" * 32),
    model.Store(54, b"t" * 16),
    model.CancelUpload(55, "plan.txt", b"h" * 32),
    model.WatchFolder(56, "plans", False),
]
EVENTS_4: list[Event] = [
    model.Message(65, T, ANA, model.Direct((ANA, BOB)), "the plan", CID, 0, 0, False, False, FILE_REF),
]
PASSING_4: list[Passing] = [model.FolderChanged("plans")]
REPLIES_4: list[Reply] = [
    model.Ticket(24, b"t" * 16, "plan.txt", 4096, T, b"h" * 32, model.UdpTerms(40_000, 2**32 - 1, b"s" * 32, 1168)),
    model.UploadTicket(25, b"t" * 16, 1024),
    model.Stored(26, "plans/plan (1).txt", 65),
]
GENERATIONS = [
    [*REQUESTS_2, *EVENTS_2, *PASSING_2, *REPLIES_2],
    [*REQUESTS_3, *EVENTS_3, *PASSING_3, *REPLIES_3],
    [*REQUESTS_4, *EVENTS_4, *PASSING_4, *REPLIES_4],
]
"""What each later version brought, in their order."""

REQUESTS: list[Request] = [
    model.Login(1, "ana", b"k" * 32, b"s" * 64, False, 77, 40, "mystic 0.1"),
    model.Logout(2),
    model.Post(3, model.ToGlobal(), "hi", CID, 40),
    model.Post(4, model.ToUsers(("ana", "Боб")), "psst"),
    model.Post(5, model.ToGroup("crew"), "crew only"),
    model.Post(6, model.ToGroup(), "here"),
    model.Post(7, model.ToEveryone(), "hear, hear"),
    model.CreateGroup(8, "crew", False),
    model.JoinGroup(9, "crew", False),
    model.LeaveGroup(10, "crew"),
    model.ListUsers(11),
    model.ListGroups(12),
    model.GetHistory(13, model.ToUsers(("Боб",)), 41, 50),
    model.ListFolder(14, "photos/2024"),
    model.OpenDownload(15, "photos/a b.txt"),
    model.Fetch(16, b"t" * 16, 2**40),
    model.Ping(17),
    *REQUESTS_2,
    *REQUESTS_3,
    *REQUESTS_4,
]
EVENTS: list[Event] = [
    MESSAGE,
    model.Message(42, T, BOB, model.Broadcast(), "all"),
    model.Message(43, T, ANA, model.Direct((ANA, BOB)), "psst"),
    model.Message(44, T, BOB, ROOM, "crew"),
    model.UserJoined(45, T, ANA, "member", True),
    model.UserLeft(46, T, BOB, "lost"),
    model.GroupCreated(47, T, ROOM, ANA),
    model.GroupJoined(48, T, ROOM, BOB),
    model.GroupLeft(49, T, ROOM, BOB, "kicked"),
    model.GroupDeleted(49, T, ROOM),
    *EVENTS_2,
    *EVENTS_3,
    *EVENTS_4,
]
PASSING: list[Passing] = [
    model.Hello(b"n" * 32, b"i" * 16, "Mystic", "0.1.0"),
    model.FileHashed("photos/a b.txt", 1024, T, b"h" * 32),
    model.Notice("the server stops in 3 seconds"),
    model.Bye("stopping", "the server stops"),
    *PASSING_2,
    *PASSING_3,
    *PASSING_4,
]
REPLIES: list[Reply] = [
    model.Ok(1, 41, T, ("nobody",), ("Боб",)),
    model.Refused(2, "name_in_use", "this name is in use", "ana"),
    model.Welcome(3, 77, ANA, "member", 41, ROOM, True, "welcome, ana"),
    model.Entered(4, 47, ROOM_INFO, True),
    model.Users(5, (model.UserInfo(ANA, "operator"), model.UserInfo(BOB)), True),
    model.Groups(6, (ROOM_INFO,), True),
    model.History(7, (MESSAGE, model.UserLeft(46, T, BOB, "left")), True),
    model.CatchUp((MESSAGE, model.GroupDeleted(49, T, ROOM)), 49, True),
    model.Folder(8, "photos", (FOLDER, FILE), 2, True),
    model.Ticket(9, b"t" * 16, "a b.txt", 1024, T, b"h" * 32),
    model.FileStart(10, 1024, 512),
    model.Pong(11, T),
    *REPLIES_2,
    *REPLIES_3,
    *REPLIES_4,
]
FROM_SERVER: list[FromServer] = [*EVENTS, *PASSING, *REPLIES]

texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.integers(-1, 2**63 - 1)


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of anything that the vocabulary's fields are declared as."""
    if get_origin(annotation) in (Union, UnionType):
        return st.one_of([values_of(choice) for choice in get_args(annotation)])
    if get_origin(annotation) is tuple:
        return st.lists(values_of(get_args(annotation)[0]), max_size=3).map(tuple)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return st.builds(annotation, **{name: values_of(kind) for name, kind in get_type_hints(annotation).items()})
    return {int: numbers, str: texts, bytes: st.binary(max_size=70), bool: st.booleans(), type(None): st.none()}[
        annotation
    ]


requests: st.SearchStrategy[Request] = values_of(Request)
replies: st.SearchStrategy[Reply] = values_of(Reply)
answers: st.SearchStrategy[FromServer] = values_of(FromServer)
