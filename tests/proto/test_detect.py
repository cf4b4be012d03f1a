from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto import detect as table
from mysticproto.detect import Detected, Known, NeedMore, Unknown, detect
from mysticproto.native import PREAMBLE

NATIVE, TLS, HTTP, SSH = Known("native"), Unknown("tls"), Unknown("http"), Unknown("ssh")
TEXT, BINARY = Unknown("text"), Unknown("binary")
RELAY, MUCA, BASE64, NAME = Known("pickle_relay"), Known("muca_json"), Known("unicast_base64"), Known("mystic_cli")

FIRST_MESSAGES: list[tuple[bytes, Detected]] = [
    (PREAMBLE, NATIVE),
    (PREAMBLE + b"\x00\x00\x00\x07\x92\xa4ping\x01", NATIVE),
    (PREAMBLE[:-1] + b"\x02", NATIVE),
    (PREAMBLE[:-1] + b"\xff", NATIVE),
    (b"\xffMYSTIc\x01", BINARY),
    (b"\xffMYSTI\x01\x01", BINARY),
    (b"\xff\xff\xff\xff", BINARY),
    (b"\xff\xfd\x18\xff\xfd\x20", BINARY),  # telnet
    (b"MYSTIC\x01", NAME),
    (b"\x16\x03\x01\x02\x00\x01\x00", TLS),
    (b"\x16\x03\x03\x00\xa5", TLS),
    (b"\x16\x04\x00", BINARY),
    (b"\x80\x2e\x01\x03\x01", BINARY),  # SSL 2
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", HTTP),
    (b"POST /x HTTP/1.1\r\n", HTTP),
    (b"PUT /x HTTP/1.1\r\n", HTTP),
    (b"HEAD / HTTP/1.0\r\n\r\n", HTTP),
    (b"DELETE /x HTTP/1.1\r\n", HTTP),
    (b"OPTIONS * HTTP/1.1\r\n", HTTP),
    (b"TRACE / HTTP/1.1\r\n", HTTP),
    (b"CONNECT x:80 HTTP/1.1\r\n", HTTP),
    (b"PATCH /x HTTP/1.1\r\n", HTTP),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HTTP),
    (b"GETTER", NAME),
    (b"POSTMAN\n", NAME),
    (b"get / http/1.1\r\n", NAME),
    (b"PRIVMSG #x :y\r\n", NAME),
    (b"SSH-2.0-OpenSSH_9.2\r\n", SSH),
    (b"SSH-1.99-x\n", SSH),
    (b"SSHx", NAME),
    (b"ann", NAME),
    (b"V", NAME),
    (b" ", TEXT),
    (b"\xd0\xb0nna", NAME),
    (b"NICK ann\r\nUSER ann 0 * :Ann\r\n", NAME),
    (b"CAP LS 302\r\n", NAME),
    (b"PASS secret\r\n", NAME),
    ("ænn".encode(), NAME),
    ("文".encode(), NAME),
    (b"_ann", NAME),
    (b".ann", NAME),
    (b"7", NAME),
    (b"annhellomystic users", NAME),
    (b"\xd0ann", BINARY),
    (b"\xc0\x80", BINARY),
    ("☺ann".encode(), TEXT),
    ("\u202eann".encode(), BINARY),
    (b'{"CMD": "JOIN", "UN": "Ann", "UID": "ann@x"}', MUCA),
    (b'{"CMD":"SEND"}', MUCA),
    (b'{"UN": "Ann", "UID": "ann@x", "CMD": "JOIN"}', MUCA),
    (b'{\r\n    "UID": "ann@x"}', MUCA),
    (b'{"CMDS": 1}', TEXT),
    (b'{"id": 1, "method": "mining.subscribe"}', TEXT),
    (b"{                  ", TEXT),
    (b"{ann}", TEXT),
    (b"{", TEXT),
    (b"[1]", TEXT),
    (b"VVNFUk5BTUU6OmFubg==<END>", BASE64),
    (b"VVNFUk5BTUU6Og==<END>", BASE64),
    (b"VVNFUk5BTUU6OtC20LA=<END>", BASE64),
    (b"VVNFUk5BTUU6Ow==<END>", NAME),
    (b"VVNFUk5BTUU6O", NAME),
    (b"VVNF", NAME),
    (b"YWxpY2U", NAME),
    (b"cmd:05          ", RELAY),
    (b"msg:12          \x80\x04", RELAY),
    (b"cmd:123456789012345", RELAY),
    (b"cmd:            ", NAME),
    (b"cmd:5 5         ", NAME),
    (b"cmd:5", NAME),
    (b"msg", NAME),
    (b"cmd: hello", NAME),
    (b"*1\r\n$4\r\nPING\r\n", TEXT),  # Redis
    (b"\x80\x04\x95\x10\x00", BINARY),  # pickle
    (b"\x03\x00\x00\x2f\x2a\xe0", BINARY),  # remote desktop
    (b"\x00\x00\x00\x85\xffSMB", BINARY),
    (b"\x00", BINARY),
    (b"\r\n", BINARY),
    (b"\x1b[2J", BINARY),
    (b"\x7fELF", BINARY),
    (b"<?xml version='1.0'?><stream:stream>", TEXT),
]
CASES = pytest.mark.parametrize(("first", "expected"), FIRST_MESSAGES, ids=[repr(case[0]) for case in FIRST_MESSAGES])


@CASES
def test_the_first_message_tells(first: bytes, expected: Detected) -> None:
    assert detect(first) == expected or (detect(first) == NeedMore() and detect(first, final=True) == expected)


@CASES
def test_it_may_be_cut_anywhere(first: bytes, expected: Detected) -> None:
    for cut in range(len(first)):
        assert detect(first[:cut]) in (NeedMore(), expected)


@pytest.mark.parametrize(
    "start",
    [
        *(b"", b"\xff", PREAMBLE[:-2], b"\x16", b"G", b"GET", b"PRI *", b"S", b"SSH", b"P", b"T", b"\xd0", b"\xe6\x96"),
        *(b"c", b"ms", b"cmd:", b"cmd:12  ", b"{", b'{ "U', b"V", b"VVNF", b"VVNFUk5BTUU6O"),
    ],
)
def test_what_may_become_several_things_needs_more(start: bytes) -> None:
    assert detect(start) == NeedMore()


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"", Unknown("silent")),
        (b"V", NAME),
        (b"GET", NAME),
        (b"SSH", NAME),
        (b"cmd:5", NAME),
        (b"{", TEXT),
        (b"\xd0", BINARY),
        (PREAMBLE[:-2], BINARY),
        (b"\x16", BINARY),
    ],
)
def test_when_nothing_more_comes_there_is_an_answer(start: bytes, expected: Detected) -> None:
    assert detect(start, final=True) == expected


@given(
    st.one_of(st.binary(max_size=30), st.sampled_from(FIRST_MESSAGES).map(lambda case: case[0])), st.binary(max_size=30)
)
def test_an_answer_is_final(start: bytes, more: bytes) -> None:
    answer = detect(start)
    assert answer == NeedMore() or detect(start + more) == answer
    assert detect(start + more, final=True) != NeedMore()


def test_it_is_never_too_early_for_long() -> None:
    for first, _ in FIRST_MESSAGES:
        assert detect(first.ljust(table.MAX_FIRST_BYTES, b"x")) != NeedMore()
