"""Where a run keeps what it wants shown at its end."""

from __future__ import annotations

import pytest

SUMMARY = pytest.StashKey[str]()
"""The table of the differential test."""
