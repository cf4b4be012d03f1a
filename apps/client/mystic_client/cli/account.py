"""`mystic register`, `login`, `devices`, `unregister`, `trust`: a name that is one's own, and on which devices."""

import sys
import time

from mystic_client.cli.lines import stdin_lines
from mystic_client.cli.output import show, talk
from mystic_client.cli.status import Failure, Status
from mystic_client.cli.visit import Place, visiting
from mystic_client.model.text import stamp
from mystic_client.session.daemon import in_daemon_thread
from mystic_client.session.pins import PinsError
from mysticproto import model

SHOWN_KEY_CHARS = 12
"""Of a device's key in hexadecimal: enough to tell one's devices apart."""


async def register(place: Place) -> None:
    """Sets or changes the password of the name; the name is this device's from the moment it logs in."""
    password = await _new_password(place.name)
    async with visiting(place) as visit:
        await visit.ask(lambda n: model.SetPassword(n, password))
        talk(f"{visit.own_name} is yours on {place.address}; on other devices: mystic --name {visit.own_name} login")


async def login(place: Place) -> None:
    """Proves the name by its password; from then on this device's key proves it."""
    password = await _password(f"Password of {place.name}: ")
    if not password:  # without one the device's key would claim a free name
        raise Failure(Status.REFUSED, "no password was given; nothing was done")
    async with visiting(place, password=password) as visit:
        talk(f"this device may log in as {visit.own_name} from now on")


async def devices(place: Place, remove: str) -> None:
    """One device a line: the beginning of its key, since when, and whether it is this one; or takes one away."""
    async with visiting(place) as visit:
        answer = await visit.ask(model.ListDevices)
        known = answer.devices if isinstance(answer, model.Devices) else ()
        if remove:
            key = _meant(known, remove)
            await visit.ask(lambda n: model.RemoveDevice(n, key))
            return
    now_us = time.time_ns() // 1000
    show(_device_line(device, now_us) for device in known)


async def unregister(place: Place, *, is_sure: bool) -> None:
    """Gives the name up for ever."""
    if not is_sure:
        typed = await _line(f"Give up the name {place.name} on {place.address} for ever? Type the name to confirm: ")
        if typed != place.name:
            raise Failure(Status.REFUSED, "nothing was done")
    async with visiting(place) as visit:
        await visit.ask(model.DeleteAccount)
        talk(f"{visit.own_name} is free now")


async def trust(place: Place) -> None:
    """Forgets the fingerprint that this device knows the server by, and takes the one that it shows now."""
    try:
        place.pins.forget(place.address.host, place.address.port)
    except PinsError as problem:
        raise Failure(Status.REFUSED, str(problem)) from None
    async with visiting(place) as visit:
        fingerprint = visit.session.security.fingerprint
        known = (
            f"known by its key now, {fingerprint}" if fingerprint else "not encrypted: there is nothing to know it by"
        )
        talk(f"{place.address} is {known}")


async def _new_password(name: str) -> str:
    password = await _password(f"A password for {name}: ")
    if sys.stdin is not None and sys.stdin.isatty() and await _password("The same again: ") != password:
        raise Failure(Status.REFUSED, "the two are not the same; nothing was done")
    return password


async def _password(question: str) -> str:
    """Typed unseen, or the first line of standard input if that is no terminal."""
    if sys.stdin is None or not sys.stdin.isatty():
        return await _line("")
    import getpass

    return await in_daemon_thread(lambda: getpass.getpass(question))


async def _line(question: str) -> str:
    if question and sys.stdin is not None and sys.stdin.isatty():
        sys.stderr.write(question)
        sys.stderr.flush()
    async for line in stdin_lines():
        return line
    return ""


def _device_line(device: model.DeviceInfo, now_us: int) -> str:
    since = stamp(device.added_us, now_us) if device.added_us else "-"
    return f"{device.key.hex()[:SHOWN_KEY_CHARS]}  {since}{'  this device' if device.here else ''}"


def _meant(known: tuple[model.DeviceInfo, ...], beginning: str) -> bytes:
    found = [device.key for device in known if device.key.hex().startswith(beginning.lower())]
    if len(found) != 1:
        raise Failure(Status.REFUSED, f"{len(found) or 'no'} devices have a key that begins with {beginning}")
    return found[0]
