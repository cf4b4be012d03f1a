"""Settings of the server: command line over environment over file over default, checked once.

    port = 12000                    # also PORT, MYSTIC_PORT
    host = ["127.0.0.1", "::1"]     # --host, MYSTIC_HOST (with commas); none: every interface, IPv4 and IPv6
    data = "data"                   # --data, MYSTIC_DATA; relative to this file's folder
    shared = "SharedFiles"          # --shared, SERVER_SHARED_FILES
    name = "Mystic"                 # --name, MYSTIC_SERVER_NAME
    log_format = "text"             # --log-format, MYSTIC_LOG_FORMAT
    tls = "optional"                # --tls, MYSTIC_TLS
    auth = "open"                   # --auth, MYSTIC_AUTH
    operators = ["ana"]             # --operator, MYSTIC_OPERATORS (with commas)
    relay_shutdown = "off"          # --relay-shutdown, MYSTIC_RELAY_SHUTDOWN
    uploads = "members"             # --uploads, MYSTIC_UPLOADS
    udp = true                      # --udp on|off, MYSTIC_UDP
    udp_port = 12000                # --udp-port, MYSTIC_UDP_PORT; none: the main port's number, or else a free one
    unlimited = false               # --unlimited

    [listen]                        # --listen WIRE=PORT[,PORT]: ports that speak one wire
    native = [12001]

    [limits]                        # every field of `Limits`
    max_connections = 500

The file is named by --config or MYSTIC_CONFIG. What a source says about a setting replaces what those below it say.
"""

import argparse
import importlib.metadata
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeAlias

import msgspec
import platformdirs
from msgspec import Meta, Struct

from mysticproto.names import NameRefused, check_user_name, clean_line, name_key

DEFAULT_PORT = 12000
KNOWN_WIRES = ("native", "mystic_cli", "unicast_base64", "muca_json", "chat_modes", "pickle_relay")
"""What `--listen` can be asked for."""
EVERY_INTERFACE = ""
"""As a host: every interface, IPv4 and (where the machine has it) IPv6."""
LOG_FORMATS = ("text", "json")
TLS_CHOICES = ("optional", "required", "off")
AUTH_CHOICES = ("open", "claimed")
RELAY_SHUTDOWNS = ("off", "loopback")
UPLOADS = ("members", "operators", "off")
SWITCH = {"on": True, "off": False}
MAX_NAME_CHARS = 64
MAX_PORT = 65535
_NO_LIMIT = 1_000_000_000

Count: TypeAlias = Annotated[int, Meta(ge=1, le=_NO_LIMIT)]
DiskBytes: TypeAlias = Annotated[int, Meta(ge=1, le=1 << 50)]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=_NO_LIMIT)]
PerSecond: TypeAlias = Annotated[float, Meta(gt=0, le=_NO_LIMIT)]


