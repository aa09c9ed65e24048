"""The one error of this room's values: a request, certificate or name that cannot be used as it stands."""

from __future__ import annotations


class RejectedError(ValueError):
    """What was published or written is of no use; `code` is stable, `hint` says how to mend it."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
