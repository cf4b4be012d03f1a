"""Login: who somebody is. Keys and passwords are proven here; who may have which name is the domain's to say.

A device that is known to the name proves it by its key, and no password is looked at: so nobody can lock others out by
guessing theirs. Otherwise a password is checked in a process of its own. An unknown name, one without a password and a
wrong one take the same way and time, and get the same answer, which is held back longer with every failure.
"""

import math
import secrets
from collections.abc import Collection
from functools import partial

from msgspec.structs import replace

from mystic_server.accounts.passwords import UNAVAILABLE, Outcome, Passwords
from mystic_server.accounts.throttle import Throttle, place_of
from mystic_server.domain.decide import Newcomer, decide_end, decide_login
from mystic_server.domain.decide_accounts import decide_password, password_refused
from mystic_server.domain.decide_moderation import address_is_banned, banned_text
from mystic_server.domain.events import PasswordSet, RoleSet
from mystic_server.domain.queries import last_here
from mystic_server.domain.refusals import shown
from mystic_server.domain.world import User
from mystic_server.hub.auth import proves_key
from mystic_server.hub.desk import Desk
from mystic_server.hub.house import House, Identity, now_us
from mystic_server.hub.past import Past
from mystic_server.hub.sessions import Peer
from mysticproto.errors import Code
from mysticproto.model import Bye, Login, Logout, Ok, Refused, Reply, Request, SetPassword, Welcome
from mysticproto.names import USER_NAME_LIMITS, name_key

MAX_FAILED_LOGINS = 8
"""Of one connection, whatever the reason."""
PAIRED = "paired"
"""`Welcome.text` for the second connection of a session."""
_REPORTED = {
    Code.BAD_SIGNATURE: "bad signature",
    Code.BANNED: "banned",
    Code.NAME_CLAIMED: "the name is another's",
    Code.TOO_MANY_ATTEMPTS: "too many attempts",
    Code.WRONG_PASSWORD: "wrong password",
}
_LONGEST_NAME = USER_NAME_LIMITS[1]
_WRONG = "This isn't the name's password, or the name has none."
_UNENCRYPTED = "This server takes passwords over encrypted connections only."


