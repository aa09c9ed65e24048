"""The folder of a certificate: `privkey.pem`, `cert.pem`, `chain.pem`, `fullchain.pem`, always of one set.

The four are links through `.current`, which leads to the folder of a set, and that one link is exchanged. So
whoever reads finds all of the old set or all of the new, whenever the machine stops:

    privkey.pem -> .current/privkey.pem        .current -> .set.k3f9     .set.k3f9/{privkey,cert,…}.pem

A key that waits for its certificate lies in `.next`, so that the next run takes up one that was cut short.
What must not live here: DNS, and when a certificate is due.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from oakroot.certificates.certificate import Certificate, read_chain
from oakroot.certificates.private_key import PrivateKey, read_private_key
from oakroot.certificates.rejected import RejectedError
from oakroot.frozen import frozen

PRIVATE_KEY, CERTIFICATE, CHAIN, FULL_CHAIN = "privkey.pem", "cert.pem", "chain.pem", "fullchain.pem"
NAMES = (PRIVATE_KEY, CERTIFICATE, CHAIN, FULL_CHAIN)

_CURRENT, _SET, _NEXT, _LOCK = ".current", ".set.", ".next", ".lock"
_UNDEPLOYED = "undeployed"
"""In a set that nobody has been told of: the hook was not run, or failed."""
_PUBLIC, _PRIVATE, _FOLDER = 0o644, 0o600, 0o755


class FolderError(Exception):
    """Something in the folder is not ours, or not fit to be used; `hint` says how to mend it."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@frozen
class Kept:
    """What the folder has: a key, and where there is one its certificate with the authorities' behind it."""

    key: PrivateKey
    chain: tuple[Certificate, ...] = ()


class Folder:
    """The folder of one certificate, made when it is first written to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def file(self, name: str) -> Path:
        """Where a reader finds one of `NAMES`."""
        return self.path / name

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps others who work with the folder out; raises FolderError when one is at work already."""
        self.path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FolderError(f"{self.path}: another `oakroot certify` is at work here") from None
            yield
        finally:
            os.close(descriptor)

    def kept(self) -> Kept | None:
        """The set that readers find, whoever wrote it; None where there is no key. Raises FolderError."""
        self._require_own_links()
        try:
            key = self._read_key(self.file(PRIVATE_KEY))
        except FileNotFoundError:
            return None
        return Kept(key, self._read_chain(key))

    def next_key(self) -> PrivateKey | None:
        """The key that waits for its certificate."""
        try:
            return self._read_key(self.path / _NEXT / PRIVATE_KEY)
        except FileNotFoundError:
            return None

    def keep_next_key(self, key: PrivateKey) -> None:
        """Keeps a key whose certificate is about to be asked for."""
        folder = self.path / _NEXT
        folder.mkdir(mode=0o700, exist_ok=True)
        new = folder / f"{PRIVATE_KEY}.new"
        new.unlink(missing_ok=True)
        _write(new, key.pem(), _PRIVATE)
        new.rename(folder / PRIVATE_KEY)
        _flush_folder(folder)

    def forget_next_key(self) -> None:
        """Drops a key that was never used."""
        shutil.rmtree(self.path / _NEXT, ignore_errors=True)

    def install(self, key: PrivateKey, chain: tuple[Certificate, ...]) -> None:
        """Puts a new set in the old one's place, at once; OSError leaves the old one as it was."""
        host, *authorities = (certificate.pem for certificate in chain)
        texts = {
            PRIVATE_KEY: key.pem(),
            CERTIFICATE: host,
            CHAIN: "".join(authorities),
            FULL_CHAIN: "".join([host, *authorities]),
            _UNDEPLOYED: "",
        }
        self._adopt()
        self._switch_to(texts)
        self._make_links()
        self._sweep()

    @property
    def is_undeployed(self) -> bool:
        """Whether nobody has been told of the set yet."""
        return (self.path / _CURRENT / _UNDEPLOYED).exists()

    def mark_deployed(self) -> None:
        """Remembers that whoever uses the set was told of it."""
        (self.path / _CURRENT / _UNDEPLOYED).unlink(missing_ok=True)

    def _require_own_links(self) -> None:
        for name in NAMES:
            file = self.file(name)
            if file.is_symlink() and str(file.readlink()) != f"{_CURRENT}/{name}":
                raise FolderError(
                    f"{file} is a link to {file.readlink()}, which another program made",
                    hint="choose another --out: two programs must not renew into one folder",
                )

    def _read_key(self, file: Path) -> PrivateKey:
        with file.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            text = stream.read()
        if mode & stat.S_IRWXO:
            raise FolderError(
                f"{file} can be read by everybody (mode {mode:04o})",
                hint=f"who may have seen it? chmod 600 {file} keeps it, removing it makes a new one",
            )
        try:
            return read_private_key(text)
        except RejectedError as error:
            raise FolderError(f"{file}: {error.message}", hint=error.hint) from None

    def _read_chain(self, key: PrivateKey) -> tuple[Certificate, ...]:
        """The chain that goes with the key: what belongs to another key, or is none, counts as missing."""
        try:
            certificate, authorities = read_chain(self.file(FULL_CHAIN).read_text(encoding="ascii"))
        except (FileNotFoundError, RejectedError, UnicodeDecodeError):
            return ()
        return (certificate, *authorities) if certificate.public_key == key.public_key else ()

    def _adopt(self) -> None:
        """Turns plain files that somebody put here into a set of ours, so that they can change at once."""
        plain = [name for name in NAMES if self.file(name).is_file() and not self.file(name).is_symlink()]
        if plain:
            self._switch_to({name: self.file(name).read_text(encoding="utf-8") for name in plain})
            self._make_links()

    def _switch_to(self, texts: Mapping[str, str]) -> None:
        folder = self.path / f"{_SET}{secrets.token_hex(4)}"
        mode, group = self._wanted_of_key()
        try:
            folder.mkdir(mode=_FOLDER)
            for name, text in texts.items():
                _write(folder / name, text, mode if name == PRIVATE_KEY else _PUBLIC)
            if group is not None:
                os.chown(folder / PRIVATE_KEY, -1, group)
                (folder / PRIVATE_KEY).chmod(mode)
            _flush_folder(folder)
            # Links that lead nowhere yet make all four files appear with the one that follows.
            self._make_links(only_missing=True)
            self._link(_CURRENT, folder.name)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        _flush_folder(self.path)

    def _wanted_of_key(self) -> tuple[int, int | None]:
        """Mode and group of the key: a group that was let in stays so at a renewal."""
        try:
            found = self.file(PRIVATE_KEY).stat()
        except FileNotFoundError:
            return _PRIVATE, None
        readable = _PRIVATE | (found.st_mode & stat.S_IRGRP)
        return readable, found.st_gid if readable != _PRIVATE else None

    def _make_links(self, *, only_missing: bool = False) -> None:
        for name in NAMES:
            if not (only_missing and os.path.lexists(self.file(name))):
                self._link(name, f"{_CURRENT}/{name}")

    def _link(self, name: str, target: str) -> None:
        """Makes a link, in place of whatever had the name."""
        new = self.path / f".{name}.new"
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.rename(self.path / name)

    def _sweep(self) -> None:
        """Removes what is of no more use; if that fails, it does no harm."""
        current = (self.path / _CURRENT).readlink().name
        for old in self.path.glob(f"{_SET}*"):
            if old.name != current:
                shutil.rmtree(old, ignore_errors=True)
        self.forget_next_key()


def _write(file: Path, text: str, mode: int) -> None:
    """A new file that is on the disk when this returns. Its mode never was a wider one."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        os.fchmod(descriptor, mode)
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
