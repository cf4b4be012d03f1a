"""What owners and operators type in `mystic chat`, as requests."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from mystic_client.model import keeping
from mysticproto import model

Make: TypeAlias = Callable[[int], model.Request]


def of_group(command: keeping.OfGroup, group: str) -> Make:
    """About a group."""
    match command:
        case keeping.Add(name):
            return partial(model.AddMember, group=group, name=name)
        case keeping.Remove(name):
            return partial(model.RemoveMember, group=group, name=name)
        case keeping.Rename(name):
            return partial(model.RenameGroup, group=group, name=name)
        case keeping.HandOver(name):
            return partial(model.HandOver, group=group, name=name)
        case keeping.Keep(kept):
            return partial(model.KeepGroup, group=group, kept=kept)
        case keeping.DeleteGroup():
            return partial(model.DeleteGroup, group=group)


def of_peace(command: keeping.OfPeace) -> Make:
    """About the peace."""
    match command:
        case keeping.Kick(name, reason):
            return partial(model.Kick, name=name, reason=reason)
        case keeping.Ban(target, seconds, reason):
            return partial(model.Ban, target=target, seconds=seconds, reason=reason)
        case keeping.Unban(target):
            return partial(model.Unban, target=target)
        case keeping.Bans():
            return model.ListBans
        case keeping.Mute(name, seconds, reason):
            return partial(model.Mute, name=name, seconds=seconds, reason=reason)
        case keeping.Unmute(name):
            return partial(model.Unmute, name=name)
        case keeping.SetRole(name, role):
            return partial(model.SetRole, name=name, role=role)
        case keeping.Announce(text):
            return partial(model.Announce, text=text)
        case keeping.Shutdown(cancel):
            return partial(model.Shutdown, cancel=cancel)
