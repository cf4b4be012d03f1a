"""Which languages are spoken, and where: the one place in the server that knows wires by name."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from mystic_server.net.connection import ChooseWire, WireChoice
from mystic_server.net.tls import NO_TLS
from mysticproto.detect import Known, NeedMore, Unknown, detect
from mysticproto.legacy.chat_modes import ChatModesWire
from mysticproto.legacy.muca_json import MucaJsonWire
from mysticproto.legacy.mystic_cli import MysticCliWire
from mysticproto.legacy.pickle_relay import PickleRelayPush, PickleRelaySubmit, PickleRelayWire
from mysticproto.legacy.unicast_base64 import UnicastBase64Wire
from mysticproto.native import NativeWire
from mysticproto.wire import Wire

MakeWire: TypeAlias = Callable[[], Wire]

SHARED: dict[str, MakeWire] = {
    "native": NativeWire,
    "mystic_cli": MysticCliWire,
    "unicast_base64": UnicastBase64Wire,
    "muca_json": MucaJsonWire,
    "pickle_relay": PickleRelayWire,
}
"""Wires of the main port, told apart by the first bytes."""

OWN_PORTS: dict[str, tuple[MakeWire, ...]] = {
    "native": (NativeWire,),
    "mystic_cli": (MysticCliWire,),
    "unicast_base64": (UnicastBase64Wire,),
    "muca_json": (MucaJsonWire,),
    "chat_modes": (ChatModesWire,),
    "pickle_relay": (PickleRelayPush, PickleRelaySubmit),
}
"""Wires that can have ports of their own, one for each of what stands there, in this order."""

_NOT_A_WIRE = b"This is a Mystic chat server, and it does not speak what you sent.\r\n"


def choose_wire(first_bytes: bytes, is_final: bool) -> WireChoice:
    """The wire that these bytes belong to, or what to say to somebody who speaks none.

    What begins a wire's first words and is nothing else may take its time; a name may not. TLS comes this far where it
    isn't spoken.
    """
    match detect(first_bytes, is_final):
        case NeedMore():
            return None
        case Known(wire):
            return SHARED[wire]()
        case Unknown("tls"):
            return NO_TLS
        case _ if is_final and detect(first_bytes) == NeedMore():
            return None
        case _:
            return _NOT_A_WIRE


def choices_of_ports(listen: tuple[tuple[str, int], ...]) -> list[ChooseWire]:
    """For ports of their own, in their order: what is spoken there."""
    counts: dict[str, int] = {}
    choices: list[ChooseWire] = []
    for wire, _ in listen:
        kinds = OWN_PORTS[wire]
        choices.append(partial(_always, kinds[counts.get(wire, 0) % len(kinds)]))
        counts[wire] = counts.get(wire, 0) + 1
    return choices


def _always(make: MakeWire, first_bytes: bytes, is_final: bool) -> WireChoice:
    return make()
