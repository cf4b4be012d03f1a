"""Sample conversations, people and files for the pictures of the client."""

from __future__ import annotations

from mystic_client.model.transfer import Transfer
from mystic_client.session.secure import Security
from mysticproto.model import (
    Broadcast,
    Event,
    FolderEntry,
    Global,
    Group,
    GroupCreated,
    GroupInfo,
    GroupJoined,
    Message,
    UserJoined,
    UserLeft,
    UserRef,
)
from tests.support.fake_session import ANA, BOB, DEV, EVA, MINUTE_US, NOON_US, OWN, FakeServer, between, said

MAX, MIRA, TOM = UserRef(5, "max"), UserRef(6, "mira"), UserRef(7, "tom")
RELEASE = Group(8, "release-party")
HOUR = 60


def sample_server() -> FakeServer:
    """A server on an ordinary afternoon."""
    server = FakeServer()
    server.security = Security(":".join(["5e"] * 32))
    server.users = [OWN, ANA, BOB, EVA, MAX, MIRA]
    server.groups = [
        GroupInfo(DEV, ANA, (ANA, BOB, OWN), kept=True),
        GroupInfo(RELEASE, MIRA, (MIRA, MAX)),
    ]
    server.past = {"global": conversation()}
    server.hits = [event for event in conversation() if isinstance(event, Message)]
    server.upto = 18
    server.folders = {
        "": [
            FolderEntry("Guides", "folder", 0, NOON_US - 3 * 1440 * MINUTE_US, 4),
            FolderEntry("Pictures", "folder", 0, NOON_US - 9 * 1440 * MINUTE_US, 128),
            FolderEntry("Recordings", "folder", 0, NOON_US - 90 * MINUTE_US, 12),
            FolderEntry("board-meeting.mp4", "file", 1_288_490_188, NOON_US - 30 * 1440 * MINUTE_US),
            FolderEntry("README.txt", "file", 1_312, NOON_US - 200 * 1440 * MINUTE_US),
            FolderEntry("release-notes.md", "file", 18_733, NOON_US - 40 * MINUTE_US),
            FolderEntry("mystic-0.1.0.tar.gz", "file", 412_876, NOON_US - 25 * MINUTE_US),
            FolderEntry("photos-of-the-party.zip", "file", 734_003_200, NOON_US - 2 * 1440 * MINUTE_US),
        ]
    }
    return server


def conversation() -> list[Event]:
    """What was said to everybody, yesterday and today."""
    y = -20 * HOUR
    return [
        said(1, MIRA, "Backups ran through. 412 GiB, no errors.", minute=y),
        said(2, TOM, "Nice. I'll look at the old disks tomorrow.", minute=y + 3),
        UserLeft(3, NOON_US + (y + 9) * MINUTE_US, TOM, "left"),
        UserJoined(4, NOON_US - 55 * MINUTE_US, ANA),
        said(5, ANA, "Good afternoon! The new build is in the shared folder.", minute=-52),
        said(6, ANA, "Release notes too, have a look: https://mystic.example/notes/0.1.0", minute=-51),
        said(7, BOB, "Fetching it now. 🎉", minute=-49),
        said(
            8, OWN, "Works here. Started it on the old laptop as well, and it comes up in under a second.", minute=-41
        ),
        said(
            9,
            EVA,
            "One question about the log: is the number in front the same for everybody? I'd like to point at a line "
            "in a bug report and be sure that you all look at the same one.",
            minute=-33,
        ),
        said(10, ANA, "Yes. Every event has one number, and everybody sees it under that number.", minute=-31),
        UserLeft(11, NOON_US - 29 * MINUTE_US, MAX, "lost"),
        UserJoined(12, NOON_US - 28 * MINUTE_US, MAX, "guest", True),
        said(13, MAX, "Sorry, train. Nothing lost on my side though, it all came back by itself.", minute=-27),
        said(14, BOB, 'def greet(name):\n    return f"Hello, {name}!"\n\nprint(greet("mystic"))', minute=-21),
        said(15, EVA, "@zoe could you check the German texts before five?", minute=-12),
        said(16, OWN, "On it.", minute=-11),
        Message(
            17, NOON_US - 4 * MINUTE_US, MIRA, Broadcast(), "The server moves to the new machine at 18:00. Two minutes."
        ),
        said(18, BOB, "Thanks for the warning!", minute=-2),
    ]


def later() -> list[Event]:
    """What came in other conversations meanwhile."""
    return [
        GroupCreated(20, NOON_US, RELEASE, MIRA),
        GroupJoined(21, NOON_US, RELEASE, MAX),
        said(22, ANA, "Do you have a minute?", between(ANA)),
        said(23, BOB, "I pushed the fix.", DEV),
        said(24, ANA, "Reviewing.", DEV),
        said(25, EVA, "Lunch tomorrow, the three of us?", between(EVA, BOB)),
    ]


def answers() -> list[Event]:
    """Answers, an edit, a deletion and an announcement."""
    return [
        Message(20, NOON_US, ANA, Global(), "The third one is mine, I'll write it tonight.", reply_to=15),
        Message(21, NOON_US, OWN, Global(), "They are all checked now, and fixed.", reply_to=15, edited_us=NOON_US),
        Message(22, NOON_US, TOM, Global(), "", deleted=True),
        Message(23, NOON_US, MIRA, Broadcast(), "Old logs are deleted on Friday.", announcement=True),
        Message(24, NOON_US, EVA, Global(), "Good to know.", reply_to=23),
        Message(25, NOON_US, BOB, Global(), "Then I'll save mine today."),
    ]


def transfers() -> list[Transfer]:
    """What is on its way, and what was."""
    mib, here = 1024**2, "~/Downloads/Mystic/zoe"
    return [
        Transfer(1, "README.txt", "done", 1_312, 1_312, saved_to=here, whither=f"{here}/README.txt", verified=True),
        Transfer(
            2,
            "Guides",
            "failed",
            9 * mib,
            mib,
            error="1 of 4 files failed; Guides/setup.pdf: the disk is full",
            kind="folder",
            files=4,
            files_done=3,
        ),
        Transfer(3, "board-meeting.mp4", "paused", 1_288_490_188, 402 * mib, over="udp"),
        Transfer(
            4,
            "minutes-of-the-meeting.pdf",
            "running",
            18 * mib,
            4 * mib,
            1.2 * mib,
            11.7,
            kind="upload",
            whither="to # dev",
        ),
        Transfer(5, "photos-of-the-party.zip", "running", 700 * mib, 441 * mib, 38.4 * mib, 6.8),
    ]
