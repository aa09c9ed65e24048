"""`pdns.conf` with the bind backend as a set-up; other backends keep zones in databases, not in files."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from oakroot.importing.bind import read_bind
from oakroot.importing.setup import ConfigurationError, Note, Place, ReadFile, Setup

_AXFR_HINT = "take its zones over by transfer: `oakroot import axfr SERVER ZONE…`"

_BY_KEY = "Oakroot grants by key alone; give that peer a key"
_TOLD = {
    "allow-axfr-ips": _BY_KEY,
    "dnsupdate": "give those who update a key (`oakroot keygen`)",
    "allow-dnsupdate-from": _BY_KEY,
    "also-notify": "start the primary with --notify",
    "only-notify": "start the primary with --notify",
}


def read_powerdns(path: str, read: ReadFile) -> Setup:
    """The set-up of a `pdns.conf`; raises ConfigurationError, and OSError for a file that cannot be read."""
    settings = _settings(read(path).decode("utf-8", "replace"))
    backends = [
        word.partition(":")[0].strip() for word in settings.get("launch", "").split(",") if word.strip()
    ]
    place = Place(path, 0)
    if "bind" not in backends or "bind-config" not in settings:
        raise ConfigurationError(f"it has no bind backend with a bind-config; {_AXFR_HINT}", place)
    directory = posixpath.dirname(path)
    setup = read_bind(posixpath.join(directory, settings["bind-config"]), read)
    notes = [
        Note(f"the backend {name} is left behind; {_AXFR_HINT}", place) for name in backends if name != "bind"
    ]
    if "bind-dnssec-db" in settings:
        text = "keys and DNSSEC in bind-dnssec-db are left behind: `pdnsutil list-tsig-keys` shows the keys"
        notes.append(Note(text, place))
    if setup.permissions:
        text = "what named.conf grants to keys is left behind: PowerDNS does not heed it"
        notes.append(Note(text, place))
    notes += [
        Note(f"{name} is left behind: {why}", place)
        for name, why in _TOLD.items()
        if settings.get(name, "no") != "no"
    ]
    return replace(setup, permissions=(), notes=(*setup.notes, *notes))


def _settings(text: str) -> dict[str, str]:
    settings: dict[str, str] = {}
    for line in text.splitlines():
        name, mark, value = line.partition("#")[0].partition("=")
        if mark:
            settings[name.strip().rstrip("+")] = value.strip()
    return settings
