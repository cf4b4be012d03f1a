"""The composition root: builds every part of the server, and owns the order of start and stop.

    start   settings -> folders -> sockets -> store child, the world from its tables -> files child -> gateway
            -> the last run's sessions end -> listeners -> "ready" -> datagram child
    stop    listeners -> goodbyes, sessions end in the log -> queues drain -> children -> console

The order at a tick's end is fixed here: what was decided goes to the store, what was committed goes to the peers'
queues, these go to the kernel. Closing a connection may decide something again, so the store's turn comes once more at
the end.
"""

import gc
import secrets
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from mystic_server.accounts.passwords import Passwords
from mystic_server.accounts.throttle import Throttle, ThrottleLimits
from mystic_server.config import ConfigError, Settings, make_folders, version
from mystic_server.console import Console
from mystic_server.domain.apply import apply, is_void
from mystic_server.domain.decide import Rules
from mystic_server.domain.events import NodeStarted
from mystic_server.domain.receipts import Watermarks
from mystic_server.domain.world import World
from mystic_server.files import offers, transfer, uploads
from mystic_server.files.offers import Offers
from mystic_server.files.transfer import FileArea, FileLimits
from mystic_server.files.uploads import UploadArea, UploadLimits
from mystic_server.hub.countdown import Countdown
from mystic_server.hub.dispatch import Gateway
from mystic_server.hub.house import House, Identity, now_us
from mystic_server.hub.in_datagrams import OfferDatagrams
from mystic_server.hub.patrol import Patience, Patrol
from mystic_server.hub.rates import Rates
from mystic_server.hub.sending import UdpEnded
from mystic_server.hub.sessions import Peers
from mystic_server.log.base import StoreError
from mystic_server.log.store import StoreLog
from mystic_server.net.admission import Admission
from mystic_server.net.certificate import CertificateError, load_or_make_certificate, server_context
from mystic_server.net.children import ChildProcess
from mystic_server.net.connection import ChooseWire, Connection
from mystic_server.net.datagram import DatagramTransfer
from mystic_server.net.entrance import Entrance
from mystic_server.net.listener import Listener, bind
from mystic_server.net.outqueue import FileSpan
from mystic_server.net.reactor import Reactor
from mystic_server.net.signals import StopSignals
from mystic_server.view import OperatorsView
from mystic_server.wires import choices_of_ports, choose_wire
from mysticproto.errors import Code
from mysticproto.legacy.udp_send import Ended
from mysticproto.model import Bye, StoppingIn
from mysticproto.native import PREAMBLE, encode_frame

NODE = 1
"""This node's number in the log; there is one node so far."""
SERVER_ID_BYTES = 16
_SECOND_S = 1.0
_START_LIMIT_S = 30.0

_NO_ROOM = PREAMBLE + encode_frame(Bye(Code.SERVER_FULL, "There are too many connections; try again later."))