class ConfigError(Exception):
    """The settings can't be used: the operator's to mend. The text is a sentence that names the source."""


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of everything. Bytes are memory, seconds are of the monotonic clock."""

    # Connections.
    max_connections: Count = 16_384
    """In all; never more than the process may open."""
    reserved_descriptors: Count = 128
    """Kept free of connections: the log, children, files that are being sent."""
    connections_per_address: Count = 64
    """From one public address (IPv6: one /64) at once: an office behind one address, with downloads of their own."""
    connections_per_private_address: Count = 256
    """From one address of a private network, where a whole class room may be behind one; loopback has no limit."""
    silent_connections: Count = 256
    """That have not said a byte yet, in all."""
    silent_timeout_s: Seconds = 120.0

    # Time.
    login_timeout_s: Seconds = 30.0
    """From the connection to being logged in, on the native wire."""
    idle_timeout_s: Seconds = 50.0
    """Silence of a native peer, which pings every 20 seconds if it has nothing else to say."""
    shutdown_drain_s: Seconds = 7.0
    """From SIGTERM until peers that have not taken their last bytes are dropped."""

    # Queues of one connection.
    send_queue_soft_bytes: Count = 64 * 1024
    """Waiting for the peer; then its requests wait too."""
    send_queue_hard_bytes: Count = 1024 * 1024
    """Waiting for the peer; then it is disconnected, and finds the rest in the log."""
    send_queue_soft_timeout_s: Seconds = 60.0
    """How long a peer may be above the soft limit."""
    send_progress_timeout_s: Seconds = 10.0
    """How long a peer that has bytes to take may take none."""
    file_progress_timeout_s: Seconds = 60.0
    """The same while a file is being sent."""
    send_queues_total_bytes: Count = 64 * 1024 * 1024
    """Waiting for all peers; then the one with the most is disconnected."""

    # Rates. Beyond them a connection is read later, not closed.
    messages_per_second: PerSecond = 5.0
    messages_burst: Count = 20
    commands_per_second: PerSecond = 10.0
    commands_burst: Count = 40
    text_bytes_per_second: PerSecond = 30 * 1024.0
    text_bytes_burst: Count = 256 * 1024
    searches_per_second: PerSecond = 1.0
    searches_burst: Count = 5
    """Searches, lists of conversations and new passwords: what a child process has to work for."""

    # Names and passwords. This machine itself is not counted by address.
    password_failures_per_connection: Count = 3
    """Wrong passwords, answered after 1, 2, 4 seconds and so on; then the connection ends."""
    password_failures_per_minute: Count = 10
    """From one address (IPv6: one /64)."""
    password_failures_per_name: Count = 5
    """One after the other; then the next one must wait for 1 second, 2, 4 and so on. Known devices need not."""
    password_delay_max_s: Seconds = 900.0
    """The longest of these waits."""
    new_names_per_hour: Count = 3
    """Names that become somebody's, from one public address; who comes with one more is a guest for now."""
    new_names_per_hour_private: Count = 256
    """The same from one address of a private network."""
    new_names_per_ten_minutes: Count = 30
    """The same from all public addresses."""

    # Files.
    downloads: Count = 64
    """Tickets and running downloads, in all."""
    downloads_per_user: Count = 4
    ticket_life_s: Seconds = 60.0
    """From being asked for to the connection that a file goes over."""
    max_upload_bytes: DiskBytes = 100 * 1024 * 1024
    """Of one file that somebody brings."""
    upload_bytes_per_user: DiskBytes = 1024 * 1024 * 1024
    """Of all files that somebody has brought and that are still here, those being brought included."""
    running_uploads: Count = 16
    """Tickets and running uploads, in all; each may have a MiB in memory."""
    uploads_per_user: Count = 2
    unfinished_upload_life_s: Seconds = 24 * 3600.0
    """How long what has come of an upload waits for its rest."""
    disk_reserve_bytes: DiskBytes = 256 * 1024 * 1024
    """What no upload may take of the disk's free space."""

    def without_rates(self) -> "Limits":
        """As benchmarks need it: no limit per second and none on the connections of one address."""
        return msgspec.structs.replace(self, **dict.fromkeys(_RATES, _NO_LIMIT))


_RATES = (
    "connections_per_address",
    "connections_per_private_address",
    "messages_per_second",
    "messages_burst",
    "commands_per_second",
    "commands_burst",
    "text_bytes_per_second",
    "text_bytes_burst",
    "searches_per_second",
    "searches_burst",
    "password_failures_per_minute",
    "password_failures_per_name",
    "new_names_per_hour",
    "new_names_per_hour_private",
    "new_names_per_ten_minutes",
)


