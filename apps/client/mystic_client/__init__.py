"""Mystic's clients: a terminal program and a command line, both on one session."""
