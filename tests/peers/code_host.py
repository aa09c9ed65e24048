"""GitLab and Forgejo, as far as comments of a merge request go, as the documentation of their APIs has it.

GitLab: docs.gitlab.com, "Notes API" and "Users API". Forgejo: the routes `issueGetComments`,
`issueCreateComment`, `issueEditComment` and `userGetCurrent` of its OpenAPI description. What must not live
here: what a workflow asks them.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from tests.peers.web import Reply, Request, WebServer

TOKEN = "glpat-example-token"
PAGE = 20
OWN, SOMEBODY = -2, 5
"""Who writes with the token, as Forgejo numbers the user of its actions, and who else comments."""
_USER = re.compile(r"/api/v[14]/user")
UNKNOWN = Reply(HTTPStatus.UNAUTHORIZED, {"message": "401 Unauthorized"})
_NOTES = re.compile(r"/api/v4/projects/42/merge_requests/7/notes(?:/(?P<id>[0-9]+))?")
_COMMENTS = re.compile(r"/api/v1/repos/example/zones/issues/(?:7/comments|comments/(?P<id>[0-9]+))")


class CodeHost(WebServer):
    """Both, with one request for a merge, between `__enter__` and `__exit__`."""

    def __init__(self) -> None:
        self.comments: list[str] = []
        """What was written, first one first; the first one's number is 1."""
        self.authors: dict[int, int | None] = {}
        """Of comments by their numbers, where it is not the token's user; None: nobody any more."""
        self.methods: list[str] = []
        """How it was asked."""
        super().__init__()

    def answer(self, request: Request) -> Reply:
        """What either says."""
        self.methods.append(request.method)
        url = urlsplit(request.path)
        gitlab, forgejo = (request.headers["PRIVATE-TOKEN"], request.headers["Authorization"])
        if _USER.fullmatch(url.path) is not None:
            is_known = TOKEN in (gitlab, (forgejo or "").removeprefix("token "))
            return Reply(body={"id": OWN}) if is_known else UNKNOWN
        if (route := _NOTES.fullmatch(url.path)) is not None:
            edit, is_known = "PUT", gitlab == TOKEN
        elif (route := _COMMENTS.fullmatch(url.path)) is not None:
            edit, is_known = "PATCH", forgejo == f"token {TOKEN}"
        else:
            return Reply(HTTPStatus.NOT_FOUND, {"message": "404 Not Found"})
        if not is_known:
            return UNKNOWN
        if request.method == "GET" and not route["id"]:
            shown = [self._shown(number) for number in range(1, len(self.comments) + 1)]
            return Reply(body=shown if edit == "PATCH" else _page(shown, parse_qs(url.query)))
        if request.headers["Content-Type"] != "application/json":
            return Reply(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        return self._written(request.method == edit, route["id"], json.loads(request.body)["body"])

    def _written(self, is_edited: bool, known: str | None, text: str) -> Reply:  # noqa: FBT001 - a fact of the request
        if is_edited and known and self.authors.get(int(known), OWN) != OWN:
            return Reply(HTTPStatus.FORBIDDEN, {"message": "403 Forbidden"})
        if is_edited and known:
            self.comments[int(known) - 1] = text
            return Reply(body=self._shown(int(known)))
        if is_edited or known:
            return Reply(HTTPStatus.METHOD_NOT_ALLOWED)
        self.comments.append(text)
        return Reply(HTTPStatus.CREATED, self._shown(len(self.comments)))

    def _shown(self, number: int) -> dict[str, object]:
        author = self.authors.get(number, OWN)
        by = None if author is None else {"id": author}
        # GitLab's name for it, and Forgejo's.
        return {"id": number, "body": self.comments[number - 1], "author": by, "user": by}


def _page(shown: list[dict[str, object]], query: dict[str, list[str]]) -> list[dict[str, object]]:
    """GitLab gives the newest ones first, and few, unless it is asked for others."""
    ordered = shown if query.get("sort") == ["asc"] else shown[::-1]
    return ordered[: int(query.get("per_page", [str(PAGE)])[0])]
