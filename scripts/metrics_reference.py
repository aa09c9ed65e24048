"""Prints docs/operate/metrics.md with its table of metrics made anew, off the table in the code."""

from __future__ import annotations

from pathlib import Path

from oakroot.operate.metrics import PREFIX, TABLE

PAGE = Path(__file__).parent.parent / "docs" / "operate" / "metrics.md"
_BEGIN = "<!-- table: written by `make docs` from src/oakroot/operate/metrics*.py -->\n"
_END = "<!-- end of the table -->\n"


def reference(page: str) -> str:
    """The page with its table in place of the one that it had."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return "".join((before, _BEGIN, "\n", *_rows(), "\n", _END, after))


def _rows() -> list[str]:
    rows = ["| metric | kind | labels | meaning |\n", "|---|---|---|---|\n"]
    for metric in TABLE:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        rows.append(f"| `{PREFIX}{metric.name}` | {metric.kind} | {labels} | {metric.meaning} |\n")
    return rows


if __name__ == "__main__":
    print(reference(PAGE.read_text()), end="")
