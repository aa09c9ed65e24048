"""Certificates through DNS: requests and certificates as records, orders at an ACME authority, the certifier.

Here stands what programs use to have a certificate of their own:

    client = Client("ns.example.org", "@/etc/oakroot/certify.key")
    identity = client.obtain("www.example.org", folder="/var/lib/www/tls")
    context = identity.server_context()
"""

from oakroot.certificates.client import Client
from oakroot.certificates.folder import Folder, FolderError
from oakroot.certificates.identity import Identity
from oakroot.certificates.private_key import KeyType
from oakroot.certificates.rejected import RejectedError
from oakroot.certificates.wish import Wish
from oakroot.client.server import Server, ServerError

__all__ = [
    "Client",
    "Folder",
    "FolderError",
    "Identity",
    "KeyType",
    "RejectedError",
    "Server",
    "ServerError",
    "Wish",
]
