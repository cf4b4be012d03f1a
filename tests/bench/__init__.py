"""Measures a real server under load: python -m tests.bench [--quick] [--json] [NAME]..."""