class Settings(Struct, frozen=True, kw_only=True):
    """What the server runs with; all paths are absolute."""

    port: int
    """The main port; 0: a free one, the same for all hosts."""
    hosts: tuple[str, ...]
    """Names or addresses to listen on; EVERY_INTERFACE is one of them unless others are named."""
    data: Path
    """The folder of the log and the keys."""
    shared: Path
    """The folder of the files that everybody may have."""
    listen: tuple[tuple[str, int], ...]
    """More ports, each for the peers of one wire: (wire, port)."""
    name: str
    """The server's own name, shown to clients."""
    log_format: str
    """One of LOG_FORMATS."""
    tls: str
    """One of TLS_CHOICES; "required": for passwords, except from this machine itself."""
    auth: str
    """One of AUTH_CHOICES; "claimed": nobody comes in without proof that the name is theirs."""
    operators: frozenset[str]
    """Keys (`names.name_key`) of the names that are operators as soon as they are somebody's."""
    relay_shutdown: str
    """One of RELAY_SHUTDOWNS: who may stop the server over the wire `pickle_relay`."""
    uploads: str
    """One of UPLOADS: who may bring files. Members are those whose name is their own."""
    udp: bool
    """Whether files can be fetched in datagrams."""
    udp_port: int | None
    """The only UDP port for that, 0: a free one; None: of the main port's number, or a free one if that is taken."""
    unlimited: bool
    limits: Limits
    """Without rates already if `unlimited`."""


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    """The TOML file; None: it doesn't say."""

    port: int | None = None
    host: list[str] | None = None
    data: str | None = None
    shared: str | None = None
    name: str | None = None
    log_format: str | None = None
    tls: str | None = None
    auth: str | None = None
    operators: list[str] | None = None
    relay_shutdown: str | None = None
    uploads: str | None = None
    udp: bool | None = None
    udp_port: int | None = None
    unlimited: bool = False
    listen: dict[str, list[int]] | None = None
    limits: Limits = Limits()


