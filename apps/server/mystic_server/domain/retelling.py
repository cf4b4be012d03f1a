"""retell: a stored event in the words in which it was said, for history, catch-up and search.

Names are as they are now; whoever is not remembered any more is told as `world.FORGOTTEN`. A message is told as it is
now, edited or deleted; what has been deleted is not said again in any way, so an edit of it is told no more.
"""

from mystic_server.domain import events
from mystic_server.domain.apply_posts import file_ref
from mystic_server.domain.events import BROADCAST, GLOBAL, Committed
from mystic_server.domain.world import World
from mysticproto import model


def retell(world: World, committed: Committed) -> model.Event | None:
    """What was told of this event; None for what nobody was told."""
    match committed.event:
        case events.Posted() as posted:
            return _message(world, committed, posted)
        case events.Edited() | events.Deleted() as amended:
            return _amendment(world, committed, amended)
        case events.Joined() | events.Left() as passage:
            return _passage(world, committed, passage)
        case events.GroupCreated() as created:
            return _group_created(world, committed, created)
        case events.MemberAdded() | events.MemberRemoved() | events.GroupEntered() | events.GroupExited() as changed:
            return _membership(world, committed, changed)
        case events.GroupRenamed() | events.GroupHandedOver() | events.GroupKept() as changed:
            return _group_changed(world, committed, changed)
        case _:
            return _order_kept(world, committed)


def _message(world: World, committed: Committed, posted: events.Posted) -> model.Message | None:
    seq, now = committed.seq, committed.amended
    conversation = conversation_of(world, posted)
    if conversation is None:
        return None
    deleted = seq in world.recently_deleted or (now is not None and now.deleted)
    text = "" if deleted else now.text if now else posted.text
    return model.Message(
        seq,
        committed.time_us,
        world.ref_of(posted.author),
        conversation,
        text,
        posted.cid,
        posted.reply_to,
        edited_us=now.time_us if now and not deleted else 0,
        deleted=deleted,
        announcement=posted.announcement,
        file=None if deleted else file_ref(posted.file),
    )


def _amendment(world: World, committed: Committed, event: events.Edited | events.Deleted) -> model.Event | None:
    seq, time_us, now = committed.seq, committed.time_us, committed.amended
    conversation, who = conversation_of(world, event), world.ref_of(event.author)
    if conversation is None:
        return None
    if isinstance(event, events.Deleted):
        return model.MessageDeleted(seq, time_us, event.message, who, conversation)
    if not event.text or event.message in world.recently_deleted or (now and now.deleted):
        return None
    return model.MessageEdited(seq, time_us, event.message, who, conversation, event.text)


def _passage(world: World, committed: Committed, event: events.Joined | events.Left) -> model.Event | None:
    seq, time_us = committed.seq, committed.time_us
    who = world.users.get(event.user or seq)
    if event.quiet or who is None:
        return None
    if isinstance(event, events.Joined):
        return model.UserJoined(seq, time_us, who.ref, who.role)
    return model.UserLeft(seq, time_us, who.ref, event.cause)


def _group_created(world: World, committed: Committed, event: events.GroupCreated) -> model.Event | None:
    group, who = world.groups.get(committed.seq), world.users.get(event.author)
    if group is None or who is None:
        return None
    added = [world.users[id].ref for id in event.members if id in world.users]
    members = (who.ref, *added) if added else ()
    return model.GroupCreated(committed.seq, committed.time_us, model.Group(group.id, event.name), who.ref, members)


def _membership(
    world: World,
    committed: Committed,
    event: events.MemberAdded | events.MemberRemoved | events.GroupEntered | events.GroupExited,
) -> model.Event | None:
    seq, time_us = committed.seq, committed.time_us
    group, by = world.groups.get(event.group), world.users.get(event.author)
    if group is None or by is None:
        return None
    match event:
        case events.GroupEntered():
            return model.GroupJoined(seq, time_us, group.ref, by.ref)
        case events.GroupExited(heir=heir):
            owner = world.users.get(heir)
            return model.GroupLeft(seq, time_us, group.ref, by.ref, owner=owner.ref if owner else None)
        case events.MemberAdded(user=id) if who := world.users.get(id):
            return model.GroupJoined(seq, time_us, group.ref, who.ref, by.ref)
        case events.MemberRemoved(user=id) if who := world.users.get(id):
            return model.GroupLeft(seq, time_us, group.ref, who.ref, "removed")
    return None


def _group_changed(
    world: World, committed: Committed, event: events.GroupRenamed | events.GroupHandedOver | events.GroupKept
) -> model.Event | None:
    seq, time_us = committed.seq, committed.time_us
    group, by = world.groups.get(event.group), world.users.get(event.author)
    if group is None or by is None:
        return None
    match event:
        case events.GroupRenamed(name=name, old=old):
            return model.GroupRenamed(seq, time_us, model.Group(group.id, name), by.ref, old)
        case events.GroupKept(kept=kept):
            return model.GroupKept(seq, time_us, group.ref, by.ref, kept)
        case events.GroupHandedOver(user=id) if owner := world.users.get(id):
            return model.GroupHandedOver(seq, time_us, group.ref, by.ref, owner.ref)
    return None


def _order_kept(world: World, committed: Committed) -> model.Event | None:
    """What happened to names and to those who have them. Of addresses that are kept out only operators hear, live."""
    seq, time_us = committed.seq, committed.time_us
    match committed.event:
        case events.AccountDeleted(author=author, user=id) if who := world.users.get(id):
            by = world.users.get(author) if author != id else None
            return model.AccountDeleted(seq, time_us, who.ref, by.ref if by else None)
        case events.PasswordSet(user=id, claims=True) if who := world.users.get(id):
            return model.AccountClaimed(seq, time_us, who.ref, "member")
        case events.RoleSet(author=author, user=id, role=role) if who := world.users.get(id):
            by = world.users.get(author)
            return model.AccountClaimed(seq, time_us, who.ref, role, by.ref if by else None)
        case events.Kicked() | events.Banned() | events.Unbanned() | events.Muted() as event:
            return _moderated(world, committed, event)
    return None


def _moderated(
    world: World,
    committed: Committed,
    event: events.Kicked | events.Banned | events.Unbanned | events.Muted,
) -> model.Moderated | None:
    by = world.users.get(event.author)
    target = event.target if isinstance(event, events.Banned | events.Unbanned) else _name(world, event.user)
    if by is None or not target or "/" in target:
        return None
    act, reason, until_us = _act(event)
    return model.Moderated(committed.seq, committed.time_us, act, by.ref, target, reason, until_us)


def _act(event: events.Kicked | events.Banned | events.Unbanned | events.Muted) -> tuple[str, str, int]:
    """What was done, why, and until when."""
    match event:
        case events.Kicked(reason=reason):
            return "kick", reason, 0
        case events.Banned(reason=reason, until_us=until_us):
            return "ban", reason, until_us
        case events.Unbanned():
            return "unban", "", 0
        case events.Muted(reason=reason, until_us=until_us):
            return ("mute" if until_us else "unmute"), reason, until_us


def _name(world: World, id: int) -> str:
    return world.users[id].name if id in world.users else ""


def conversation_of(world: World, event: events.Posted | events.Edited | events.Deleted) -> model.Conversation | None:
    """Where a message was said; None if it was in a group that is gone."""
    if event.conversation == GLOBAL:
        return model.Global()
    if event.conversation == BROADCAST:
        return model.Broadcast()
    if event.users:
        return model.Direct(tuple(map(world.ref_of, event.users)))
    group = world.group_of(event.conversation)
    return group.ref if group else None
