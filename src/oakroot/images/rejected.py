"""What ends the making or starting of an image."""

from __future__ import annotations


class ImageError(Exception):
    """A message for whoever asked for an image, and a hint how to mend it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
