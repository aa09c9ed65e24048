"""A host's private key with its certificate, as a service presents it."""

from __future__ import annotations

import datetime as dt
import os
import ssl
import tempfile
from pathlib import Path

from oakroot.certificates.certificate import Certificate, renewal_due
from oakroot.certificates.names import write_name
from oakroot.certificates.private_key import PrivateKey
from oakroot.frozen import frozen


@frozen
class Identity:
    """A private key and the chain that certifies it: the host's certificate first. Its repr shows no key."""

    key: PrivateKey
    chain: tuple[Certificate, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names it is good for, wildcards among them."""
        return tuple(write_name(name) for name in sorted(self.chain[0].names))

    @property
    def not_after(self) -> dt.datetime:
        """When the certificate expires."""
        return dt.datetime.fromtimestamp(self.chain[0].not_after, dt.UTC)

    @property
    def renewal_due(self) -> dt.datetime:
        """From when on there should be a new one: a third of its lifetime before it expires."""
        return dt.datetime.fromtimestamp(renewal_due(self.chain[0]), dt.UTC)

    @property
    def private_key_pem(self) -> str:
        """The key, as PKCS#8 in PEM. Keep it from everybody."""
        return self.key.pem()

    @property
    def certificate_pem(self) -> str:
        """The host's certificate alone."""
        return self.chain[0].pem

    @property
    def chain_pem(self) -> str:
        """The authorities' certificates behind it."""
        return "".join(certificate.pem for certificate in self.chain[1:])

    @property
    def full_chain_pem(self) -> str:
        """What a server presents."""
        return self.certificate_pem + self.chain_pem

    def server_context(self) -> ssl.SSLContext:
        """A context for a TLS server that presents this identity, with Python's defaults for servers."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.load_into(context)
        return context

    def load_into(self, context: ssl.SSLContext) -> None:
        """Has a context present this identity from now on; connections that are open keep the older one.

        Python reads keys from files only: this one is in a folder that nobody else can enter, for a moment.
        """
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "identity.pem"
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
                stream.write(self.private_key_pem + self.full_chain_pem)
            context.load_cert_chain(file)
