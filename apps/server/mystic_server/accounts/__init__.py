"""Accounts: passwords, hashed in processes of their own, and how often somebody may try."""
