"""Bytes and wires: sockets, queues and timers; nothing here knows what a chat is."""
