"""The one error of this room: a text or a name that is no good key.

Its message is meant for the person who wrote the key. It never quotes what was written: where one field is
wrong, any other may be the secret.
"""

from __future__ import annotations


class KeyRejectedError(ValueError):
    """A key cannot be used as it stands; `code` is stable, `hint` says how to mend it."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
