"""Joins wires, domain and log: sessions, the gateway, and the way out to everybody."""
