"""The shared folder: what is in it, its hashes, and sending it."""
