"""Prints docs/reference/findings.md: every finding that `oakroot check` can give, by a text that has it.

What a finding says is not written here: the examples are checked, and what comes of them is printed. That no
finding is missing is held by a test, which looks for codes in the sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from oakroot.zones.check import check_tree
from oakroot.zones.diagnostics import Finding
from oakroot.zones.tree import Tree

HEAD = "@ SOA ns1 hostmaster 1 1d 2h 2w 1h\n"
TOP = f"$TTL 1h\n{HEAD}  NS ns1\nns1 A 192.0.2.53\n"
KEY = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
OTHER_KEY = "cDK6sKyvlt8UBerZlmxuD84ih2KookJGDagJlLVNo20="

INTRODUCTION = """\
# Findings

<!-- Written by `make docs`, which checks the examples; see scripts/findings_reference.py. -->

What `oakroot check` finds is what the primary finds before it serves a file: an error keeps the zone's last
good version, a warning does not. Each finding has a place (file, line, column), a code (in the output of
`--format json`) that does not change between versions, and mostly a hint. Here is an example of each, and
what is said to it.
"""

LIMITS = """\
## Limits

These have no example, for want of room:

| code | |
|---|---|
| `entry-too-long` | an entry is longer than any record can be: look for a missing end of line |
| `file-too-large` | a file has more than 4 GiB |
| `generate-size` | `$GENERATE` lines make more than 256 MiB of text |
| `include-size` | more than 65,535 files are included, or more than 1 GiB |
| `include-depth` | files include files more than ten deep |
| `rrset-too-large` | the records of one name and type fit into no DNS message |
| `zone-too-large` | the zone has more than 4 GiB of records, or some names more than 16 MiB |
| `too-many-errors`, `too-many-warnings`, `too-many-findings` | there are more than a thousand |
| `unreadable` | the file is there and cannot be had: it is larger than 256 MiB, say |

