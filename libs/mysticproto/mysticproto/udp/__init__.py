"""A file in encrypted datagrams: reliable, paced, and faster than TCP where the path is long and loses packets.

The server has a `sender.Sender` per transfer, the client a `receiver.Receiver`. Neither knows sockets, clocks or files:
`now` (seconds of a monotonic clock) and datagrams go in, datagrams and the next deadline come out.

    ticket (over TCP): cid, 32-byte secret, block size, file size
    HELLO -> CHALLENGE -> START (token, what the client has) -> DATA ... <- REPORT ... <- DONE
"""
