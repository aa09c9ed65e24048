"""Oakroot serves your domains from a git repository."""
