"""`mystic edit`, `delete`, `receipts`: messages that were sent, by their number."""

from mystic_client.cli.output import show
from mystic_client.cli.status import Failure, Status
from mystic_client.cli.visit import Place, Visit, visiting
from mysticproto import model
from mysticproto.model import Direct, Group, ToGroup, ToUsers, conversation_key
from mysticproto.names import name_key


async def edit(place: Place, message: int, text: str) -> None:
    """Puts another text in the place of one's own message."""
    async with visiting(place) as visit:
        await visit.ask(lambda n: model.Edit(n, message, text))


async def delete(place: Place, message: int) -> None:
    """Takes a message away."""
    async with visiting(place) as visit:
        await visit.ask(lambda n: model.Delete(n, message))


async def receipts(place: Place, of: ToGroup | ToUsers) -> None:
    """One member a line: name, number up to which they have received, number up to which they have read."""
    async with visiting(place) as visit:
        marks = await marks_of(visit, of)
    show(f"{mark.user.name}  delivered {mark.delivered}  read {mark.read}" for mark in marks)


async def marks_of(visit: Visit, of: ToGroup | ToUsers) -> tuple[model.Watermark, ...]:
    """How far the people of one conversation have got."""
    key = await _key(visit, of)
    answer = await visit.ask(lambda n: model.GetReceipts(n, key))
    return answer.marks if isinstance(answer, model.Receipts) else ()


async def _key(visit: Visit, of: ToGroup | ToUsers) -> str:
    """A conversation's key, from the list of the user's own."""
    answer = await visit.ask(model.ListConversations)
    for info in answer.conversations if isinstance(answer, model.Conversations) else ():
        if _is_meant(info.conversation, of, visit.own_name):
            return conversation_key(info.conversation)
    raise Failure(Status.REFUSED, "you have no such conversation")


def _is_meant(conversation: model.Conversation, of: ToGroup | ToUsers, own_name: str) -> bool:
    match conversation, of:
        case Group(name=name), ToGroup(wanted):
            return name_key(name) == name_key(wanted)
        case Direct(users), ToUsers(names):
            return {name_key(user.name) for user in users} == {name_key(name) for name in (*names, own_name)}
    return False
