"""The one totally ordered log of everything lasting that happens."""