class Logins:
    """See the module."""

    def __init__(
        self, desk: Desk, identity: Identity, house: House, passwords: Passwords, throttle: Throttle, past: Past
    ) -> None:
        self._desk = desk
        self._world = desk.world
        self._identity = identity
        self._house = house
        self._passwords = passwords
        self._throttle = throttle
        self._past = past

    # Coming in.

    def log_in(self, peer: Peer, request: Login) -> None:
        """Takes a name."""
        n = request.n
        if peer.session:
            self._desk.answer_now(peer, request, Refused(n, Code.ALREADY_LOGGED_IN, "You are logged in already."))
        elif request.pair and (first := self._unpaired(peer, request.name)):
            self._pair(first, peer, request)
        elif request.key and not self._proves_key(peer, request):
            self._fail(peer, request, Refused(n, Code.BAD_SIGNATURE, "The signature is not this key's."))
        elif request.password and self._is_overheard(peer):
            self._fail(peer, request, Refused(n, Code.TLS_REQUIRED, _UNENCRYPTED))
        elif request.password and not self._is_proven_by_key(request):
            self._check_password(peer, request)
        else:
            self._decide(peer, request)

    def log_out(self, peer: Peer, request: Logout) -> None:
        """Leaves."""
        session = self._world.sessions[peer.session]
        if peer.is_second and peer.other:
            self._desk.peers.release(peer.other)
        self._desk.peers.release(peer)
        self._desk.ending.add(session.id)
        self._desk.propose(peer, request, decide_end(self._world, session, "left", self._desk.ending))

    def _decide(self, peer: Peer, request: Login, checked: str = "", renewed: str = "") -> None:
        """`checked`: the hash that proved the password, if one did; `renewed`: a better one of the same password."""
        me, now, key = self._identity, self._desk.clock.now, request.key
        wait_s = self._throttle.registration_wait_s(peer.host, now) if self._claims(request) else 0.0
        if wait_s and self._house.rules.claimed_only:
            self._fail(peer, request, _too_many(request.n, "New names", wait_s))
            return
        if wait_s:
            key = b""  # the name stays a guest's until a later login
        session, is_local = secrets.randbits(62) + 1, place_of(peer.host).is_here
        newcomer = Newcomer(session, key, True, me.node, me.epoch, bool(checked), peer.host, is_local)
        decision = decide_login(self._world, request, newcomer, self._desk.ending, self._house.rules, now_us())
        if isinstance(decision, Refused):
            self._fail(peer, request, decision)
            return
        if key and self._claims(request):
            self._throttle.registered(peer.host, now)
        self._desk.fanout.propose(decision, now_us(), peer, request)
        if renewed and (user := self._user_named(request.name)):
            self._desk.fanout.propose(PasswordSet(session, user.id, renewed, replaces=checked), now_us())

    def _fail(self, peer: Peer, request: Login, refused: Refused) -> None:
        if refused.code in _REPORTED:
            self._desk.witness.login_failed(peer.connection, shown(request.name), _REPORTED[Code(refused.code)])
        self._desk.answer_now(peer, request, refused)
        peer.failed_logins += 1
        if refused.code == Code.BANNED:
            peer.end(Bye(refused.code, refused.text))
        elif peer.failed_logins >= MAX_FAILED_LOGINS:
            peer.end(Bye(Code.LIMIT_REACHED, "Too many attempts to log in."))

    def _claims(self, request: Login) -> bool:
        """Whether this would make a name somebody's that is nobody's."""
        user = self._user_named(request.name)
        return bool(request.key) and not (user and user.is_claimed)

    # Passwords.

    def _is_overheard(self, peer: Peer) -> bool:
        """Whether a secret must not be said on this connection."""
        is_safe = peer.connection.is_secure or place_of(peer.host).is_here
        return self._house.encrypts_passwords and not is_safe

    def _proves_key(self, peer: Peer, request: Login) -> bool:
        fingerprint = self._identity.fingerprint if peer.connection.is_secure else ""
        return proves_key(request, peer.nonce, self._identity.server_id, fingerprint)

    def _is_proven_by_key(self, request: Login) -> bool:
        user = self._user_named(request.name)
        return bool(user and request.key and user.has_device(request.key))

    def _check_password(self, peer: Peer, request: Login) -> None:
        if len(request.name) > _LONGEST_NAME:
            self._decide(peer, request)  # which has a sentence for it
            return
        account, now = name_key(request.name), self._desk.clock.now
        if wait_s := self._throttle.wait_s(peer.host, account, now):
            self._fail(peer, request, _too_many(request.n, "Passwords", wait_s))
            return
        self._throttle.tried(peer.host, account, now)
        user = self._user_named(request.name)
        hash = user.password if user else ""
        self._passwords.verify(hash, request.password, partial(self._checked, peer, request, hash))

    def _checked(self, peer: Peer, request: Login, hash: str, outcome: Outcome) -> None:
        host, account, now = peer.host, name_key(request.name), self._desk.clock.now
        user = self._user_named(request.name)
        if outcome.code:
            self._throttle.not_checked(host, account, now)
            self._desk.answer_now(peer, request, Refused(request.n, outcome.code, UNAVAILABLE))
        elif not outcome.is_right or user is None or user.password != hash:  # it may have changed meanwhile
            peer.failed_passwords += 1
            delay_s = 2.0 ** (peer.failed_passwords - 1)
            self._desk.clock.call_later(delay_s, partial(self._was_wrong, peer, request))
        else:
            self._throttle.succeeded(host, account, now)
            if peer.connection.is_open:
                self._decide(peer, request, hash, outcome.hash)

    def _was_wrong(self, peer: Peer, request: Login) -> None:
        self._fail(peer, request, Refused(request.n, Code.WRONG_PASSWORD, _WRONG, shown(request.name)))
        if peer.failed_passwords >= self._house.password_failures:
            peer.end(Bye(Code.TOO_MANY_ATTEMPTS, "Too many wrong passwords."))

    def set_password(self, peer: Peer, request: SetPassword) -> None:
        """Hashes a new password, which then becomes the name's."""
        n, user = request.n, self._world.users[peer.user]
        wait_s = 0.0 if user.is_claimed else self._throttle.registration_wait_s(peer.host, self._desk.clock.now)
        if self._is_overheard(peer):
            self._desk.answer_now(peer, request, Refused(n, Code.TLS_REQUIRED, _UNENCRYPTED))
        elif refused := password_refused(n, user.name, request.password):
            self._desk.answer_now(peer, request, refused)
        elif wait_s:
            self._desk.answer_now(peer, request, _too_many(n, "New names", wait_s))
        else:
            self._passwords.hash(request.password, partial(self._hashed, peer, request))

    def _hashed(self, peer: Peer, request: SetPassword, outcome: Outcome) -> None:
        session = self._desk.session_of(peer)
        if session is None:
            return
        if outcome.code:
            self._desk.answer_now(peer, request, Refused(request.n, outcome.code, UNAVAILABLE))
            return
        if not self._world.users[session.user].is_claimed:
            self._throttle.registered(peer.host, self._desk.clock.now)
        self._desk.propose(peer, request, decide_password(self._world, session, request.n, outcome.hash))

    # What came of it.

    def answered(self, peer: Peer, request: Request, reply: Reply) -> bool:
        """Hears what the log made of a request; whether it has been answered with that."""
        match request, reply:
            case Login(), Welcome():
                self._welcome(peer, request, reply)
                return True
            case Login(pair=True), _ if first := self._unpaired(peer, request.name):
                self._pair(first, peer, request)  # both had asked at once
                return True
            case SetPassword(), Ok():
                self._keep_operator(self._world.users[peer.user])
        return False

    def _welcome(self, peer: Peer, request: Login, welcome: Welcome) -> None:
        user = self._world.users[welcome.user.id]
        if not peer.connection.is_open:
            self._desk.end_session(welcome.session, "lost")
            return
        if user.role != "operator" and (ban := address_is_banned(self._world, peer.host, now_us())):
            # It came between the decision and now, and has ended only those who had been let in.
            self._fail(peer, request, Refused(request.n, Code.BANNED, banned_text(ban, now_us()), user.name))
            self._desk.end_session(welcome.session, "kicked")
            return
        peer.user, peer.name = user.id, user.name
        peer.shares_read = request.shares_read
        after, waiting = self._behind(request, user, welcome.session)
        is_behind = 0 <= after < welcome.upto and (after > 0 or not waiting)
        text = f"Welcome to {self._identity.name}, {peer.name}! Type 'mystic help' for commands."
        if request.key and not user.is_claimed:
            text += " The name is not yours yet: too many new names came from your network. Log in again later."
        peer.answer(request, replace(welcome, catching_up=is_behind, text=text))
        self._desk.peers.bind(peer, welcome.session)
        if is_behind:
            self._past.catch_up(peer, after, welcome.upto, waiting)
        self._keep_operator(user)

    def _behind(self, request: Login, user: User, session: int) -> tuple[int, str]:
        """The number after which a login has missed something, and what of that waits for it (see `Login.waiting`).

        A device that starts afresh gets what waited for its user. Having been here doesn't mean to have got that: the
        connection may have broken before. So what counts is what devices have confirmed, if they do so at all.
        """
        if request.waiting or not self._is_fresh(request):
            return (last_here(user) if request.waiting else request.after), request.waiting
        if not user.is_claimed and self._world.watching(user.id) != [session]:
            return request.after, ""
        return self._past.confirmed(user), "direct"

    def _is_fresh(self, request: Login) -> bool:
        """Whether a device has nothing of the past and wants none of it but what waited for its user."""
        return request.watch and request.after < 0 and not request.pair

    # The operators that the command line names.

    def keep_operators(self) -> None:
        """At the start: the role of those that the settings name."""
        for user in list(self._world.users.values()):
            self._keep_operator(user)

    def _keep_operator(self, user: User) -> None:
        if user.is_claimed and not user.is_operator and name_key(user.name) in self._house.rules.operators:
            self._desk.fanout.propose(RoleSet(0, 0, user.id, "operator"), now_us())

    # Sessions of two connections.

    def _unpaired(self, peer: Peer, name: str) -> Peer | None:
        """A peer of the same kind, host and name that has no second connection yet; a claimed name needs its key.

        Of a wire that knows no second one nobody has a claim to a guest's session.
        """
        user = self._user_named(name) if peer.wire.pairs else None
        sessions: Collection[int] = self._world.watching(user.id) if user and not user.is_claimed else ()
        for session in sessions:
            first = self._desk.peers.of_session(session)
            if first and first.wire.name == peer.wire.name and first.host == peer.host and first.other is None:
                return first
        return None

    def _pair(self, first: Peer, second: Peer, request: Login) -> None:
        first.other, second.other = second, first
        second.is_second = True
        second.session, second.user, second.name = first.session, first.user, first.name
        user = self._world.users[first.user]
        welcome = Welcome(request.n, first.session, user.ref, user.role, self._world.applied, text=PAIRED)
        self._desk.answer_now(second, request, welcome)

    def _user_named(self, name: str) -> User | None:
        return self._world.user_named(name) if len(name) <= _LONGEST_NAME else None


def _too_many(n: int, what: str, wait_s: float) -> Refused:
    seconds = math.ceil(wait_s)
    minutes = math.ceil(seconds / 60)
    wait = f"{seconds} second{'s' if seconds > 1 else ''}" if seconds < 100 else f"{minutes} minutes"
    return Refused(n, Code.TOO_MANY_ATTEMPTS, f"{what} were tried too often. Try again in {wait}.")