Two speak of a file and the one before it: `serial-not-forward` (the zone changed and its serial did not move
forward) and `old-without-soa` (what `--old` names is no version of this zone). `mass-deletion` is the
guard's, of the primary and of `oakroot plan`. A key that is given as an option can also be refused with
`key-form`, `key-name`, `key-rdata`, `key-secret`, `key-file` or `key-count`, and a settings file with
`syntax` or `setting` ([config check](../operate/configuration.md)).
"""


@dataclass(frozen=True)
class Example:
    """A text that has a finding of this code, in a repository with these further files."""

    code: str
    text: str
    path: str = "example.org"
    files: Mapping[str, str] = field(default_factory=dict)
    is_whole: bool = False
    """Whether the text is all of the file; else a good zone stands in front of it."""

    def findings(self) -> tuple[Finding, ...]:
        """What is said to it."""
        text = self.text if self.is_whole else TOP + self.text
        files = {**self.files, self.path: text}
        if self.path != "example.org":
            files.setdefault("example.org", TOP)
        tree = Tree("", {path: path for path in files}, lambda path: files[path].encode("latin-1"))
        return check_tree(tree).findings


ZONES = (
    Example("missing-soa", "$TTL 1h\n@ NS ns1\nns1 A 192.0.2.53\n", is_whole=True),
    Example("missing-ns", f"$TTL 1h\n{HEAD}www A 192.0.2.80\n", is_whole=True),
    Example("multiple-soa", "@ SOA ns2 hostmaster 1 1d 2h 2w 1h\n"),
    Example("soa-below-apex", "www SOA ns1 hostmaster 1 1d 2h 2w 1h\n"),
    Example("out-of-zone", "www.example.net. A 192.0.2.80\n"),
    Example("cname-and-other-data", "www A 192.0.2.80\nwww CNAME ns1\n"),
    Example("multiple-cname", "www CNAME ns1\nwww CNAME ns2.example.net.\n"),
    Example("multiple-dname", "old DNAME new\nold DNAME newer\n"),
    Example("key-in-zone", f"laptop._update.example.org. DNSKEY 0 3 163 {KEY}\n"),
    Example("forgotten-dot", "@ MX 10 mail.example.org\n"),
    Example("occluded", "sub NS ns1\nwww.sub TXT hidden\n"),
    Example("ttl-mismatch", "www 300 A 192.0.2.80\nwww 600 A 192.0.2.81\n"),
    Example("duplicate-zone", TOP, path="EXAMPLE.org", is_whole=True),
    Example("ignored-file", "anything\n", path="example.org~", is_whole=True),
)
ENTRIES = (
    Example("unknown-type", "www AA 192.0.2.80\n"),
    Example("meta-type", "www AXFR 192.0.2.80\n"),
    Example("no-type", "www\n"),
    Example("bad-rdata", "www A 192.0.2.800\n"),
    Example("bad-name", "a..b A 192.0.2.80\n"),
    Example("bad-ttl", "www 1x A 192.0.2.80\n"),
    Example("no-ttl", f"{HEAD}  NS ns1\nns1 A 192.0.2.53\n", is_whole=True),
    Example("ttl-twice", "www 300 600 A 192.0.2.80\n"),
    Example("class-twice", "www IN IN A 192.0.2.80\n"),
    Example("bad-class", "www CH A 192.0.2.80\n"),
    Example("class-as-owner", "IN A 192.0.2.80\n"),
    Example("no-owner", f"  A 192.0.2.80\n{TOP}", is_whole=True),
    Example("bad-escape", "www A 192.0.2.80\\\n"),
    Example("control-character", "www A 192.0.2.80\x01\n"),
    Example("quote-in-word", 'www TXT a"b"\n'),
    Example("unclosed-quote", 'www TXT "no end\n'),
    Example("unclosed-parenthesis", "www A ( 192.0.2.80\n"),
    Example("stray-parenthesis", "www A 192.0.2.80 )\n"),
    Example("byte-order-mark", f"\xef\xbb\xbf{TOP}", is_whole=True),
    Example("not-text", "\xff\xfe$\x00T\x00T\x00L\x00", is_whole=True),
)
DIRECTIVES = (
    Example("unknown-directive", "$TLL 1h\n"),
    Example("bad-directive", "$TTL\n"),
    Example("indented-directive", " $TTL 1h\n"),
    Example("bad-generate", "$GENERATE 1 host$ A 192.0.2.$\n"),
    Example("bad-include", "$INCLUDE parts/web\n"),
    Example("include-cycle", "$INCLUDE example.org\n"),
)
KEYS = tuple(
    Example(code, text, path="example.org._keys", is_whole=True)
    for code, text in (
        ("key-operation", f"laptop.example.org. DNSKEY 0 3 163 {KEY}\n"),
        ("key-zone", f"laptop._update.exa_mple.org. DNSKEY 0 3 163 {KEY}\n"),
        ("key-outside-zone", f"laptop._update.example.net. DNSKEY 0 3 163 {KEY}\n"),
        ("key-zone-twice", f"$ORIGIN example.org.\nlaptop._update.example.org DNSKEY 0 3 163 {KEY}\n"),
        ("key-address", f"192.0.2.300.198.51.100.53._transfer.example.org. DNSKEY 0 3 163 {KEY}\n"),
        ("key-limit", f"_only-nonsense._update.example.org. DNSKEY 0 3 163 {KEY}\n"),
        ("key-limit-doubt", f"only-txt._update.example.org. DNSKEY 0 3 163 {KEY}\n"),
        ("key-type", "laptop._update.example.org. A 192.0.2.53\n"),
        ("key-flags", f"laptop._update.example.org. DNSKEY 257 3 163 {KEY}\n"),
        ("key-protocol", f"laptop._update.example.org. DNSKEY 0 2 163 {KEY}\n"),
        ("key-algorithm", f"laptop._update.example.org. DNSKEY 0 3 13 {KEY}\n"),
        ("key-weak", "laptop._update.example.org. DNSKEY 0 3 163 c2hvcnQ=\n"),
        (
            "key-duplicate",
            "".join(f"laptop._update.example.org. DNSKEY 0 3 163 {key}\n" for key in (KEY, OTHER_KEY)),
        ),
    )
)
SECTIONS = {
    "Zones": ZONES,
    "Entries": ENTRIES,
    "Directives": DIRECTIVES,
    "Key files": KEYS,
}


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for title, examples in SECTIONS.items():
        parts += [f"## {title}\n", *(_shown(example) for example in examples)]
    return "\n".join([*parts, LIMITS])


def _shown(example: Example) -> str:
    found = next(finding for finding in example.findings() if finding.code == example.code)
    lines = [*_made_visible(example.text), *_said(found)]
    return "\n".join([f"### {example.code}\n", "```text", *lines, "```", ""])


def _made_visible(text: str) -> Iterator[str]:
    for line in text.rstrip("\n").split("\n"):
        yield "".join(letter if " " <= letter <= "~" else f"\\x{ord(letter):02x}" for letter in line)


def _said(found: Finding) -> Iterator[str]:
    yield ""
    yield f"{found.severity}: {found.message}"
    if found.hint:
        yield f"hint: {found.hint}"


if __name__ == "__main__":
    print(page(), end="")
