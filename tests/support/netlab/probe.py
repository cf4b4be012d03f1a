"""What the check runs at both ends: `listen` counts datagrams and returns pings, `flood MBIT SECONDS` sends."""

from __future__ import annotations

import json
import socket
import sys
import time

PORT = 9999
PING = b"p"
FLOOD_BYTES = 1400
PACKET_BYTES = FLOOD_BYTES + 28
PINGS = 40
RECEIVE_BUFFER_BYTES = 8 << 20
_SO_RCVBUFFORCE = 33


def listen() -> None:
    """Until nothing has come for 2 s after the first of the flood: how many, and at which rate, Mbit/s."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
        sock.bind(("0.0.0.0", PORT))
        print("up", flush=True)
        got, first, last = 0, 0.0, 0.0
        try:
            while True:
                data, peer = sock.recvfrom(2048)
                if data[:1] == PING:
                    sock.sendto(data, peer)
                    continue
                last = time.monotonic()
                first = first or last
                got += 1
                sock.settimeout(2.0)
        except TimeoutError:
            mbit = (got - 1) * PACKET_BYTES * 8e-6 / max(1e-9, last - first)
            print(json.dumps({"got": got, "mbit": mbit}), flush=True)


def flood(address: str, mbit: float, seconds: float) -> None:
    """Pings, then sends at a rate that counts the IP headers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((address, PORT))
        sock.settimeout(2.0)
        trips_ms = sorted(filter(None, (_ping(sock) for _ in range(PINGS))))
        sent = _flood(sock, mbit, seconds)
    print(json.dumps({"sent": sent, "trips_ms": trips_ms}), flush=True)


def _ping(sock: socket.socket) -> float:
    """Milliseconds; 0 if it was lost."""
    sent_at = time.monotonic()
    sock.send(PING)
    try:
        sock.recv(64)
    except TimeoutError:
        return 0.0
    return (time.monotonic() - sent_at) * 1e3


def _flood(sock: socket.socket, mbit: float, seconds: float) -> int:
    gap_s = PACKET_BYTES * 8 / (mbit * 1e6)
    data = bytes(FLOOD_BYTES)
    due = time.monotonic()
    end, sent = due + seconds, 0
    while due < end:
        sock.send(data)
        sent += 1
        due += gap_s
        if (early_s := due - time.monotonic()) > 0.0005:
            time.sleep(early_s)
    return sent


if __name__ == "__main__":
    if sys.argv[1] == "listen":
        listen()
    else:
        flood(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
