"""The client's connection to a server: asyncio, no screen."""
