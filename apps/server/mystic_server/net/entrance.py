"""Entrance: from an accepted socket to a connection, within the limits; knows all connections there are."""

import socket
import ssl
from collections.abc import Callable

from mystic_server.net.admission import Admission
from mystic_server.net.connection import ChooseWire, Connection, Owner
from mystic_server.net.reactor import Reactor
from mystic_server.net.refused import Refused

MAX_REFUSED = 32
"""Whose first byte is waited for at one time; more are told in the clear."""


class Entrance:
    """`refusal` is said to whom there is no room for; `arrived` is told of everybody else."""

    def __init__(
        self,
        reactor: Reactor,
        admission: Admission,
        owner: Owner,
        hard_limit: int,
        refusal: bytes,
        arrived: Callable[[Connection], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.connections: set[Connection] = set()
        self._unsent: set[Connection] = set()
        self._refused: set[Refused] = set()
        self._reactor = reactor
        self._admission = admission
        self._owner = owner
        self._hard_limit = hard_limit
        self._refusal = refusal
        self._arrived = arrived
        self._tls = tls

    def accept(self, sock: socket.socket, address: tuple[str, int], choose: ChooseWire, is_known: bool = False) -> None:
        """Makes a connection of an accepted socket, or refuses it. `is_known`: the port alone says which wire it is."""
        if not self._admission.admit(address[0]):
            self._refuse(sock)
            return
        connection = Connection(
            self._reactor, sock, address, choose, self._owner, self._departed, self._unsent, self._hard_limit, self._tls
        )
        self.connections.add(connection)
        self._arrived(connection)
        if is_known:
            self._reactor.guard(connection, connection.begin)

    def flush(self) -> None:
        """Sends what has been queued since the last call: the end of a tick."""
        while self._unsent:
            connection = self._unsent.pop()
            self._reactor.guard(connection, connection.flush)

    def close(self) -> None:
        """Closes whatever is still open."""
        for connection in list(self.connections):
            connection.close("lost")
        for refused in list(self._refused):
            refused.close()

    def _refuse(self, sock: socket.socket) -> None:
        refused = Refused(self._reactor, sock, self._refusal, self._refused)
        if self._tls and len(self._refused) < MAX_REFUSED:
            refused.listen()
        else:
            refused.answer()

    def _departed(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._admission.leave(connection.address[0])