class Server:
    """See the module."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._console = Console(settings.log_format)
        self._reactor = Reactor(self._console.fault)
        self._view = OperatorsView(self._console, self._reactor.now)
        self._world = World()
        self._watermarks = Watermarks()
        self._peers = Peers()
        self._listeners: list[Listener] = []
        self._fingerprint = ""  # of the certificate, if there is one
        self._is_stopping = False
        self._start_late: Callable[[], None] = lambda: None  # what nobody can want before somebody can connect
        self._closers: list[Callable[[], None]] = []

    def run(self) -> int:
        """Starts, serves until it is told to stop, and returns the exit status. Raises ConfigError and StoreError."""
        try:
            make_folders(self._settings)
            tls = self._tls()
            sockets = self._bind()
            self._start_log()
            self._start_files()
            self._compose(tls, sockets[0][1].getsockname()[1])
            self._end_last_run()
            # Given back last of all: a second signal must not cut the end of the log short.
            self._closers.insert(0, StopSignals(self._reactor, self._told_to_stop).close)
            self._listen(sockets)
            self._reactor.run()
        finally:
            self._close()
        return 0

    # Start.

    def _tls(self) -> ssl.SSLContext | None:
        if self._settings.tls == "off":
            return None
        try:
            certificate = load_or_make_certificate(self._settings.data)
            context = server_context(certificate)
        except CertificateError as error:
            raise ConfigError(str(error)) from None
        self._fingerprint = certificate.fingerprint
        return context

    def _bind(self) -> list[tuple[ChooseWire, socket.socket]]:
        """Sockets and what is spoken there, the main port's first."""
        sockets: list[tuple[ChooseWire, socket.socket]] = []
        ports = [self._settings.port, *(port for _, port in self._settings.listen)]
        for choose, port in zip([choose_wire, *choices_of_ports(self._settings.listen)], ports, strict=True):
            for host in self._settings.hosts:
                try:
                    bound = bind(host, port)
                except OSError as error:
                    where = f"port {port}" + (f" of {host}" if host else "")
                    raise ConfigError(f"Can't listen on {where}: {error.strerror or error}.") from None
                sockets += [(choose, sock) for sock in bound]
                self._closers += [sock.close for sock in bound]
                port = port or bound[0].getsockname()[1]
        return sockets

    def _start_log(self) -> None:
        self._log = StoreLog(self._reactor, self._settings.data, self._console.warning)
        with collector_off():
            start = self._log.load()
            self._closers.append(self._log.stop)
            self._world.load(start.rows, start.applied)
            self._watermarks.load(start.rows)
            for committed in start.tail:
                if is_void(committed.event, apply(self._world, committed)):
                    self._log.void(committed)

    def _start_files(self) -> None:
        limits, shared = self._settings.limits, self._settings.shared
        child = ChildProcess(
            self._reactor,
            transfer.CHILD_MODULE,
            [str(shared)],
            lambda body: self._files.received(body),
            lambda: self._files.came_up(),
            lambda: self._files.went_down(),
        )
        file_limits = FileLimits(limits.downloads, limits.downloads_per_user, limits.ticket_life_s)
        self._files = FileArea(child, shared, secrets.token_bytes, file_limits)
        self._closers += [child.stop, self._files.close]
        child.start()
        self._start_uploads()

    def _start_uploads(self) -> None:
        """What was brought earlier is fetched also where nobody may bring anything: that needs no child."""
        limits, folder = self._settings.limits, self._settings.data / "uploads"
        child = ChildProcess(
            self._reactor,
            uploads.CHILD_MODULE,
            [str(folder), str(self._settings.shared), str(limits.disk_reserve_bytes)],
            lambda body: self._uploads.received(body),
            lambda: self._uploads.came_up(),
            lambda: self._uploads.went_down(),
        )
        upload_limits = UploadLimits(
            file_bytes=limits.max_upload_bytes,
            user_bytes=limits.upload_bytes_per_user,
            uploads=limits.running_uploads,
            uploads_per_user=limits.uploads_per_user,
            ticket_life_s=limits.ticket_life_s,
            unfinished_life_s=limits.unfinished_upload_life_s,
        )
        self._uploads = UploadArea(child, folder, secrets.token_bytes, upload_limits)
        self._closers.append(child.stop)
        if self._settings.uploads != "off":
            child.start()

    def _datagrams(self, port: int) -> OfferDatagrams | None:
        """A port that was asked for is the only one."""
        if not self._settings.udp:
            return None
        asked = self._settings.udp_port
        ports = [port, 0] if asked is None else [asked]
        child = ChildProcess(
            self._reactor,
            offers.CHILD_MODULE,
            [str(port) for port in ports],
            lambda body: datagrams.received(body),
            lambda: None,
            lambda: datagrams.went_down(),
        )
        datagrams = Offers(child, secrets.token_bytes)
        self._closers.append(child.stop)
        self._start_late = datagrams.start
        return datagrams.offer

    def _compose(self, tls: ssl.SSLContext | None, port: int) -> None:
        settings, limits = self._settings, self._settings.limits
        self._epoch = secrets.randbits(62)
        own_id = server_id(settings.data)
        identity = Identity(settings.name, version(), own_id, NODE, self._epoch, self._fingerprint)
        self._gateway = Gateway(
            self._reactor,
            self._world,
            self._log,
            self._files,
            self._uploads,
            self._peers,
            self._view,
            identity,
            self._house(),
            self._offer_udp,
            self._countdown(),
            self._passwords(),
            Throttle(self._throttle_limits()),
            self._watermarks,
            self._datagrams(port),
        )
        self._log.on_results = self._gateway.fanout.on_results
        room = min(limits.max_connections, raise_descriptor_limit() - limits.reserved_descriptors)
        admission = Admission(room, limits.connections_per_address, limits.connections_per_private_address)
        self._entrance = Entrance(
            self._reactor, admission, self._gateway, limits.send_queue_hard_bytes, _NO_ROOM, self._view.connected, tls
        )
        self._closers.append(self._entrance.close)
        self._patrol = Patrol(self._entrance.connections, self._peers, self._patience())
        fanout = self._gateway.fanout
        for step in (
            self._log.flush,
            fanout.end_tick,
            self._entrance.flush,
            self._log.flush,
            self._stop_if_done,
        ):
            self._reactor.at_tick_end(step)
        self._reactor.at_tick_end(self._console.flush)

    def _house(self) -> House:
        settings = self._settings
        return House(
            send_queue_soft=settings.limits.send_queue_soft_bytes,
            rates=None if settings.unlimited else self._rates(),
            rules=Rules(settings.auth == "claimed", settings.operators),
            encrypts_passwords=settings.tls == "required",
            local_may_stop=settings.relay_shutdown == "loopback",
            password_failures=settings.limits.password_failures_per_connection,
            uploads=settings.uploads,
        )

    def _passwords(self) -> Passwords:
        passwords = Passwords(partial(ChildProcess, self._reactor, "mystic_server.accounts.worker", []))
        self._closers.append(passwords.stop)
        return passwords

    def _throttle_limits(self) -> ThrottleLimits:
        limits = self._settings.limits
        return ThrottleLimits(
            failures_per_minute=limits.password_failures_per_minute,
            failures_per_account=limits.password_failures_per_name,
            delay_max_s=limits.password_delay_max_s,
            registrations_per_hour=limits.new_names_per_hour,
            registrations_per_hour_private=limits.new_names_per_hour_private,
            registrations_per_ten_minutes=limits.new_names_per_ten_minutes,
        )

    def _rates(self) -> Rates:
        limits = self._settings.limits
        return Rates(
            messages=limits.messages_per_second,
            messages_burst=limits.messages_burst,
            commands=limits.commands_per_second,
            commands_burst=limits.commands_burst,
            text=limits.text_bytes_per_second,
            text_burst=limits.text_bytes_burst,
            searches=limits.searches_per_second,
            searches_burst=limits.searches_burst,
        )

    def _offer_udp(self, connection: Connection, span: FileSpan, ended: UdpEnded) -> DatagramTransfer:
        def finished(how: Ended) -> None:
            ended(how.code, how.text)

        host, peer_host = connection.local_host, connection.address[0]
        return DatagramTransfer(self._reactor, host, span.fd, span.count, peer_host, finished)

    def _countdown(self) -> Countdown:
        def say(seconds: int) -> None:
            self._console.stopping_in(seconds)
            self._gateway.fanout.tell(StoppingIn(seconds), self._world.everyone())

        def end() -> None:
            if not self._is_stopping:  # a second time would cut off what drains
                self._told_to_stop("shutdown")

        return Countdown(self._reactor, say, end)

    def _patience(self) -> Patience:
        limits = self._settings.limits
        return Patience(
            silent=limits.silent_connections,
            silent_s=limits.silent_timeout_s,
            login_s=limits.login_timeout_s,
            idle_s=limits.idle_timeout_s,
            soft=limits.send_queue_soft_bytes,
            total=limits.send_queues_total_bytes,
            soft_s=limits.send_queue_soft_timeout_s,
            stuck_s=limits.send_progress_timeout_s,
            file_stuck_s=limits.file_progress_timeout_s,
        )

    def _end_last_run(self) -> None:
        """Nobody may come before the sessions of the last run have ended: their names would still be in use."""
        self._gateway.fanout.propose(NodeStarted(NODE, self._epoch), now_us())
        self._log.flush()  # no tick has ended yet that could do it
        limit = self._reactor.call_later(_START_LIMIT_S, lambda: None)
        while self._gateway.fanout.pending:
            self._reactor.tick()
            if self._reactor.now >= limit.when:
                raise StoreError(f"The store in {self._settings.data} did not answer in time.")
        limit.cancel()
        if any(session.epoch != self._epoch for session in self._world.sessions.values()):
            raise StoreError(f"The store in {self._settings.data} takes nothing: is the disk full?")
        self._gateway.logins.keep_operators()

    def _listen(self, sockets: list[tuple[ChooseWire, socket.socket]]) -> None:
        for choose, sock in sockets:
            accept = partial(self._entrance.accept, choose=choose, is_known=choose is not choose_wire)
            self._listeners.append(Listener(self._reactor, sock, accept, self._out_of_descriptors))
        # What was built so far lives as long as the process; the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        self._reactor.call_later(_SECOND_S, self._every_second)
        if self._fingerprint:
            self._console.certificate(self._fingerprint)
        self._console.started([listener.address for listener in self._listeners])
        for listener in self._listeners:
            self._console.ready(*listener.address)
        self._start_late()
        self._reactor.longest_stall_s = 0.0  # nobody was here who could have waited

    def _out_of_descriptors(self, error: OSError) -> None:
        self._console.warning(f"No new connections for a second: {error.strerror}.")

    # While it runs.

    def _every_second(self) -> None:
        self._reactor.call_later(_SECOND_S, self._every_second)
        now = self._reactor.now
        self._gateway.desk.end_lingering()
        self._patrol.walk(now)
        self._files.expire(now)
        self._uploads.expire(now, now_us())
        fanout = self._gateway.fanout
        self._view.report(
            now,
            connections=len(self._entrance.connections),
            users=len(self._world.users_here()),
            groups=len(self._world.groups),
            messages=fanout.messages,
            deliveries=fanout.deliveries,
        )

    # Stop.

    def _told_to_stop(self, why: str) -> None:
        """The first time everything drains; the second time it doesn't."""
        if self._is_stopping:
            self._reactor.stop()
            return
        self._is_stopping = True
        self._console.stopping(why)
        for listener in self._listeners:
            listener.close()
        self._gateway.stop(Bye(Code.STOPPING, "The server is stopping."))
        for connection in self._entrance.connections:
            connection.finish()  # the gateway knows only those that have said which wire they speak
        self._reactor.call_later(self._settings.limits.shutdown_drain_s, self._reactor.stop)

    def _stop_if_done(self) -> None:
        if self._is_stopping and not self._entrance.connections and not self._gateway.fanout.pending:
            self._reactor.stop()

    def _close(self) -> None:
        """Gives everything back in the opposite order, also after a start that failed half-way."""
        for close in reversed(self._closers):
            close()
        self._reactor.close()
        if self._listeners:
            self._console.stopped(self._reactor.longest_stall_s)
        self._console.close()


@contextmanager
def collector_off() -> Iterator[None]:
    """While much is built that stays: the collector would look at all of it again and again, and find nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def server_id(data: Path) -> bytes:
    """What this server is called for ever by its clients: 16 random bytes in the data folder, made at the first
    start."""
    file = data / "server.id"
    with suppress(FileNotFoundError):
        known = file.read_bytes()
        if len(known) != SERVER_ID_BYTES:
            raise ConfigError(f"{file} is damaged: it must have {SERVER_ID_BYTES} bytes. Restore or remove it.")
        return known
    made = secrets.token_bytes(SERVER_ID_BYTES)
    unfinished = file.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(made)
    unfinished.replace(file)
    return made


def raise_descriptor_limit() -> int:
    """Lets the process open as many descriptors as it may at all, and returns how many that are."""
    try:
        import resource
    except ImportError:  # Windows, whose sockets are no descriptors but whose select takes 512 of them
        return 512
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
