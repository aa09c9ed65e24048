"""Holds the budgets of size, and refuses words that have no place in the tree.

What separates a house one enjoys from one that is endured is the tail: the one file, the one function that
ate the rest. So the budget is about the tail, and whoever exceeds it says here by name why. An exception that
is no longer needed is an error too, so that the list does not outlive its reasons.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 40

# "path" or "path:function" -> why it is better long than cut.
EXCEPTIONS: dict[str, str] = {
    "engine/tests/zonefile/hints.rs:messages_name_what_is_wrong_and_hints_mend_it": "one table of cases",
}

# Written with a class around one character, so that this file does not contain what it refuses.
FORBIDDEN_WORDS = {
    r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b": "finish it, or open an issue",
    r"\b(unimplemente[d]!|tod[o]!|NotImplemente[d]Error)": "finish it, or leave it out",
    r"pyp[i]\.org|pythonhoste[d]|(static|index)\.crate[s]\.io|registry\.npmj[s]|deb\.debia[n]\.org": (
        "clients know their registries; the project names none"
    ),
    r"(?<![\w.])/(roo[t]|hom[e]|User[s])/": "a path of somebody's machine",
}

RUST_NOISE = re.compile(
    r"""//[^\n]*|/\*.*?\*/"""  # comments
    r"""|b?r(?P<fence>\#*)".*?"(?P=fence)|b?"(?:\\.|[^"\\])*\""""  # strings
    r"""|b?'(?:\\(?:u\{\w+\}|x\w\w|.)|[^\\'])'""",  # characters, but no lifetimes
    re.DOTALL,
)
RUST_FUNCTION = re.compile(r"\bfn\s+(?P<name>\w+)")


@dataclass(frozen=True)
class Function:
    """A function or method, and the lines it takes."""

    name: str
    lines: int


def python_functions(text: str) -> Iterator[Function]:
    """Every function of a Python file. Its docstring is not counted: a contract may be as long as it must."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node, clean=False) is not None:
                docstring = node.body[0]
                length -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
            yield Function(node.name, length)


def rust_functions(text: str) -> Iterator[Function]:
    """Every function of a Rust file that has a body, found by its braces."""
    code = RUST_NOISE.sub(lambda noise: "\n" * noise[0].count("\n"), text)
    for match in RUST_FUNCTION.finditer(code):
        end = _end_of_body(code, match.end())
        if end is not None:
            yield Function(match["name"], code.count("\n", match.start(), end) + 1)


def _end_of_body(code: str, start: int) -> int | None:
    """Where the braces opened after `start` close; None for a declaration without body."""
    braces = brackets = 0
    for position in range(start, len(code)):
        character = code[position]
        if character in "([":
            brackets += 1
        elif character in ")]":
            brackets -= 1
        elif character == ";" and braces == 0 and brackets == 0:
            return None
        elif character == "{":
            braces += 1
        elif character == "}":
            braces -= 1
            if braces == 0:
                return position
    return None


def over_budget(path: str, text: str) -> Iterator[tuple[str, str]]:
    """(what, how much) for the file and each of its functions that exceeds its budget."""
    lines = len(text.splitlines())
    if lines > FILE_LINES:
        yield path, f"{lines} lines, the budget of a file is {FILE_LINES}"
    functions = python_functions if path.endswith(".py") else rust_functions
    for function in functions(text):
        if function.lines > FUNCTION_LINES:
            over = f"{function.lines} lines, the budget of a function is {FUNCTION_LINES}"
            yield f"{path}:{function.name}", over


def forbidden_words(path: str, text: str) -> Iterator[str]:
    """A complaint for each line that holds a word refused."""
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern, reason in FORBIDDEN_WORDS.items():
            found = re.search(pattern, line)
            if found:
                yield f"{path}:{number}: {found[0]}: {reason}"


def findings(files: Iterable[tuple[str, str]], exceptions: dict[str, str]) -> list[str]:
    """All complaints about files given as (path, text), those of needless exceptions included."""
    complaints: list[str] = []
    unused = set(exceptions)
    for path, text in files:
        complaints.extend(forbidden_words(path, text))
        if path.endswith((".py", ".rs")):
            for what, how_much in over_budget(path, text):
                unused.discard(what)
                if what not in exceptions:
                    complaints.append(f"{what}: {how_much}")
    complaints.extend(f"{what}: within its budget; drop the exception" for what in sorted(unused))
    return complaints


def tracked_files(root: Path) -> Iterator[tuple[str, str]]:
    """(path, text) of every text file git keeps or would keep."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=root, check=True, capture_output=True).stdout  # noqa: S603 - fixed words
    for name in sorted(filter(None, names.decode().split("\0"))):
        path = root / name
        if path.is_symlink() or not path.is_file():
            continue
        try:
            yield name, path.read_text()
        except UnicodeDecodeError:
            continue  # a packet or a corpus file: nothing a reader reads


def main() -> int:
    """Prints the complaints; 1 if there are any."""
    complaints = findings(tracked_files(Path(__file__).parent.parent), EXCEPTIONS)
    print(*complaints, sep="\n", end="\n" if complaints else "")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
