"""The grammar of `named.conf`: words, strings, blocks in braces, semicolons. No meaning is known here."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from oakroot.frozen import frozen
from oakroot.importing.setup import ConfigurationError, Place, ReadFile, quoted

_TOKEN = re.compile(
    r"(?P<blank>\s+|\#[^\n]*|//[^\n]*|/\*.*?\*/)"
    r'|"(?P<quoted>(?:[^"\\]|\\.)*)"'
    r"|(?P<mark>[{};])"
    r'|(?!/\*)(?P<word>[^\s{};"]+)',
    re.DOTALL,
)
_INCLUDE_DEPTH = 10
_WITH_INCLUDES = frozenset({"view", "zone", "options"})


@frozen
class Statement:
    """`words { block } words;`: the words before and behind a block, and the block's statements."""

    words: tuple[str, ...]
    block: tuple[Statement, ...] | None
    place: Place

    @property
    def name(self) -> str:
        """The first word, in lower case."""
        return self.words[0].lower() if self.words else ""

    def find(self, name: str) -> Statement | None:
        """The first statement of this name in the block."""
        return next((each for each in self.block or () if each.name == name), None)

    def value(self, name: str) -> str | None:
        """The word behind a statement's name in the block: `file "x";`."""
        found = self.find(name)
        return found.words[1] if found is not None and len(found.words) > 1 else None


@frozen
class _Token:
    kind: str
    text: str
    line: int


def read_named_conf(path: str, read: ReadFile, depth: int = 0) -> tuple[Statement, ...]:
    """The statements of a file, `include`s in their places; ConfigurationError. `read`'s OSError passes."""
    place = Place(path, 0)
    if depth > _INCLUDE_DEPTH:
        raise ConfigurationError("includes are nested too deeply", place)
    text = read(path).decode("utf-8", "replace")
    tokens = list(_tokens(text, path))
    statements, rest = _statements(tokens, 0, path)
    if rest < len(tokens):
        raise ConfigurationError("a } too many", Place(path, tokens[rest].line))
    return tuple(_included(statements, path, read, depth))


def _included(statements: list[Statement], path: str, read: ReadFile, depth: int) -> Iterator[Statement]:
    for statement in statements:
        if statement.name == "include" and len(statement.words) > 1:
            # named takes it from its working directory; in practice configurations include by absolute paths,
            # or from beside the file.
            target = posixpath.join(posixpath.dirname(path), statement.words[1])
            yield from read_named_conf(target, read, depth + 1)
        elif statement.name in _WITH_INCLUDES and statement.block is not None:
            block = tuple(_included(list(statement.block), path, read, depth))
            yield Statement(statement.words, block, statement.place)
        else:
            yield statement


def _tokens(text: str, path: str) -> Iterator[_Token]:
    at, line = 0, 1
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise ConfigurationError("a string or comment that does not end", Place(path, line))
        if found.lastgroup != "blank":
            yield _Token(found.lastgroup, found[found.lastgroup], line)
        line += found[0].count("\n")
        at = found.end()


def _statements(tokens: list[_Token], at: int, path: str) -> tuple[list[Statement], int]:
    """Statements up to the end or to a closing brace, and where that is."""
    statements = []
    is_inner = at > 0
    while at < len(tokens) and not _is_mark(tokens[at], "}"):
        words: list[str] = []
        block: tuple[Statement, ...] | None = None
        place = Place(path, tokens[at].line)
        while at < len(tokens) and (tokens[at].kind != "mark" or _is_mark(tokens[at], "{")):
            if not _is_mark(tokens[at], "{"):
                words.append(tokens[at].text)
                at += 1
                continue
            # In a list another list may stand as an element: `{ { key k; }; }`.
            if (at and _is_mark(tokens[at - 1], "}")) or not (words or is_inner):
                raise ConfigurationError("a block without a name", place)
            inner, end = _statements(tokens, at + 1, path)
            if end >= len(tokens):
                raise ConfigurationError("a { that is never closed", place)
            block, at = tuple(inner), end + 1
        if at >= len(tokens) or _is_mark(tokens[at], "}"):
            raise ConfigurationError(f"a semicolon is missing behind {quoted(' '.join(words))!r}", place)
        at += 1
        if words or block is not None:
            statements.append(Statement(tuple(words), block, place))
    return statements, at


def _is_mark(token: _Token, mark: str) -> bool:
    return token.kind == "mark" and token.text == mark
