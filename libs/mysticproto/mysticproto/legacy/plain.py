"""Plain sentences for what an older program has no words of its own for."""

from mysticproto.model import (
    Broadcast,
    Direct,
    Event,
    Global,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupJoined,
    GroupLeft,
    Message,
    StoppingIn,
    UserJoined,
    UserLeft,
)


def sentence(event: Event) -> str:
    """What happened, in one sentence; for a message who said it where, and the text."""
    match event:
        case Message(author=author, text=text):
            return f"{author.name}: {text_in_place(event)}" if text else author.name
        case UserJoined(user=user):
            return f"{user.name} has joined"
        case UserLeft(user=user):
            return f"{user.name} has left"
        case GroupCreated(group=group, by=by):
            return f"{by.name} has created the group {group.name}"
        case GroupJoined(group=group, user=user):
            return f"{user.name} has joined the group {group.name}"
        case GroupLeft(group=group, user=user):
            return f"{user.name} has left the group {group.name}"
        case GroupDeleted(group=group):
            return f"The group {group.name} is gone"


def text_in_place(message: Message) -> str:
    """A message's text behind the name of its group, if it was said in one."""
    match message.conversation:
        case Group(name=name):
            return f"[{name}] {message.text}"
        case Global() | Broadcast() | Direct():
            return message.text


def stopping(passing: StoppingIn) -> str:
    """The countdown."""
    return f"The server stops in {passing.seconds} second{'' if passing.seconds == 1 else 's'}."
