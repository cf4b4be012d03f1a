"""apply: (world, committed event) -> what is said to whom. The only place that changes the world.

Total and deterministic: whatever the log holds can be applied, on every node with the same outcome. Of two events
that can't both hold the earlier one wins, and the later yields a refusal to its asker. An event whose session is gone
by then changes nothing.
"""

from mystic_server.domain.apply_groups import group_created, group_entered, group_exited, member_added, member_removed
from mystic_server.domain.apply_people import joined, left, linger_ended, node_started
from mystic_server.domain.apply_posts import posted
from mystic_server.domain.events import (
    Committed,
    GroupCreated,
    GroupEntered,
    GroupExited,
    Joined,
    Left,
    LingerEnded,
    MemberAdded,
    MemberRemoved,
    NodeStarted,
    Posted,
)
from mystic_server.domain.outcome import Applied
from mystic_server.domain.world import World


def apply(world: World, committed: Committed) -> Applied:
    """Changes the world and says what follows."""
    world.applied = committed.seq
    match committed.event:
        case Posted() as event:
            return posted(world, committed.seq, committed.time_us, event)
        case Joined() as event:
            return joined(world, committed.seq, committed.time_us, event)
        case Left() as event:
            return left(world, committed.seq, committed.time_us, event)
        case LingerEnded(session):
            return linger_ended(world, committed.seq, committed.time_us, session)
        case GroupCreated() as event:
            return group_created(world, committed.seq, committed.time_us, event)
        case GroupEntered() as event:
            return group_entered(world, committed.seq, committed.time_us, event)
        case GroupExited() as event:
            return group_exited(world, committed.seq, committed.time_us, event)
        case MemberAdded() as event:
            return member_added(world, committed.seq, committed.time_us, event)
        case MemberRemoved() as event:
            return member_removed(world, committed.seq, committed.time_us, event)
        case NodeStarted(node, epoch):
            return node_started(world, committed.time_us, node, epoch)
