"""The budgets script measures what it says, and cannot be talked round."""

from __future__ import annotations

import pytest

from scripts.budgets import findings, python_functions, rust_functions


def body(lines: int, indent: str = "    ") -> str:
    return f"{indent}pass\n" * lines


def test_a_function_of_forty_lines_is_within_its_budget() -> None:
    assert findings([("a.py", "def f():\n" + body(39))], {}) == []


def test_a_longer_function_is_named() -> None:
    complaint = "a.py:f: 41 lines, the budget of a function is 40"
    assert findings([("a.py", "def f():\n" + body(40))], {}) == [complaint]


def test_a_docstring_does_not_count() -> None:
    docstring = '    """One.\n\n' + "    more\n" * 50 + '    """\n'
    assert findings([("a.py", "def f():\n" + docstring + body(39))], {}) == []


def test_methods_and_nested_functions_are_measured() -> None:
    text = "class C:\n    async def outer(self):\n        def inner():\n" + body(3, " " * 12)
    assert {function.name: function.lines for function in python_functions(text)} == {"outer": 5, "inner": 4}


def test_a_file_over_its_budget_is_named() -> None:
    assert findings([("a.py", "x = 1\n" * 401)], {}) == ["a.py: 401 lines, the budget of a file is 400"]


def test_an_exception_excuses_only_what_it_names() -> None:
    text = "def f():\n" + body(40) + "def g():\n" + body(40)
    complaints = findings([("a.py", text)], {"a.py:f": "a table"})
    assert complaints == ["a.py:g: 41 lines, the budget of a function is 40"]


def test_a_needless_exception_is_refused() -> None:
    complaints = findings([("a.py", "x = 1\n")], {"a.py:f": "was long once"})
    assert complaints == ["a.py:f: within its budget; drop the exception"]


@pytest.mark.parametrize(
    "text",
    [
        'fn f() {\n let s = "}";\n}\n',
        'fn f() {\n let s = r#"}"}"#;\n}\n',
        "fn f() {\n let c = '}';\n}\n",
        "fn f() {\n // }\n}\n",
        "fn f<'a>(x: &'a [u8; 4])\n{\n}\n",
        "fn f() {\n let x = '\\'';\n}\n",
    ],
    ids=["string", "raw string", "character", "comment", "lifetime and array", "escaped quote"],
)
def test_braces_that_are_no_code_do_not_end_a_rust_function(text: str) -> None:
    assert [(function.name, function.lines) for function in rust_functions(text)] == [("f", text.count("\n"))]


def test_a_rust_declaration_without_body_is_no_function() -> None:
    text = "trait T {\n fn g(x: [u8; 2]) -> u8;\n fn h() {\n }\n}\n"
    assert [(function.name, function.lines) for function in rust_functions(text)] == [("h", 2)]


def test_unfinished_marks_are_refused() -> None:
    mark = "TO" + "DO"
    complaints = findings([("notes.md", f"fine\n{mark} later\n")], {})
    assert complaints == [f"notes.md:2: {mark}: finish it, or open an issue"]


def test_registry_hosts_are_refused() -> None:
    host = "pypi" + ".org"
    assert len(findings([("Makefile", f"https://{host}/simple\n")], {})) == 1
