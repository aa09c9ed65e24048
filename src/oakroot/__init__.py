"""Oakroot serves your domains from a git repository."""

__version__ = "0.1.0"