_FLAGS = {"port": "PORT", "operators": "--operator"}
"""How settings are called on the command line that have another name there."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"Command line: {message}; see {self.prog} --help.")


class _Said(Struct, frozen=True):
    """What a source says about one setting. `base`: where its relative paths begin."""

    source: str
    value: Any
    base: Path

    def wrong(self, what: str) -> ConfigError:
        return ConfigError(f"{self.source}: {what}.")


class _Sources:
    """The command line, the environment and the file, asked in this order."""

    def __init__(self, flags: argparse.Namespace, environ: Mapping[str, str]) -> None:
        self.flags = flags
        self._environ = environ
        config = flags.config or environ.get("MYSTIC_CONFIG") or ""
        self._path = Path(config).expanduser()
        self.file = _read_file(self._path) if config else _File()

    def ask(self, name: str, variable: str, default: object) -> _Said:
        here = Path.cwd()
        if (value := getattr(self.flags, name)) not in (None, []):
            return _Said(_FLAGS.get(name) or "--" + name.replace("_", "-"), value, here)
        if variable and (value := self._environ.get(variable)):
            return _Said(variable, value, here)
        if (value := getattr(self.file, name)) is not None:
            return _Said(f"{self._path}: {name}", value, self._path.absolute().parent)
        return _Said("default", default, here)


def parse(argv: Sequence[str], environ: Mapping[str, str], wires: Collection[str] = KNOWN_WIRES) -> Settings:
    """Settings from the command line (without the program's name), the environment, and the file that they name.

    Raises ConfigError, and SystemExit after --help and --version.
    """
    sources = _Sources(_parser().parse_args(argv), environ)
    unlimited = sources.flags.unlimited or sources.file.unlimited
    limits = _checked_limits(sources.file.limits)
    port = _port(sources.ask("port", "MYSTIC_PORT", DEFAULT_PORT))
    return Settings(
        port=port,
        hosts=_hosts(sources.ask("host", "MYSTIC_HOST", [EVERY_INTERFACE])),
        data=_path(sources.ask("data", "MYSTIC_DATA", str(platformdirs.user_data_path("mystic", appauthor=False)))),
        shared=_path(sources.ask("shared", "SERVER_SHARED_FILES", "SharedFiles")),
        listen=_listen(sources.ask("listen", "", {}), port, wires),
        name=_name(sources.ask("name", "MYSTIC_SERVER_NAME", "Mystic")),
        log_format=_one_of(sources.ask("log_format", "MYSTIC_LOG_FORMAT", "text"), "log format", LOG_FORMATS),
        tls=_one_of(sources.ask("tls", "MYSTIC_TLS", "optional"), "choice", TLS_CHOICES),
        auth=_one_of(sources.ask("auth", "MYSTIC_AUTH", "open"), "choice", AUTH_CHOICES),
        operators=_operators(sources.ask("operators", "MYSTIC_OPERATORS", [])),
        relay_shutdown=_one_of(
            sources.ask("relay_shutdown", "MYSTIC_RELAY_SHUTDOWN", "off"), "choice", RELAY_SHUTDOWNS
        ),
        uploads=_one_of(sources.ask("uploads", "MYSTIC_UPLOADS", "members"), "choice", UPLOADS),
        udp=_switch(sources.ask("udp", "MYSTIC_UDP", True)),
        udp_port=_maybe_port(sources.ask("udp_port", "MYSTIC_UDP_PORT", "")),
        unlimited=unlimited,
        limits=limits.without_rates() if unlimited else limits,
    )


def make_folders(settings: Settings) -> None:
    """Makes the data folder (for nobody else to read) and the shared folder if they are missing. Raises ConfigError."""
    if settings.data.resolve().is_relative_to(settings.shared.resolve()):
        raise ConfigError(
            f"The data folder {settings.data} is inside the shared folder {settings.shared}: everybody could read it."
        )
    _make_folder(settings.data, "data folder", 0o700)
    _make_folder(settings.shared, "shared folder", 0o755)
    if not os.access(settings.data, os.W_OK):
        raise ConfigError(f"The data folder {settings.data} can't be written to.")


def version() -> str:
    """Of the installed distribution; "0" in a bare checkout."""
    try:
        return importlib.metadata.version("mystic-chat")
    except importlib.metadata.PackageNotFoundError:
        return "0"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mystic-server", description="The Mystic chat and file server.", allow_abbrev=False)
    add = parser.add_argument
    add("port", metavar="PORT", nargs="?", help=f"the port to listen on, 0 for a free one (default: {DEFAULT_PORT})")
    add("--host", metavar="H", action="append", help="a name or address to listen on (default: every interface)")
    add("--data", metavar="DIR", help="the folder of the log and the keys")
    add("--shared", metavar="DIR", help="the folder of the shared files (default: SharedFiles)")
    add("--config", metavar="FILE", help="a TOML file with settings")
    add("--listen", metavar="WIRE=PORT[,PORT]", action="append", help="more ports, for the peers of one wire")
    add("--unlimited", action="store_true", help="no rate limits, for benchmarks")
    add("--log-format", metavar="text|json", help="how the log on standard error is written (default: text)")
    add("--tls", metavar="optional|required|off", help="whether connections can be encrypted, and passwords must be")
    add("--auth", metavar="open|claimed", help="whether guests may come in, whose name is nobody's (default: open)")
    add("--operator", metavar="NAME", dest="operators", action="append", help="a name that is the operator's")
    add("--relay-shutdown", metavar="off|loopback", help="who may stop the server over pickle_relay (default: off)")
    add("--uploads", metavar="members|operators|off", help="who may bring files (default: members)")
    add("--udp", metavar="on|off", help="whether files can be fetched in datagrams (default: on)")
    add("--udp-port", metavar="PORT", help="the UDP port for that (default: the main port's number, if it is free)")
    add("--name", metavar="TEXT", help="the server's name, shown to clients (default: Mystic)")
    add("--version", action="version", version=f"mystic-server {version()}")
    return parser


def _read_file(path: Path) -> _File:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise ConfigError(f"The settings file {path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"The settings file {path} is not text in UTF-8.") from None
    except msgspec.DecodeError as error:
        raise ConfigError(f"The settings file {path} is wrong: {error}.") from None


# One setting each.


def _port(said: _Said) -> int:
    text = str(said.value).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= MAX_PORT):
        raise said.wrong(f"{said.value!r} is not a port, which is a number from 0 to {MAX_PORT}")
    return int(text)


def _maybe_port(said: _Said) -> int | None:
    return None if said.source == "default" else _port(said)


def _switch(said: _Said) -> bool:
    if isinstance(said.value, bool):
        return said.value
    if said.value not in SWITCH:
        raise said.wrong(f"{said.value!r} is neither on nor off")
    return bool(SWITCH[said.value])


def _hosts(said: _Said) -> tuple[str, ...]:
    hosts = said.value.split(",") if isinstance(said.value, str) else said.value
    hosts = [host.strip().removeprefix("[").removesuffix("]") for host in hosts]
    if said.source != "default" and not all(hosts):
        raise said.wrong("a host is empty")
    return tuple(dict.fromkeys(hosts)) or (EVERY_INTERFACE,)


def _path(said: _Said) -> Path:
    if "\0" in said.value:
        raise said.wrong("a path can't contain a zero byte")
    try:
        return said.base / Path(said.value).expanduser()
    except RuntimeError:
        raise said.wrong(f"there is no such user as in {said.value!r}") from None


def _name(said: _Said) -> str:
    name: str = said.value.strip()
    if not name or len(name) > MAX_NAME_CHARS or clean_line(name) != name:
        raise said.wrong(f"the server's name must have 1 to {MAX_NAME_CHARS} readable characters")
    return name


def _operators(said: _Said) -> frozenset[str]:
    names = said.value.split(",") if isinstance(said.value, str) else said.value
    return frozenset(name_key(_user_name(said, name.strip())) for name in names)


def _user_name(said: _Said, name: str) -> str:
    try:
        return check_user_name(name)
    except NameRefused as reason:
        raise said.wrong(f"{clean_line(name[:64])!r} can't be a user's name: {str(reason).rstrip('.')}") from None


def _one_of(said: _Said, what: str, allowed: tuple[str, ...]) -> str:
    if said.value not in allowed:
        raise said.wrong(f"{said.value!r} is not a {what}; there are {' and '.join(allowed)}")
    return str(said.value)


def _listen(said: _Said, main_port: int, wires: Collection[str]) -> tuple[tuple[str, int], ...]:
    pairs = said.value.items() if isinstance(said.value, dict) else [_split_listen(said, text) for text in said.value]
    found = []
    for wire, ports in pairs:
        if wire not in wires:
            raise said.wrong(f"{wire!r} is not a wire that this server speaks; there are: {', '.join(sorted(wires))}")
        found += [(wire, _port(_Said(said.source, port, said.base))) for port in ports]
    taken = [port for port in (main_port, *(port for _, port in found)) if port]
    if len(set(taken)) < len(taken):
        raise said.wrong("a port can't be listened on twice")
    return tuple(found)


def _split_listen(said: _Said, text: str) -> tuple[str, list[str]]:
    wire, equals, ports = text.partition("=")
    if not equals:
        raise said.wrong(f"{text!r} is not of the form WIRE=PORT[,PORT]")
    return wire.strip(), ports.split(",")


def _checked_limits(limits: Limits) -> Limits:
    if limits.send_queue_soft_bytes > limits.send_queue_hard_bytes:
        raise ConfigError("limits: send_queue_soft_bytes can't be larger than send_queue_hard_bytes.")
    return limits


# Folders.


def _make_folder(path: Path, what: str, mode: int) -> None:
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
        with os.scandir(path):
            pass
    except (FileExistsError, NotADirectoryError):
        raise ConfigError(f"The {what} {path} can't be made: there is a file in its place.") from None
    except OSError as error:
        raise ConfigError(f"The {what} {path} can't be used: {error.strerror}.") from None
