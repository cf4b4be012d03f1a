"""decide, of names that are somebody's: passwords, devices, roles, and giving a name up."""

from mystic_server.domain.events import AccountDeleted, DeviceRemoved, PasswordSet, RoleSet
from mystic_server.domain.refusals import Decision, nobody_called, operator_refused
from mystic_server.domain.world import Session, User, World
from mysticproto.errors import Code
from mysticproto.model import (
    MAX_PASSWORD_CHARS,
    MIN_PASSWORD_CHARS,
    DeleteAccount,
    DeviceInfo,
    Devices,
    Refused,
    RemoveDevice,
    SetRole,
)
from mysticproto.names import name_key

MAX_PASSWORD_BYTES = 512
"""As UTF-8, so that nobody makes the server hash much."""


def password_refused(n: int, name: str, password: str) -> Refused | None:
    """Whether this may not be the password of that name, and why."""
    reason = _password_fault(name, password)
    return Refused(n, Code.PASSWORD_UNFIT, reason) if reason else None


def _password_fault(name: str, password: str) -> str:
    if len(password) < MIN_PASSWORD_CHARS:
        return f"A password has at least {MIN_PASSWORD_CHARS} characters: a few words make a good one."
    if len(password) > MAX_PASSWORD_CHARS:
        return f"A password has at most {MAX_PASSWORD_CHARS} characters."
    try:
        size = len(password.encode())
    except UnicodeEncodeError:
        return "A password must be valid Unicode text."
    if size > MAX_PASSWORD_BYTES:
        return f"A password has at most {MAX_PASSWORD_BYTES} bytes as UTF-8."
    if name_key(password) == name_key(name):
        return "Your name is the first thing that others would try: take another password."
    return ""


def decide_password(world: World, session: Session, n: int, hash: str) -> Decision:
    """A password has been hashed, which took a while: it becomes that of the session's user."""
    user = world.users[session.user]
    return PasswordSet(session.id, user.id, hash, claims=not user.is_claimed)


def decide_remove_device(world: World, session: Session, request: RemoveDevice, now_us: int) -> Decision:
    user = world.users[session.user]
    refused = device_refused(user, request.n, request.key)
    return refused or DeviceRemoved(session.id, user.id, request.key)


def device_refused(user: User, n: int, key: bytes) -> Refused | None:
    """Whether a device must stay, or is none."""
    if not user.has_device(key):
        return Refused(n, Code.DEVICE_REMOVED, f"This device is none of {user.name}'s, or not any more.", user.name)
    if len(user.devices) == 1 and not user.password:
        text = f"This is the only device that proves {user.name} to be yours. Set a password first."
        return Refused(n, Code.NOT_ALLOWED, text, user.name)
    return None


def list_devices(world: World, session: Session, n: int) -> Devices:
    """Which devices prove the asker's name, the first first."""
    user = world.users[session.user]
    devices = tuple(DeviceInfo(each.key, each.added_us, each.key == session.device) for each in user.devices)
    return Devices(n, devices, bool(user.password))


def decide_delete_account(world: World, session: Session, request: DeleteAccount, now_us: int) -> Decision:
    user = world.user_named(request.name) if request.name else world.users[session.user]
    if user is None:
        return nobody_called(request.n, request.name)
    refused = deletion_refused(world.users[session.user], user, request.n)
    return refused or AccountDeleted(session.id, session.user, user.id)


def deletion_refused(author: User, user: User, n: int) -> Refused | None:
    """Whether somebody may not give up a name: it is theirs, or they are an operator and it is no other operator's."""
    if user.is_gone:
        return Refused(n, Code.ACCOUNT_DELETED, f"The account {user.name} is deleted already.", user.name)
    if author is user:
        return None
    if refused := operator_refused(author, n):
        return refused
    if user.role == "operator":
        text = f"{user.name} is an operator. Make them a member first."
        return Refused(n, Code.NOT_ALLOWED, text, user.name)
    return None


def decide_role(world: World, session: Session, request: SetRole, now_us: int) -> Decision:
    n, author = request.n, world.users[session.user]
    if refused := operator_refused(author, n):
        return refused
    if request.role not in ("operator", "member"):
        return Refused(n, Code.MALFORMED, "A role is “operator” or “member”.")
    user = world.user_named(request.name)
    if user is None:
        return nobody_called(n, request.name)
    if refused := role_refused(user, n):
        return refused
    if user.role == request.role:
        article = "an" if request.role == "operator" else "a"
        return Refused(n, Code.NOT_ALLOWED, f"{user.name} is {article} {request.role} already.", user.name)
    return RoleSet(session.id, author.id, user.id, request.role)


def role_refused(user: User, n: int) -> Refused | None:
    """Whether nobody can be given a role by this name."""
    if user.is_gone:
        return Refused(n, Code.ACCOUNT_DELETED, f"The account {user.name} is deleted.", user.name)
    if not user.is_claimed:
        text = f"{user.name} is a guest. The name must be theirs before they can be given a role."
        return Refused(n, Code.NOT_ALLOWED, text, user.name)
    return None
