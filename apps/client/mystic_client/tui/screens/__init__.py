"""Screens: widgets put together."""
