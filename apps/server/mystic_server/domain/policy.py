"""What may be asked when, and what it costs: tables that the gateway reads before anything is decided."""

from typing import Final

from mysticproto import model

BEFORE_LOGIN: Final = frozenset({model.Login, model.Ping, model.Fetch, model.Store})
"""Requests that a connection without a name may make; everything else is refused with not_logged_in."""

BARRIERS: Final = frozenset(
    {
        model.Login,
        model.Logout,
        model.CreateGroup,
        model.JoinGroup,
        model.LeaveGroup,
        model.AddMember,
        model.RemoveMember,
        model.RenameGroup,
        model.HandOver,
        model.KeepGroup,
        model.DeleteGroup,
        model.SetPassword,
        model.RemoveDevice,
        model.DeleteAccount,
        model.SetRole,
        model.Kick,
        model.Ban,
        model.Unban,
        model.Mute,
        model.Unmute,
    }
)
"""Requests that change more than a timeline: the session's next request waits until they are applied."""

LONG_ANSWERS: Final = frozenset(
    {
        model.GetHistory,
        model.ListFolder,
        model.Search,
        model.ListConversations,
        model.ListUsers,
        model.ListGroups,
        model.Edit,
        model.Delete,
        model.OpenDownload,
        model.WatchFolder,
    }
)
"""Requests for which something is looked up, or whose answer comes in parts: a session's next one waits for its end."""

MAX_SESSIONS_PER_USER: Final = 10
MAX_GROUPS: Final = 10_000
MAX_GROUPS_JOINED: Final = 100
MAX_GROUPS_OWNED: Final = 15
MAX_GROUPS_OF_GUESTS: Final = 200
"""Kept groups that guests own, all together: a name costs nothing, and such a group stays when its owner is gone."""
MAX_GROUP_MEMBERS: Final = 1_000
MAX_USERS: Final = 200_000
"""Names that the server knows; when there are so many, guests are forgotten (`forgetting.py`)."""
MAX_NO_MORE: Final = 100_000
"""Names that are no more, since they were forgotten or deleted, and whose owners said something perhaps."""
MAX_REQUEST_NUMBER: Final = 2**63 - 1
LINGER_US: Final = 60_000_000
"""How long a lost native session keeps its room and focus."""
AWAY_NAMED: Final = 10
"""Of those who are away, the last seen that the author of a global message is told of."""
AWAY_LISTED: Final = 1_000
"""Of those who are away, the last seen that the list of known users has."""
AWAY_LOOKED_AT: Final = 20_000
"""Of those who are away, the last seen among whom that list looks for names that are somebody's."""
MAX_BANS: Final = 1_000
MAX_DEVICES: Final = 30
"""Keys that prove one name."""
MAX_WAITING: Final = 1_000
"""Direct messages that are kept for somebody who is away."""
MAX_WAITING_OF_ONE: Final = 200
"""Of them, those of one sender."""
MAX_WAITING_BYTES: Final = 4 * 1024 * 1024
"""Their texts together, as UTF-8."""
MAX_DELETED_REMEMBERED: Final = 1_000
"""Numbers of deleted messages, so that an edit which was already on its way changes nothing."""
MAX_WATERMARKS: Final = 200_000
"""How far somebody has got in a conversation: so many of these are kept."""
MAX_WATERMARKS_OF_ONE: Final = 1_000
"""Of them, those of one user: anybody can mark any number of conversations, since nothing need be said in them."""
LIST_PART: Final = 500
"""Lines in one part of a list's answer; the next part is made when this one has left."""
